"""Who is found by some words: the same people with and without an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connections
from django.db.models.expressions import RawSQL

from people.folding import SEARCHED, fold, search_text
from people.search_index import INDEX, TABLE, TRIGRAM, sqlite_index_stands

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from django.db.models import QuerySet

    from people.models import Person

MOST_WORDS = 32
"""Words beyond are left out: nobody types so many, and databases limit the length of a query."""
LONGEST_WORD = 6_000
"""No text of a person is longer."""


def words_of(text: str) -> list[str]:
    """The different words that are looked for, folded."""
    return list(dict.fromkeys(fold(text).split()))[:MOST_WORDS]


def search(
    people: QuerySet[Person], text: str, *, hidden: Collection[str] = ()
) -> QuerySet[Person]:
    """Those in whom every word of ``text`` is found, accents and case aside.

    ``hidden``: fields that whoever looks may not see; nobody is found by those either.
    """
    words = words_of(text)
    if not words:
        return people
    if any("\x00" in word or len(word) > LONGEST_WORD for word in words):
        return people.none()
    found = _found(people, words)
    if not set(SEARCHED) & set(hidden):
        return found
    return people.filter(pk__in=_found_openly(found, words, hidden))


def _found_openly(found: QuerySet[Person], words: list[str], hidden: Collection[str]) -> list[int]:
    """Of those found by anything, those in whom what may be seen holds every word."""
    names = [name for name in SEARCHED if name not in hidden]
    rows = found.order_by().values_list("pk", *names).iterator(chunk_size=2_000)
    return [pk for pk, *texts in rows if holds(words, texts)]


def holds(words: Iterable[str], texts: Iterable[str]) -> bool:
    """Whether every one of the folded ``words`` stands somewhere in ``texts``."""
    whole = search_text(texts)
    return all(word in whole for word in words)


def _found(people: QuerySet[Person], words: list[str]) -> QuerySet[Person]:
    vendor = connections[people.db].vendor
    if vendor == "sqlite" and sqlite_index_stands(connections[people.db]):
        return _by_fts5(people, words)
    if vendor == "postgresql":
        return _by_trigrams(people, words)
    return plain(people, words)


def plain(people: QuerySet[Person], words: list[str]) -> QuerySet[Person]:
    """Without any index: the meaning of the search."""
    for word in words:
        people = people.filter(search_text__contains=word)
    return people


def _by_fts5(people: QuerySet[Person], words: list[str]) -> QuerySet[Person]:
    """https://www.sqlite.org/fts5.html#the_trigram_tokenizer"""
    long = [word for word in words if len(word) >= TRIGRAM]
    if long:
        asked = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in long)
        found = RawSQL(f"SELECT rowid FROM {INDEX} WHERE {INDEX} MATCH %s", [asked])  # noqa: S608, S611 - constants
        people = people.filter(pk__in=found)
    return plain(people, [word for word in words if len(word) < TRIGRAM])


def _by_trigrams(people: QuerySet[Person], words: list[str]) -> QuerySet[Person]:
    """The ids first, as an array: else the planner sometimes walks the index of names instead.

    https://www.postgresql.org/docs/current/pgtrgm.html#PGTRGM-INDEX
    """
    if not any(len(word) >= TRIGRAM for word in words):
        return plain(people, words)
    escape = connections[people.db].ops.prep_for_like_query
    tests = " AND ".join(["search_text LIKE %s"] * len(words))
    found = RawSQL(  # noqa: S611 - constants; words are parameters
        f"SELECT unnest(ARRAY(SELECT id FROM {TABLE} WHERE {tests}))",  # noqa: S608 - constants
        [f"%{escape(word)}%" for word in words],
    )
    return people.filter(pk__in=found)
