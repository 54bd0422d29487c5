"""Gaps as they were found last: looked for in the background, so that the page opens at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache

from people.models import Person
from workflows.gaps import Gap, Link, gaps_find

EVERY = timedelta(minutes=15)
"""How often they are looked for."""
_KEY = "siit:gaps-found:2"
_KEPT = int((2 * EVERY).total_seconds())


@dataclass(frozen=True, slots=True, kw_only=True)
class GapsFound:
    """Every gap, and when it was looked (UTC)."""

    at: datetime
    gaps: tuple[Gap, ...]


def gaps_look(*, now: datetime) -> GapsFound:
    """Look now, and remember what is found."""
    found = GapsFound(at=now, gaps=tuple(gaps_find(now=now)))
    rows = [
        (
            str(gap.kind),
            gap.words,
            gap.person.pk if gap.person is not None else None,
            gap.on,
            gap.workflow,
            gap.also,
            [(link.words, link.url_name, link.args) for link in gap.links],
        )
        for gap in found.gaps
    ]
    cache.set(_KEY, (now, rows), timeout=_KEPT)
    return found


def gaps_known(*, now: datetime) -> GapsFound:
    """What was found last, at most half an hour ago; else it is looked for now."""
    kept = cache.get(_KEY)
    if kept is None or not now - 2 * EVERY <= kept[0] <= now:
        return gaps_look(now=now)
    at, rows = kept
    people = Person.objects.select_related("team").in_bulk(
        [person for _, _, person, *_ in rows if person is not None]
    )
    gaps = tuple(
        Gap(
            kind=kind,
            words=words,
            person=people.get(person),
            on=on,
            workflow=workflow,
            also=also,
            links=tuple(Link(*link) for link in links),
        )
        for kind, words, person, on, workflow, also, links in rows
        # Who was erased since is no gap any more.
        if person is None or person in people
    )
    return GapsFound(at=at, gaps=gaps)


def gaps_count(*, now: datetime) -> int:
    """How many, for the first page."""
    return len(gaps_known(now=now).gaps)
