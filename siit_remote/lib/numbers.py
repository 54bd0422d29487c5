"""Numbers of rows as they come in from outside."""

from __future__ import annotations

from collections.abc import Iterable

_LARGEST = 2**63 - 1
_DIGITS = 19


def row_numbers(texts: Iterable[str], *, most: int) -> list[int]:
    """Those of ``texts`` that can be the number of a row, at most ``most``; no others."""
    found: list[int] = []
    for text in texts:
        if len(found) == most:
            break
        if text.isascii() and text.isdigit() and len(text) <= _DIGITS:
            number = int(text)
            if number <= _LARGEST:
                found.append(number)
    return found
