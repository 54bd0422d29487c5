"""Every run to come, for people to read: live beside draft, and what changed since yesterday.

The planner's answer (:func:`workflows.engine.outlook.coming`) with names; nothing is decided here.
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db import transaction

from siit_remote.lib.collector import collector_paused
from workflows.engine.forecast import coming
from workflows.engine.planner import PlannedWorkflow, day_at, run_key
from workflows.engine.reach import load_ahead
from workflows.engine.world import planned_draft, planned_version
from workflows.models import ForecastSnapshot, Workflow
from workflows.problems import DocumentError

if TYPE_CHECKING:
    from workflows.engine.planner import Judgement

DAYS = 90
"""How far ahead the forecast looks."""
KEPT = timedelta(days=8)
LIVE, DRAFT, BOTH = "live", "draft", "both"
Slot = tuple[str, int, str, int]
"""Workflow key, person id, anchor, due moment in whole seconds since 1970."""


class Coming(NamedTuple):
    """One run to come. ``side`` tells whether the live version, the draft, or both say so.

    A tuple, because there may be hundreds of thousands.
    """

    workflow: str
    name: str
    side: str
    person_id: int
    person: str
    work_email: str
    team: str
    entity: str
    country: str
    anchor: str
    due_at: datetime
    timezone: str
    trigger: str = ""
    field: str = ""
    """The person's date that its moment tells."""

    @property
    def day(self) -> date:
        """The calendar day where it happens."""
        return day_at(self.due_at, self.timezone)

    @property
    def slot(self) -> Slot:
        """What makes it the same run on another day's forecast."""
        return self.workflow, self.person_id, self.anchor, int(self.due_at.timestamp())

    @property
    def key(self) -> str:
        """The ledger's key of the run that it will be."""
        return run_key(self.workflow, self.person_id, self.trigger, self.anchor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters; an empty one lets everything through."""

    workflow: str = ""
    text: str = ""
    team: str = ""
    entity: str = ""
    country: str = ""

    def fits(self, row: Coming) -> bool:
        """Whether the row passes every filter."""
        words = self.text.casefold().split()
        name = f"{row.person} {row.work_email}".casefold()
        return (
            self.workflow in ("", row.workflow)
            and self.team in ("", row.team)
            and self.entity in ("", row.entity)
            and self.country in ("", row.country)
            and all(word in name for word in words)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference to an earlier forecast; ``kind`` is ``added``, ``gone`` or ``moved``."""

    kind: str
    workflow: str
    person_id: int
    due_at: datetime
    was_due_at: datetime | None = None


def live_planned() -> list[PlannedWorkflow]:
    """Every live workflow that can be read, by key."""
    rows = Workflow.objects.filter(
        status=Workflow.Status.LIVE, live_version__isnull=False
    ).select_related("live_version__workflow")
    return _readable(rows.order_by("key"), draft=False, now=None)


def draft_planned(*, now: datetime) -> list[PlannedWorkflow]:
    """Every draft that can be read and is not archived, as if it went live at ``now``."""
    rows = Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).order_by("key")
    return _readable(rows, draft=True, now=now)


def _readable(
    rows: Iterable[Workflow], *, draft: bool, now: datetime | None
) -> list[PlannedWorkflow]:
    found = []
    for row in rows:
        try:
            if draft and now is not None and row.draft:
                found.append(planned_draft(row, now=now))
            elif not draft and row.live_version is not None:
                found.append(planned_version(row.live_version))
        except DocumentError:
            continue  # what cannot be read starts nothing, so that nothing of it is to come
    return found


def coming_runs(*, now: datetime, side: str = LIVE, days: int = DAYS) -> list[Coming]:
    """Every run within ``days``, soonest first: of the live versions, the drafts, or both at once.

    With ``both`` a run that live and draft agree on stands once.
    """
    live = live_planned() if side in (LIVE, BOTH) else []
    drafts = draft_planned(now=now) if side in (DRAFT, BOTH) else []
    world = load_ahead([*live, *drafts], now=now, days=days)
    with collector_paused():
        found = _rows(coming(live, world, now=now, days=days), LIVE)
        if side == LIVE:
            return found
        foretold = _rows(coming(drafts, world, now=now, days=days), DRAFT)
    if side == DRAFT:
        return foretold
    shared = {row.slot for row in found} & {row.slot for row in foretold}
    rows = [row._replace(side=BOTH) if row.slot in shared else row for row in found]
    rows += [row for row in foretold if row.slot not in shared]
    return sorted(rows, key=lambda row: (row.due_at, row.workflow, row.person_id, row.side))


