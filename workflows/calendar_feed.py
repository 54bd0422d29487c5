"""The forecast as a calendar that other programmes subscribe to, under a secret address."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from django.db import transaction
from icalendar import Calendar, Event, vDatetime
from icalendar.parser import escape_char, foldline

from people.identity import fields_hidden_from
from people.selectors import people_visible_to
from siit_remote.audit.services import record
from siit_remote.lib.throttle import Throttle
from workflows.category_rights import rights_of
from workflows.forecasting import Coming, coming_runs, rows_open_to
from workflows.models import CalendarFeed

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User

OTHERS = ("workflows.view_run", "people.view_person")
RIGHTS = ("workflows.view_workflow", *OTHERS)
"""Without these the forecast cannot be seen, on a page or as a calendar."""
READS_PER_HOUR = 60
MISSES_PER_HOUR = 20
_READS = Throttle(name="calendar", most=READS_PER_HOUR, seconds=3600)
_MISSES = Throttle(name="calendar-miss", most=MISSES_PER_HOUR, seconds=3600)
_LENGTH = timedelta(minutes=15)


class TooOftenError(Exception):
    """The address (or, for addresses that do not exist, the reader) asks too often."""


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def feed_of(user: AbstractBaseUser | AnonymousUser) -> CalendarFeed | None:
    """The user's own feed, to tell since when it works."""
    if user.pk is None:
        return None
    return CalendarFeed.objects.filter(user_id=user.pk).first()


def feed_create(user: User, *, now: datetime) -> str:
    """A new secret token (256 bits) for ``user``; an earlier one stops working.

    It is returned once and kept only as its hash.
    """
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        CalendarFeed.objects.filter(user=user).delete()
        CalendarFeed.objects.create(user=user, token_hash=_hash(token), created_at=now)
        _audit("calendar.created", user)
    return token


def feed_revoke(user: User) -> bool:
    """Let the user's address stop working. False when there was none."""
    with transaction.atomic():
        gone, _ = CalendarFeed.objects.filter(user=user).delete()
        if gone:
            _audit("calendar.revoked", user)
    return bool(gone)


def _audit(action: str, user: User) -> None:
    name = user.get_username()
    record(action, actor=user, object_type="user", object_key=name, object_label=name)


def feed_open(token: str, *, reader: str, now: datetime) -> CalendarFeed | None:
    """The feed of this token, if its user may still see the forecast; ``None`` tells no more.

    ``reader`` is the network address that asks. Raises :class:`TooOftenError`.
    """
    if _MISSES.spent(reader):
        raise TooOftenError
    feed = CalendarFeed.objects.select_related("user").filter(token_hash=_hash(token)).first()
    if feed is None:
        _MISSES.take(reader)
        return None
    if not _READS.take(feed.token_hash):
        raise TooOftenError
    user = feed.user
    if not user.is_active or not user.has_perms(RIGHTS):
        return None
    CalendarFeed.objects.filter(pk=feed.pk).update(last_read_at=now)
    return feed


def feed_calendar(feed: CalendarFeed, *, site: str, now: datetime) -> bytes:
    """The calendar (RFC 5545) of what the feed's user may see: who and which workflow, no more."""
    visible = set(people_visible_to(feed.user).values_list("pk", flat=True))
    found = rows_open_to(coming_runs(now=now), hidden=fields_hidden_from(feed.user))
    keys = rights_of(feed.user).keys("view")
    rows = [row for row in found if row.person_id in visible and row.workflow in keys]
    return calendar_of(rows, site=site, now=now)


def calendar_of(rows: Iterable[Coming], *, site: str, now: datetime) -> bytes:
    """``rows`` as one event each, in UTC, with the address of the page that says why."""
    calendar = Calendar()
    calendar.add("prodid", "-//Siit x Remote//Forecast//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Siit × Remote: workflows to come")
    calendar.add("refresh-interval", timedelta(hours=4), {"VALUE": "DURATION"})
    frame = calendar.to_ical()
    end = frame.rindex(b"END:VCALENDAR")
    return bytes(frame[:end] + "".join(_events(rows, site=site, now=now)).encode() + frame[end:])


def _events(rows: Iterable[Coming], *, site: str, now: datetime) -> Iterator[str]:
    """The events as the library writes them: what they share once, the rest by its own functions.

    Whole objects of it for a hundred thousand events take twenty seconds.
    """
    shared = Event()
    shared.add("duration", _LENGTH)
    shared.add("dtstamp", now)
    head, stamp, tail = _split(shared)
    shared = Event()
    shared.add("class", "PRIVATE")
    shared.add("transp", "TRANSPARENT")
    _, kind, _ = _split(shared)
    for row in rows:
        summary = foldline(f"SUMMARY:{escape_char(f'{row.name}: {row.person}')}")
        address = f"{site}/workflows/{row.workflow}/why/?person={row.person_id}"
        yield (
            f"{head}{summary}\r\nDTSTART:{_utc(row.due_at)}\r\n{stamp}"
            f"{foldline(f'UID:{row.key}@siit-remote')}\r\n{kind}"
            f"{foldline(f'URL:{address}')}\r\n{tail}"
        )


def _split(event: Event) -> tuple[str, str, str]:
    """Its first line, what stands between, and its last."""
    first, *inner, last = event.to_ical().decode().splitlines(keepends=True)
    return first, "".join(inner), last


@lru_cache(maxsize=16_384)
def _utc(moment: datetime) -> str:
    """Whole offices share theirs."""
    return str(vDatetime(moment).to_ical().decode())
