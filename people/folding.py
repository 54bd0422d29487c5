"""Texts reduced to what people compare by."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

SEARCHED = ("full_name", "preferred_name", "work_email", "job_title", "remote_id", "display_id")
"""Fields of a person that the search looks in."""
_LETTERS = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i"}
)


def fold(text: str) -> str:
    """Lower-case, without accents, single spaces: “Łukasz  Ångström” → “lukasz angstrom”."""
    if text.isascii():
        return " ".join(text.lower().split())
    # Twice: compatibility forms as 𝐀 have no lower case of their own.
    plain = unicodedata.normalize("NFKD", text.casefold()).casefold()
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(kept.translate(_LETTERS).split())


def email_key(address: str) -> str:
    """How work e-mails are compared: compatibility forms unified, lower-case, no outer space."""
    whole = address if address.isascii() else unicodedata.normalize("NFKC", address)
    found = whole.strip().lower()
    # The same object where nothing was to be done: an index of thousands holds no second text.
    return address if found == address else found


def search_text(texts: Iterable[str]) -> str:
    """What the search looks in."""
    return fold(" ".join(text for text in texts if text))


def initials_of(name: str) -> str:
    """Up to two letters for an avatar: of the first and the last word."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()
