"""Tolerant readers: any JSON becomes clean text, dates and addresses, or a flagged blank.

Nothing here raises on data. What cannot be read is blank and leaves a sentence in
:class:`Findings`, for the data problems page.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from functools import lru_cache
from sys import intern
from typing import Any

import pycountry
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from people.choices import Problem

_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})([T ].*)?", re.DOTALL)
_EDGES = "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u00ad"
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
# User-assigned codes in general use that the ISO list lacks.
_EXTRA_COUNTRIES = {"XKX": "XKX", "XK": "XKX"}


class Findings:
    """Problems of one record, each kind once, with a sentence for every case."""

    __slots__ = ("notes", "problems")

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.notes: list[str] = []

    def add(self, problem: str, note: str) -> None:
        """Flag a problem, with its sentence."""
        if problem not in self.problems:
            self.problems.append(str(problem))
        self.note(note)

    def note(self, note: str) -> None:
        """A sentence that explains a value and is no problem."""
        if note not in self.notes:
            self.notes.append(note)


def shown(value: object) -> str:
    """A raw value short and printable enough for a sentence."""
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    text = str(value)[:60] if not isinstance(value, int) else str(value % 10**15)
    return f"“{''.join(c if c.isprintable() else '�' for c in text)}”"


class Fields:
    """The fields of one JSON object. ``label`` goes before field names in notes."""

    __slots__ = ("_data", "_findings", "_label")

    def __init__(self, data: Any, findings: Findings, label: str = "") -> None:
        self._findings = findings
        self._label = label
        self._data: dict[str, Any] = data if isinstance(data, dict) else {}
        if data is not None and not isinstance(data, dict) and data != []:
            findings.add(
                Problem.BAD_VALUE, f"Remote sent {shown(data)} for {label.rstrip('.') or 'a row'}."
            )

    def raw(self, key: str) -> Any:
        """The value as it came."""
        return self._data.get(key)

    def nested(self, key: str) -> Fields:
        """An object inside; null and absent are empty."""
        return Fields(self._data.get(key), self._findings, f"{self._label}{key}.")

    def text(self, key: str, limit: int = 200) -> str:
        """Stripped text of at most ``limit`` characters without control characters."""
        value = self._data.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            self._bad(key, value)
            return ""
        if len(value) <= limit and value.isprintable():
            # Thousands of workers share few titles, teams, managers and statuses.
            return intern(value.strip())
        return self._cleaned(key, value, limit)

    def identifier(self, key: str, limit: int = 128) -> str:
        """A stable id: text or whole number, never cut; ``""`` where it cannot be one."""
        value = self._data.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
            return str(value)
        if isinstance(value, str) and value.isprintable() and len(value.strip()) <= limit:
            return intern(value.strip())
        if value is not None:
            self._bad(key, value)
        return ""

    def word(self, key: str) -> str:
        """A value of an open vocabulary, lower-case."""
        return self.text(key, 60).lower()

    def day(self, key: str, *, private: bool = False) -> date | None:
        """The calendar date as written, from a date or a date and time."""
        value = self._data.get(key)
        if value is None or value == "":
            return None
        found = read_day(value) if isinstance(value, str) else None
        if found is None:
            self._bad(key, value, private=private)
        return found

    def email(self, key: str, *, private: bool = False) -> str:
        """A valid address, lower-case and NFKC; an invalid one is blank and noted.

        What is ``private`` is noted without its value.
        """
        value = self._data.get(key)
        if value is None or value == "":
            return ""
        found = read_email(value) if isinstance(value, str) and len(value) <= 1000 else ""
        if not found:
            said = "its value is not shown here" if private else shown(value)
            self._findings.add(
                Problem.BAD_VALUE,
                f"{self._label}{key} is no valid e-mail address: {said}. It is left out.",
            )
        return found

    def _bad(self, key: str, value: object, *, private: bool = False) -> None:
        said = "its value is not shown here" if private else shown(value)
        self._findings.add(
            Problem.BAD_VALUE, f"{self._label}{key} cannot be read: {said}. It is left out."
        )

    def _cleaned(self, key: str, value: str, limit: int) -> str:
        text = "".join(_storable(c) for c in value[: 4 * limit])
        if "\ufffd" in text and "\ufffd" not in value:
            text = text.replace("\ufffd", "")
            self._findings.add(
                Problem.BAD_VALUE,
                f"{self._label}{key} held characters that cannot be stored; they are left out.",
            )
        text = " ".join(text.split(" ")).strip()
        if len(text) > limit or len(value) > 4 * limit:
            self._findings.add(
                Problem.BAD_VALUE,
                f"{self._label}{key} is {len(value)} characters long; it is cut at {limit}.",
            )
        return text[:limit].strip()


def _storable(character: str) -> str:
    if character.isprintable():
        return character
    category = unicodedata.category(character)
    if category in {"Zs", "Zl", "Zp"} or character in "\t\n\r":
        return " "
    # Joiners and direction marks are part of names and of emoji; controls, NUL and lone
    # surrogates cannot be stored by databases.
    return character if category in {"Cf", "Co", "Cn"} else "\ufffd"


@lru_cache(maxsize=20_000)
def read_day(text: str) -> date | None:
    """The calendar date in a date or date-and-time text; ``None`` if it is none we can use.

    A time is checked and dropped: Remote means days, and writes some of them as midnight.
    """
    text = text.strip()
    match = _DATE.fullmatch(text) if len(text) <= 40 else None
    if match is None:
        return None
    try:
        found = datetime.fromisoformat(text).date() if match[2] else date.fromisoformat(match[1])
    except ValueError:
        return None
    return found if _FIRST_YEAR <= found.year <= _LAST_YEAR else None


def read_email(text: str) -> str:
    """The address in one spelling: NFKC, lower-case; ``""`` if it is none."""
    found = unicodedata.normalize("NFKC", text).strip().strip(_EDGES).strip().lower()
    if len(found) > 254:
        return ""
    try:
        validate_email(found)
    except ValidationError:
        return ""
    return found


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    found = dict(_EXTRA_COUNTRIES)
    for country in pycountry.countries:
        found[country.alpha_3] = found[country.alpha_2] = country.alpha_3
    return found


def read_country(text: str) -> str:
    """ISO 3166-1 alpha-3 for an alpha-3 or alpha-2 code; ``""`` for an unknown one."""
    return _countries().get(text.strip().upper(), "")
