"""Custom values as JSON of their field's type, whatever form they came in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from people.fields_registry import DirectoryField

LONGEST = 2_000
_NUMBER = re.compile(r"[-+]?[0-9]{1,15}([.,][0-9]{1,15})?")
_YES = frozenset({"true", "yes", "y", "1", "on"})
_NO = frozenset({"false", "no", "n", "0", "off"})


class UnfitValueError(ValueError):
    """The value is none of the field's type; the message says what would be."""


def value_of_kind(found: DirectoryField, value: Any) -> Any:
    """``value`` as the JSON value that is stored for this custom field; ``None`` for nothing.

    A date becomes ISO text, a number an int or float, yes and no a boolean, a choice the option as
    it is written. Raises :class:`UnfitValueError`.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    reader: Callable[[Any], Any] | None = {
        "number": _number,
        "date": _date,
        "boolean": _boolean,
    }.get(found.kind)
    if reader is not None:
        return reader(value)
    text = _text(value)
    return _choice(found, text) if found.kind == "choice" else text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if not isinstance(value, str | int | float):
        raise UnfitValueError("It is no plain text.")
    text = str(value).strip()
    if len(text) > LONGEST or "\x00" in text:
        raise UnfitValueError(f"Text of at most {LONGEST} characters.")
    return text


def _number(value: Any) -> Any:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        plain = value.strip().replace(",", ".")
        value = float(plain) if "." in plain else int(plain)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise UnfitValueError("Give a number, as 12 or 12.5.")
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _date(value: Any) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    try:
        return date.fromisoformat(str(value).strip()[:10]).isoformat()
    except ValueError as error:
        raise UnfitValueError("Write the date as 2026-11-24.") from error


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().casefold()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise UnfitValueError("Say yes or no.")


def _choice(found: DirectoryField, text: str) -> str:
    options = {key.casefold(): key for key, _ in found.choices}
    if text.casefold() not in options:
        raise UnfitValueError(f"One of {', '.join(key for key, _ in found.choices)}.")
    return options[text.casefold()]


_READERS: dict[str, Callable[[Any], Any]] = {
    "number": _number,
    "date": _date,
    "boolean": _boolean,
}
