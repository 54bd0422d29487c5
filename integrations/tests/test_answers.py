"""Status to error, body to JSON."""

from __future__ import annotations

import contextlib
import json
from datetime import timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.answers import parse_json, raise_for_status, retry_after_seconds
from integrations.connectors.base import HttpResponse
from integrations.errors import (
    IntegrationError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
)
from siit_remote.lib import clock


def _response(status: int, **headers: str) -> HttpResponse:
    return HttpResponse(status=status, headers=headers, body=b"private text", url="https://x/")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, PermanentError),
        (307, PermanentError),
        (400, PermanentError),
        (401, UnauthorizedError),
        (403, UnauthorizedError),
        (404, PermanentError),
        (408, TransientError),
        (409, PermanentError),
        (410, PermanentError),
        (422, PermanentError),
        (429, RateLimitedError),
        (500, TransientError),
        (501, PermanentError),
        (502, TransientError),
        (503, TransientError),
        (599, TransientError),
    ],
)
def test_status_becomes_its_error(status: int, kind: type[IntegrationError]) -> None:
    with pytest.raises(IntegrationError) as caught:
        raise_for_status(_response(status, **{"x-request-id": "r9"}), what="testing")
    assert type(caught.value) is kind
    assert caught.value.status == status
    assert caught.value.request_id == "r9"
    assert "private text" not in caught.value.message


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_silent(status: int) -> None:
    raise_for_status(_response(status), what="testing")


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("999999", 3600.0),
        ("-1", None),
        ("", None),
        ("soon", None),
        ("NaN", None),
        ("1e9", None),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after_is_read_or_ignored(value: str, seconds: float | None) -> None:
    assert retry_after_seconds(value) == seconds


def test_retry_after_reads_a_date_ahead() -> None:
    at = format_datetime(clock.system_now() + timedelta(seconds=90), usegmt=False)
    assert retry_after_seconds(at) == pytest.approx(90, abs=3)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'{"a": NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b'{"a": 1, "a": 2}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b'["\\u0000"]',
        b'{"\\u0000": 1}',
        b'["\\ud800"]',
        b'["\\uDFFF x"]',
        b"[" + b"9" * 5000 + b"]",
        b"\xff\xfe[\x001\x00]\x00",
        b'["\xff"]',
        b'{"a": 1',
        b"[1] trailing",
    ],
)
def test_hostile_json_is_refused_as_transient(body: bytes) -> None:
    with pytest.raises(TransientError) as caught:
        parse_json(body)
    assert len(caught.value.message) < 100


def test_emoji_written_as_pair_of_escapes_is_fine() -> None:
    assert parse_json(b'["\\ud83d\\ude00"]') == ["😀"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner
        )
    ),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_parse_json_reads_back_what_json_writes(value: object, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=200))
def test_parse_json_never_raises_anything_else(body: bytes) -> None:
    with contextlib.suppress(TransientError):
        parse_json(body)
