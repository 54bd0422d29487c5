"""Where values come from, in words: the connections that deliver people, oldest first.

The directory knows no connections. Whoever does says so once, at start-up, by
:func:`sources_provide`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from people.plan import FROM_COUNTRY, INFERRED, MANUAL

_WORDS: Mapping[str, str] = {
    MANUAL: "Set by hand",
    INFERRED: "Inferred",
    FROM_COUNTRY: "From the country",
    "derived": "Worked out",
    "dates": "By the dates",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceInfo:
    """One connection that may deliver people. ``category`` is its section of the catalogue."""

    key: str
    name: str
    category: str = ""


_reading: list[Callable[[str], str]] = []
_providers: list[Callable[[], Sequence[SourceInfo]]] = []


def sources_provide(provider: Callable[[], Sequence[SourceInfo]]) -> None:
    """Remember who can say which connections deliver people; called once, at start-up."""
    if provider not in _providers:
        _providers.append(provider)


def reading_provide(words: Callable[[str], str]) -> None:
    """Remember who can say how far the reading of a source's custom values has come."""
    if words not in _reading:
        _reading.append(words)


def reading_words(source: str) -> str:
    """How far the reading of a source's custom values has come; blank where nobody knows."""
    return " ".join(words(source) for words in _reading).strip()


def sources_connected() -> tuple[SourceInfo, ...]:
    """Every connection that delivers people, the oldest first."""
    found = {info.key: info for provider in _providers for info in provider()}
    return tuple(found.values())


def source_words(key: str, names: Mapping[str, str]) -> str:
    """The words for the source of a value; ``names`` as :func:`source_names` gives them."""
    return names.get(key) or _WORDS.get(key) or key


def source_names() -> dict[str, str]:
    """Key of each connection that delivers people → its name."""
    return {info.key: info.name for info in sources_connected()}
