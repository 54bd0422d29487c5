"""Why a connection is not let in, and what a person does about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.models import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What went wrong in two words, in a sentence, and what to do, step by step."""

    title: str
    cause: str
    remedies: tuple[str, ...]


_ANEW = "Generate a new token there and paste it here."
_REMEDIES: dict[str, tuple[str, tuple[str, ...]]] = {
    "unauthorized": (
        "Unauthorized",
        (
            "If the token was revoked: " + _ANEW.lower(),
            "A token that starts with ra_live_ works in production only, one with ra_test_ in the "
            "sandbox only. Leave the address empty and it is chosen by the token.",
            "Only an owner or admin of the company can generate a token.",
        ),
    ),
    "forbidden": (
        "The token may not read everything",
        (
            "It must read people, contracts, offboardings and organization data.",
            _ANEW,
        ),
    ),
    "config": (
        "This cannot be used",
        ("Copy the token again, whole and without spaces, and check the address.",),
    ),
    "transient": (
        "No answer",
        (
            "Nothing is wrong with the token. Try again in a minute.",
            "If it goes on, ask IT whether this server may reach that address.",
        ),
    ),
    "rate_limited": ("Too many requests", ("Wait a minute and try again.",)),
    "other_company": (
        "Another company’s token",
        ("Use a token of the company this connection was set up for; nothing was changed.",),
    ),
}


def trouble_of(connection: Connection) -> Trouble | None:
    """What keeps ``connection`` from working, as its last test or sync found it."""
    if not connection.last_error:
        return None
    title, remedies = _REMEDIES.get(
        connection.last_error_code, ("It does not work", ("Try again, or enter it anew.",))
    )
    cause = connection.last_error.removeprefix(f"{title}: ")
    return Trouble(title=title, cause=cause[:1].upper() + cause[1:], remedies=remedies)
