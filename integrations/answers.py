"""Reading what an outside system answered: status to error, body to JSON, each within limits."""

from __future__ import annotations

import json
import math
import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NoReturn

from integrations.errors import (
    IntegrationError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
)
from siit_remote.lib import clock

if TYPE_CHECKING:
    from integrations.connectors.base import HttpResponse

_RETRY_CAP = 3600.0
_SECONDS = re.compile(r"\d{1,9}(?:\.\d{1,6})?")
_ESCAPED_TRAP = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def retry_after_seconds(value: str) -> float | None:
    """``Retry-After`` as seconds from now (0 … 3600); ``None`` where it says nothing usable."""
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _RETRY_CAP)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        return None
    return min(max((moment - clock.system_now()).total_seconds(), 0.0), _RETRY_CAP)


def code_of_status(status: int | None) -> str:
    """The class of error that an answer's status stands for; empty for none."""
    if status is None or status < 300:
        return ""
    if status in {401, 403}:
        return UnauthorizedError.code
    if status == 429:
        return RateLimitedError.code
    passing = status in {408, 425} or (status >= 500 and status != 501)
    return TransientError.code if passing else PermanentError.code


def raise_for_status(response: HttpResponse, *, what: str) -> None:
    """Nothing for 2xx, else the fitting error. ``what`` names the call: “creating the account”.

    The body is never quoted: it may hold personal data or markup of somebody else's making.
    """
    status = response.status
    if 200 <= status < 300:
        return
    request_id = response.request_id[:120]
    if status == 429:
        raise RateLimitedError(
            f"Too many requests while {what}; the target asks us to slow down.",
            retry_after=retry_after_seconds(response.headers.get("retry-after", "")),
            request_id=request_id,
            connection=response.connection,
        )
    kind: type[IntegrationError]
    if status in {401, 403}:
        kind, message = (
            UnauthorizedError,
            (
                f"The credential was refused ({status}) while {what}. Enter a valid one that has "
                "the right to do this, then test the connection."
            ),
        )
    elif status in {408, 425} or (status >= 500 and status != 501):
        kind, message = TransientError, f"The target answered {status} while {what}."
    elif 300 <= status < 400:
        kind, message = (
            PermanentError,
            (
                f"The target answered with a redirect ({status}) while {what}; redirects are not "
                "followed. Set the final address in the connection."
            ),
        )
    else:
        kind, message = PermanentError, f"The target refused ({status}) {what}."
    raise kind(message, request_id=request_id, status=status, connection=response.connection)


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is out of range")
    return number


def _short_integer(text: str) -> int:
    if len(text) > 300:
        raise ValueError("a number has too many digits")
    return int(text)


def parse_json(body: bytes) -> Any:
    """The value in ``body``. Raises ``TransientError`` for what is no strict JSON in UTF-8.

    Refused besides broken syntax: NaN and infinities, a name twice in one object, nesting beyond
    the interpreter's depth, numbers of absurd length, NUL and lone surrogates in text (databases
    reject them). Transient, because gateways answer with HTML or half a body on a bad day.
    """
    try:
        text = body.decode("utf-8-sig")
        value = json.loads(
            text,
            object_pairs_hook=_no_duplicates,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_short_integer,
        )
        # Escapes can smuggle in what the decoder above would have refused as bytes.
        if "\\u" in text and _ESCAPED_TRAP.search(text):
            _refuse_trapped_text(value)
    except (ValueError, RecursionError) as error:
        # The decoder's own message quotes the body; only its type is told.
        raise TransientError(
            f"The answer is not JSON that we accept ({type(error).__name__})."
        ) from error
    return value


def _refuse_trapped_text(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, str):
            if "\x00" in item:
                raise ValueError("NUL in text")
            item.encode()
