"""The forecast: what is to come within ninety days, as a month, a list, a file and a calendar."""

from __future__ import annotations

import calendar
import csv
import io
from collections import Counter
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from people.export import csv_cell
from people.identity import fields_hidden_from
from people.models import LegalEntity, Person, Team
from people.selectors import people_visible_to
from siit_remote.access import require
from siit_remote.lib import clock
from siit_remote.often import EXPORTS, not_too_often
from workflows.approval_rehearsal import approvers_asked
from workflows.calendar_feed import RIGHTS, feed_of
from workflows.category_rights import rights_of
from workflows.fields import FIELDS
from workflows.forecasting import (
    BOTH,
    DAYS,
    DRAFT,
    LIVE,
    Change,
    Coming,
    Wanted,
    changes_since,
    coming_runs,
    rows_open_to,
    snapshot_before,
    workflows_telling,
)
from workflows.models import Workflow
from workflows.timing import zone_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

_PAGE = 50
_IN_A_CELL = 3
SIDES = ((LIVE, "Live versions"), (DRAFT, "Drafts, as if live"), (BOTH, "Live and drafts together"))
VIEWS = (("calendar", "Calendar"), ("list", "List"), ("changes", "Changed since yesterday"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One day of the month: how many runs, of which workflows."""

    day: date
    inside: bool
    today: bool
    total: int
    names: tuple[tuple[str, int], ...]
    more: int
    url: str


def _wanted(request: HttpRequest) -> Wanted:
    get = request.GET.get
    return Wanted(
        workflow=get("workflow", ""),
        text=get("q", "")[:200],
        team=get("team", ""),
        entity=get("entity", ""),
        country=get("country", ""),
    )


def _visible(
    user: AbstractBaseUser | AnonymousUser, rows: Iterable[Coming], wanted: Wanted
) -> list[Coming]:
    """Rows by the filters, about people the user may see."""
    seen = set(people_visible_to(user).values_list("pk", flat=True))
    told = rows_open_to(rows, hidden=fields_hidden_from(user))
    keys = rights_of(user).keys("view")
    return [
        row for row in told if row.person_id in seen and row.workflow in keys and wanted.fits(row)
    ]


def _side(request: HttpRequest) -> str:
    side = request.GET.get("side", LIVE)
    return side if side in dict(SIDES) else LIVE


@require_GET
@require(*RIGHTS)
def forecast_page(request: HttpRequest) -> HttpResponse:
    """A month at a time, a list with everything, or what changed since yesterday."""
    now = clock.now()
    view = request.GET.get("view", "calendar")
    view = view if view in dict(VIEWS) else "calendar"
    wanted = _wanted(request)
    rows = _visible(request.user, coming_runs(now=now, side=_side(request)), wanted)
    context: dict[str, Any] = {
        "view": view,
        "tabs": _tabs(request, view),
        "total": len(rows),
        "days": DAYS,
        "wanted": wanted,
        "side": _side(request),
        "sides": SIDES,
        "filtered": wanted != Wanted() or _side(request) != LIVE,
        "feed": feed_of(request.user),
        "csv_url": f"{reverse('forecast-csv')}?{request.GET.urlencode()}",
        **_choices(request.user),
    }
    if view == "calendar":
        context |= _month(request, rows, now=now)
    elif view == "list":
        context |= _list(request, rows, now=now)
    else:
        context |= _changed(request, wanted, now=now)
    return render(request, "workflows/forecast.html", context)


def _choices(user: AbstractBaseUser | AnonymousUser) -> dict[str, Any]:
    used = set(Person.objects.values_list("country", flat=True).distinct())
    countries = [pair for pair in FIELDS["person.country"].choices if pair[0] in used]
    return {
        "workflows": rights_of(user).open(
            "view", Workflow.objects.exclude(status="archived").order_by("name")
        ),
        "teams": Team.objects.order_by("name"),
        "entities": LegalEntity.objects.order_by("name"),
        "countries": sorted(countries, key=lambda pair: pair[1]),
    }


def _tabs(request: HttpRequest, view: str) -> list[dict[str, Any]]:
    return [
        {"label": label, "url": _url(request, view=key), "current": key == view, "count": None}
        for key, label in VIEWS
    ]


def _url(request: HttpRequest, **changes: str) -> str:
    query = request.GET.copy()
    for name in ("page", "day"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    return f"?{query.urlencode()}"


def _today(now: datetime) -> date:
    return now.astimezone(UTC).date()


def _month_asked(request: HttpRequest, *, now: datetime) -> date:
    """The first day of the month in the address, within the horizon; else this month."""
    first = _today(now).replace(day=1)
    try:
        asked = date.fromisoformat(f"{request.GET.get('month', '')}-01")
    except ValueError:
        return first
    months = (asked.year - first.year) * 12 + asked.month - first.month
    return asked if 0 <= months <= 4 else first


def _month(request: HttpRequest, rows: list[Coming], *, now: datetime) -> dict[str, Any]:
    first = _month_asked(request, now=now)
    by_day: dict[date, Counter[str]] = {}
    for row in rows:
        by_day.setdefault(row.day, Counter())[row.name] += 1
    weeks = [
        [_cell(request, day, first, by_day.get(day, Counter()), now=now) for day in week]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]
    months = sorted({first, _today(now).replace(day=1), *(day.replace(day=1) for day in by_day)})
    return {
        "weeks": weeks,
        "first": first,
        "months": [
            {
                "label": month,
                "current": month == first,
                "count": sum(
                    sum(counts.values())
                    for day, counts in by_day.items()
                    if day.replace(day=1) == month
                ),
                "url": _url(request, view="calendar", month=f"{month:%Y-%m}"),
            }
            for month in months
        ],
        "busy": sum(cell.total for week in weeks for cell in week if cell.inside),
    }


def _cell(
    request: HttpRequest, day: date, first: date, counts: Counter[str], *, now: datetime
) -> Cell:
    common = counts.most_common()
    return Cell(
        day=day,
        inside=day.month == first.month,
        today=day == _today(now),
        total=sum(counts.values()),
        names=tuple(common[:_IN_A_CELL]),
        more=max(len(common) - _IN_A_CELL, 0),
        url=f"{_url(request, view='list')}&day={day.isoformat()}",
    )


def _list(request: HttpRequest, rows: list[Coming], *, now: datetime) -> dict[str, Any]:
    chosen: date | None = None
    with suppress(ValueError):
        chosen = date.fromisoformat(request.GET.get("day", ""))
    listed = [row for row in rows if chosen is None or row.day == chosen]
    page = Paginator(listed, _PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    people = Person.objects.in_bulk([row.person_id for row in shown])
    teams = Team.objects.in_bulk({person.team_id for person in people.values() if person.team_id})
    for person in people.values():
        if person.team_id:
            person.team = teams[person.team_id]
    asked = approvers_asked(shown, now=now)
    return {
        "page": page,
        "day": chosen,
        "all_days": _url(request, view="list"),
        "rows": [
            {"row": row, "person": people.get(row.person_id), "asked": asked.get(row.slot, ())}
            for row in shown
        ],
    }


def _changed(request: HttpRequest, wanted: Wanted, *, now: datetime) -> dict[str, Any]:
    """Against the forecast kept on the day before; only the live versions were kept."""
    snapshot = snapshot_before(_today(now))
    if snapshot is None:
        return {"snapshot": None, "changes": []}
    live = coming_runs(now=now)
    found = changes_since(snapshot, live, now=now)
    people = {
        person.pk: person
        for person in people_visible_to(request.user)
        .filter(pk__in={item.person_id for item in found})
        .select_related("team", "legal_entity")
    }
    names = dict(Workflow.objects.values_list("key", "name"))
    hidden = fields_hidden_from(request.user)
    veiled = workflows_telling(hidden)
    names = {key: names[key] for key in rights_of(request.user).keys("view") if key in names}
    shown = [
        item
        for item in found
        if item.person_id in people
        and item.workflow not in veiled
        and item.workflow in names
        and _change_fits(item, people[item.person_id], wanted, hidden=hidden)
    ]
    rows = [
        {"change": item, "person": people[item.person_id], "name": names.get(item.workflow, "")}
        for item in shown
    ]
    page = Paginator(rows, _PAGE).get_page(request.GET.get("page"))
    return {
        "snapshot": snapshot,
        "page": page,
        "changes": page.object_list,
        "counts": Counter(item.kind for item in shown),
    }


def _change_fits(item: Change, person: Person, wanted: Wanted, *, hidden: Collection[str]) -> bool:
    told = rows_open_to(
        [Coming(
            workflow=item.workflow, name="", side=LIVE, person_id=person.pk,
            person=person.full_name, work_email=person.work_email,
            team=person.team.name if person.team else "",
            entity=person.legal_entity.name if person.legal_entity else "",
            country=person.country, anchor="", due_at=item.due_at, timezone="UTC",
        )],
        hidden=hidden,
    )  # fmt: skip
    return any(wanted.fits(row) for row in told)


@require_GET
@require(*RIGHTS)
@not_too_often(EXPORTS)
def forecast_csv(request: HttpRequest) -> HttpResponse:
    """The list by the same filters as a file; cells that a spreadsheet would run are disarmed."""
    rows = _visible(
        request.user, coming_runs(now=clock.now(), side=_side(request)), _wanted(request)
    )
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(
        ["workflow", "version", "person", "work_email", "team", "legal_entity", "country",
         "due_utc", "due_local", "timezone", "for"]
    )  # fmt: skip
    for row in rows:
        local = row.due_at.astimezone(zone_of(row.timezone))
        cells = [
            row.name, row.side, row.person, row.work_email, row.team, row.entity, row.country,
            f"{row.due_at:%Y-%m-%dT%H:%M:%SZ}", f"{local:%Y-%m-%dT%H:%M:%S}", row.timezone,
            row.anchor,
        ]  # fmt: skip
        writer.writerow([csv_cell(cell) for cell in cells])
    return HttpResponse(
        buffer.getvalue(),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="forecast.csv"'},
    )
