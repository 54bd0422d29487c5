"""The query of the list's address: which parts of it make a view."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from people.list_filters import FILTERS

TAB = "tab"
VIEW = "view"
_LONGEST = 2_000


def _names() -> frozenset[str]:
    found = {TAB, "q", "o"}
    for one in FILTERS:
        found.update(getattr(one, "names", None) or [getattr(one, "parameter_name", "")])
    return frozenset(found - {""})


KEPT = _names()
"""Names that decide who is listed and in which order; a page number does not."""


def query_clean(text: str) -> str:
    """Only what makes a view, each name once, in a fixed order.

    Raises ``ValueError`` for one that is too long to be kept.
    """
    pairs = {name: value for name, value in parse_qsl(text.lstrip("?")) if name in KEPT}
    query = urlencode(sorted(pairs.items()))
    if len(query) > _LONGEST:
        raise ValueError("The filters are too long to be saved. Shorten the search.")
    return query