def _rows(found: Iterable[Judgement], side: str) -> list[Coming]:
    rows = []
    for workflow, occurrence, person, *_ in found:
        facts = person.facts
        rows.append(
            Coming(
                workflow.key,
                workflow.document.name or workflow.key,
                side,
                person.id,
                person.label,
                person.work_email,
                str(facts.get("person.team") or ""),
                str(facts.get("person.legal_entity") or ""),
                person.country,
                occurrence.anchor,
                occurrence.due_at,
                occurrence.timezone,
                workflow.document.trigger.type,
                workflow.anchor_field,
            )
        )
    return rows


def rows_open_to(rows: Iterable[Coming], *, hidden: Collection[str]) -> list[Coming]:
    """``rows`` for a reader from whom fields are ``hidden``.

    A run on such a date would tell it, so it is left out; other hidden values are blank.
    """
    blank: dict[str, Any] = {
        column: ""
        for column, field in (("team", "team"), ("entity", "legal_entity"), ("country", "country"))
        if field in hidden
    }
    told = (row for row in rows if row.field not in hidden)
    return [row._replace(**blank) for row in told] if blank else list(told)


def workflows_telling(hidden: Collection[str]) -> set[str]:
    """Keys of the live workflows whose moments tell a ``hidden`` date."""
    return {workflow.key for workflow in live_planned() if workflow.anchor_field in hidden}


def snapshot_keep(*, now: datetime) -> bool:
    """Keep the forecast of this UTC day, once; drop last week's. False when it was kept already."""
    day = now.astimezone(UTC).date()
    if ForecastSnapshot.objects.filter(day=day).exists():
        return False
    packed = snapshot_pack(row.slot for row in coming_runs(now=now))
    with transaction.atomic():
        _, made = ForecastSnapshot.objects.get_or_create(
            day=day, defaults={"taken_at": now, "packed": packed}
        )
        ForecastSnapshot.objects.filter(day__lt=day - KEPT).delete()
    return made


def snapshot_pack(slots: Iterable[Slot]) -> bytes:
    """Slots grouped by workflow, as compressed JSON."""
    grouped: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    for workflow, person, anchor, due in slots:
        grouped[workflow].append((person, anchor, due))
    return zlib.compress(json.dumps(grouped, separators=(",", ":")).encode(), 6)


def snapshot_unpack(packed: bytes) -> set[Slot]:
    """The inverse of :func:`snapshot_pack`."""
    grouped = json.loads(zlib.decompress(packed))
    return {
        (workflow, person, anchor, due)
        for workflow, rows in grouped.items()
        for person, anchor, due in rows
    }


def snapshot_before(day: date) -> ForecastSnapshot | None:
    """The newest forecast that was kept on an earlier day."""
    return ForecastSnapshot.objects.filter(day__lt=day).order_by("-day").first()


def changes_since(
    snapshot: ForecastSnapshot, rows: Iterable[Coming], *, now: datetime
) -> list[Change]:
    """What was foretold then and is not now, and the reverse, soonest first.

    Moments that have come since are no difference, nor is the day that entered the horizon.
    """
    begin, end = now.timestamp(), (snapshot.taken_at + timedelta(days=DAYS)).timestamp()
    before = {slot for slot in snapshot_unpack(bytes(snapshot.packed)) if begin < slot[3] <= end}
    after = {row.slot for row in rows if begin < row.due_at.timestamp() <= end}
    gone, added = _by_pair(before - after), _by_pair(after - before)
    found: list[Change] = []
    for pair in gone.keys() | added.keys():
        old, new = sorted(gone.get(pair, [])), sorted(added.get(pair, []))
        moved = list(zip(old, new, strict=False))
        found += [_change("moved", pair, due, was) for was, due in moved]
        found += [_change("gone", pair, due) for due in old[len(moved) :]]
        found += [_change("added", pair, due) for due in new[len(moved) :]]
    return sorted(found, key=lambda item: (item.due_at, item.workflow, item.person_id))


def _by_pair(slots: Iterable[Slot]) -> dict[tuple[str, int], list[int]]:
    pairs: dict[tuple[str, int], list[int]] = defaultdict(list)
    for workflow, person, _, due in slots:
        pairs[workflow, person].append(due)
    return pairs


def _change(kind: str, pair: tuple[str, int], due: int, was: int | None = None) -> Change:
    return Change(
        kind=kind,
        workflow=pair[0],
        person_id=pair[1],
        due_at=datetime.fromtimestamp(due, UTC),
        was_due_at=datetime.fromtimestamp(was, UTC) if was is not None else None,
    )
