"""Reading Remote's answers: JSON within limits, and the words of an error in all their shapes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from integrations.errors import PermanentError, UnauthorizedError

if TYPE_CHECKING:
    from integrations.connectors.base import HttpResponse
    from integrations.errors import IntegrationError

UNAUTHORIZED = (
    "Unauthorized: the API token was revoked or belongs to another environment. Generate a new one "
    "in Remote (Company settings → Integrations & APIs → Remote API) and update it here."
)
_MESSAGE_CAP = 300


class MalformedAnswer(ValueError):
    """A success whose body is not what the endpoint promises; asking again may help."""


class NotFoundError(PermanentError):
    """404: this account lacks the endpoint, or the object is gone."""


class RefusedError(PermanentError):
    """400, 409 or 422: the endpoint does not accept the request as sent."""


class ForbiddenError(UnauthorizedError):
    """403: the token is valid and lacks a right."""

    code = "forbidden"


def read_json(body: bytes) -> Any:
    """The value in ``body``. Raises :class:`MalformedAnswer`.

    Laxer than the reading of other targets' answers on purpose: one worker whose name holds a NUL
    must not keep the whole company from being read. Texts are cleaned where they are projected.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedAnswer("the body is no JSON") from error


def words_of(body: bytes) -> str:
    """What an error body says, from all documented shapes; ``""`` where it says nothing."""
    try:
        value = read_json(body)
    except MalformedAnswer:
        return ""
    return "; ".join(_words(value, depth=0))[:_MESSAGE_CAP]


def _words(value: object, *, depth: int) -> list[str]:
    if depth > 4:
        return []
    if isinstance(value, str):
        text = " ".join("".join(c if c.isprintable() else " " for c in value).split())
        return [text] if text else []
    if isinstance(value, list):
        return [word for item in value[:10] for word in _words(item, depth=depth + 1)]
    if not isinstance(value, dict):
        return []
    for key in ("message", "errors", "detail", "error"):
        if value.get(key):
            return _words(value[key], depth=depth + 1)
    pairs = list(value.items())[:10]
    return [f"{key}: {word}" for key, item in pairs for word in _words(item, depth=depth + 1)]


def error_of(answer: HttpResponse, *, what: str, scope: str) -> IntegrationError:
    """The error for a status that asking again does not change (3xx, 4xx without 408 and 429)."""
    status, request_id = answer.status, answer.request_id[:120]
    said = words_of(answer.body)
    tail = f" Remote said: {said}" if said else ""
    if status == 401:
        return UnauthorizedError(UNAUTHORIZED, request_id=request_id, status=status)
    if status == 403:
        return ForbiddenError(
            f"Remote does not let this API token read {what}: the scope {scope} is missing. "
            "Generate a token that may read people, contracts, offboardings and organization data, "
            "and update it here.",
            request_id=request_id,
            status=status,
        )
    kind: type[PermanentError] = PermanentError
    if status == 404:
        kind, message = NotFoundError, f"Remote knows no {what} (404).{tail}"
    elif status in {400, 409, 422}:
        kind, message = RefusedError, f"Remote refused to list {what} ({status}).{tail}"
    elif status < 400:
        message = (
            f"Remote answered {what} with {status}, which is no success; redirects are not "
            "followed. Check the address of the connection."
        )
    else:
        message = f"Remote refused to list {what} ({status}).{tail}"
    return kind(message, request_id=request_id, status=status)
