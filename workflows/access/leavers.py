"""Who leaves or has left, what is still open for them, and how long it took.

The clock starts when the last day ends where the person lives (midnight at its end) and stops with
the last thing that was taken away. What was taken away before counts as nought minutes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median
from typing import TYPE_CHECKING

from django.db.models import Count, Exists, Max, OuterRef, Q

from integrations.models import Account, AppAccess, Application, ReportedAccess
from people.choices import PersonStatus
from people.defaults import workspace_get
from people.models import Person
from people.zones import single_zone
from workflows.models import Run
from workflows.timing import zone_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

OPEN, COMPLETE, OVERDUE = "open", "complete", "overdue"
WORDS: Mapping[str, str] = {
    OVERDUE: "Overdue",
    OPEN: "Still here",
    COMPLETE: "Complete",
}
LOOKED_BACK = timedelta(days=365)
"""So far back the list reaches; the evidence of one person does not end there."""
COUNTED = timedelta(days=90)
"""Whose last day lies no further back counts for the figure."""
_END_DATE = "person.end_date"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaver:
    """One person who leaves. ``minutes``: from the end of the last day to the last thing taken.

    ``minutes`` is nought where all was gone before, ``None`` while something is open and where
    there was nothing to take away; then ``open_minutes`` say how long it has been open.
    """

    person_id: int
    last_day: date
    ends_at: datetime
    state: str
    still_open: int
    minutes: int | None
    open_minutes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The figure over all whose last day lies within :data:`COUNTED`. All in minutes."""

    leavers: int
    median: int | None
    worst: int | None
    overdue: int
    longest_overdue: int | None


def last_day_ends(last_day: date, *, zone: str) -> datetime:
    """The moment the last day is over in ``zone``."""
    return datetime.combine(last_day + timedelta(days=1), time(0), zone_of(zone))


def leaving_people(*, today: date) -> QuerySet[Person]:
    """Everybody with a last day from a year ago on, who leaves or has left."""
    return Person.objects.filter(
        status__in=[PersonStatus.OFFBOARDING, PersonStatus.ENDED],
        end_date__gte=today - LOOKED_BACK,
    )


def leavers(people: QuerySet[Person], *, now: datetime) -> list[Leaver]:
    """How each of them stands; the newest last day first. Six queries, whoever many they are."""
    rows = list(
        people.filter(end_date__isnull=False)
        .order_by("-end_date", "pk")
        .values_list("pk", "end_date", "timezone", "country", "legal_entity__timezone")
    )
    default = workspace_get().timezone
    open_now, last = _still_open(people), _last_taken(people)
    found: list[Leaver] = []
    for pk, last_day, zone, country, entity in rows:
        if last_day is None:
            continue
        zone = zone or single_zone(country) or entity or default
        ends_at = last_day_ends(last_day, zone=zone)
        found.append(
            _leaver(
                pk, last_day, ends_at, still_open=open_now.get(pk, 0), last=last.get(pk), now=now
            )
        )
    return found


def leaver_of(person: Person, *, now: datetime) -> Leaver | None:
    """One person; ``None`` for who has no last day."""
    return next(iter(leavers(Person.objects.filter(pk=person.pk), now=now)), None)


def _leaver(
    pk: int,
    last_day: date,
    ends_at: datetime,
    *,
    still_open: int,
    last: datetime | None,
    now: datetime,
) -> Leaver:
    over = OVERDUE if still_open else COMPLETE
    state = OPEN if now < ends_at else over
    took = None
    if state == COMPLETE and last is not None:
        took = max(0, int((last - ends_at).total_seconds() // 60))
    return Leaver(
        person_id=pk,
        last_day=last_day,
        ends_at=ends_at,
        state=state,
        still_open=still_open,
        minutes=took,
        open_minutes=int((now - ends_at).total_seconds() // 60) if state == OVERDUE else None,
    )


def _still_open(people: QuerySet[Person]) -> dict[int, int]:
    """Person → how many doors are open: recorded, reported and unrecorded, accounts, held runs."""
    ids = people.order_by().values("pk")
    found: dict[int, int] = {}
    for rows in (
        AppAccess.objects.filter(AppAccess.HELD, person__in=ids),
        open_reports().filter(person__in=ids),
        Account.objects.filter(active=True, person__in=ids),
        Run.objects.filter(status=Run.Status.HELD, trigger=_END_DATE, person__in=ids),
    ):
        counted = rows.order_by().values("person_id").annotate(number=Count("pk"))
        for pk, number in counted.values_list("person_id", "number"):
            found[pk] = found.get(pk, 0) + number
    return found


def open_reports() -> QuerySet[ReportedAccess]:
    """What connections report and nobody wrote down; an account of its own only while active."""
    written_down = AppAccess.objects.filter(
        application=OuterRef("application"), person=OuterRef("person")
    ).exclude(state=AppAccess.State.REVOKED)
    asleep = Q(active=False, application__provision_by=Application.Provision.ACCOUNT)
    return ReportedAccess.objects.filter(
        ~Exists(written_down), gone_at__isnull=True, person__isnull=False
    ).exclude(asleep)


def _last_taken(people: QuerySet[Person]) -> dict[int, datetime]:
    """Person → when the last thing was taken away."""
    ids = people.order_by().values("pk")
    found: dict[int, datetime] = {}
    taken = AppAccess.objects.filter(state=AppAccess.State.REVOKED, person__in=ids)
    asleep = Account.objects.filter(active=False, person__in=ids)
    for rows, moment in ((taken, "ended_at"), (asleep, "changed_at")):
        latest = rows.order_by().values("person_id").annotate(latest=Max(moment))
        for pk, at in latest.values_list("person_id", "latest"):
            if at is not None and (pk not in found or at > found[pk]):
                found[pk] = at
    return found


def fleet(found: Iterable[Leaver], *, today: date) -> Fleet:
    """The figure over those whose last day is over and not too long ago."""
    counted = [one for one in found if one.state != OPEN and one.last_day >= today - COUNTED]
    took = [one.minutes for one in counted if one.minutes is not None]
    late = [one.open_minutes for one in counted if one.open_minutes is not None]
    return Fleet(
        leavers=len(counted),
        median=int(median(took)) if took else None,
        worst=max(took, default=None),
        overdue=len(late),
        longest_overdue=max(late, default=None),
    )


def minutes_words(minutes: int | None) -> str:
    """“12 min”, “3 h 05 min”, “2 d 4 h”; a dash for none."""
    if minutes is None:
        return "–"
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {rest:02d} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h"
