"""Signatures: the known vector, the clock's edges, rotation, and header text of any kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.remote.webhooks import verify_signature

KEY = "testsigningkey0123456789ab"
STAMP = "1700000000000"
NOW = int(STAMP)
BODY = (
    b'{"event_type":"employment.updated","company_id":"11111111-1111-4111-8111-111111111111",'
    b'"employment_id":"55555555-5555-4555-8555-555555555501"}'
)
SIGNATURE = "6d20c33c1567bf9e0cefae366cfb66ecc7ec51009c853fd43b8dfa0440884aa8"


def test_signature_known_vector_is_valid() -> None:
    assert verify_signature(BODY, SIGNATURE, STAMP, [KEY], NOW)


@pytest.mark.parametrize("keys", [["old", KEY], [KEY, "new"], ["", KEY]])
def test_signature_any_of_several_keys_is_valid(keys: list[str]) -> None:
    assert verify_signature(BODY, SIGNATURE, STAMP, keys, NOW)


@pytest.mark.parametrize(
    ("drift", "valid"), [(300_000, True), (-300_000, True), (300_001, False), (-300_001, False)]
)
def test_signature_is_valid_within_the_tolerance(drift: int, valid: bool) -> None:
    assert verify_signature(BODY, SIGNATURE, STAMP, [KEY], NOW + drift) is valid


@pytest.mark.parametrize(
    ("body", "signature", "stamp", "keys"),
    [
        (BODY + b" ", SIGNATURE, STAMP, [KEY]),
        (BODY, SIGNATURE.upper(), STAMP, [KEY]),
        (BODY, SIGNATURE[:-1], STAMP, [KEY]),
        (BODY, "", STAMP, [KEY]),
        (BODY, SIGNATURE, "1700000000001", [KEY]),
        (BODY, SIGNATURE, STAMP[:-3], [KEY]),
        (BODY, SIGNATURE, f" {STAMP}", [KEY]),
        (BODY, SIGNATURE, f"-{STAMP}", [KEY]),
        (BODY, SIGNATURE, "", [KEY]),
        (BODY, SIGNATURE, STAMP, ["other"]),
        (BODY, SIGNATURE, STAMP, []),
    ],
)
def test_signature_anything_else_is_not(
    body: bytes, signature: str, stamp: str, keys: list[str]
) -> None:
    assert not verify_signature(body, signature, stamp, keys, NOW)


def test_signature_with_an_empty_key_never_verifies() -> None:
    empty = "b8e7ae12510bdfb1812e463a7f086122cf37e4f7"
    assert not verify_signature(BODY, empty, STAMP, [""], NOW)


@given(st.binary(max_size=20), st.text(st.characters(), max_size=70), st.text(max_size=20))
def test_signature_any_header_text_is_safe(body: bytes, signature: str, stamp: str) -> None:
    assert verify_signature(body, signature, stamp, [KEY], NOW) is False
    assert verify_signature(body, signature, STAMP, [KEY], NOW) is False
