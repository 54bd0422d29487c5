"""The schedules of the installation: which exist, and whether a stored row can be read.

One row that cannot be parsed stops *every* schedule of django-q2 (its scheduler is one transaction
over all rows), so rows are only written from here and are checked by ``doctor``.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils.module_loading import import_string
from django_q.models import Schedule

if TYPE_CHECKING:
    from datetime import datetime

PREFIX: Final = "siit: "


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One schedule of ours: ``func`` (dotted) is called every ``minutes``."""

    name: str
    func: str
    minutes: int


SCHEDULES: Final = (
    Planned(name="siit: run what is due", func="siit_remote.tasks.run_due", minutes=1),
    Planned(name="siit: show decisions in chats", func="siit_remote.tasks.refresh_chat", minutes=1),
    Planned(name="siit: heartbeat", func="siit_remote.tasks.heartbeat", minutes=1),
    Planned(name="siit: sync what is due", func="integrations.tasks.sync_connections", minutes=5),
    Planned(
        name="siit: read custom fields", func="integrations.tasks.read_custom_fields", minutes=10
    ),
    Planned(name="siit: read who has access", func="integrations.tasks.read_access", minutes=15),
    Planned(name="siit: look after access", func="siit_remote.tasks.look_after_access", minutes=60),
    Planned(name="siit: count what differs", func="siit_remote.tasks.count_drift", minutes=1),
    Planned(name="siit: refresh statuses", func="people.tasks.refresh_statuses", minutes=10),
    Planned(name="siit: keep the forecast", func="siit_remote.tasks.keep_forecast", minutes=60),
    Planned(name="siit: look for gaps", func="siit_remote.tasks.look_for_gaps", minutes=15),
    Planned(name="siit: note the log's end", func="siit_remote.tasks.note_audit_end", minutes=15),
    Planned(name="siit: remind of tasks", func="siit_remote.tasks.watch_tasks", minutes=5),
    Planned(name="siit: watch shipments", func="siit_remote.tasks.watch_shipments", minutes=5),
    Planned(name="siit: forget what is old", func="siit_remote.tasks.forget_old", minutes=24 * 60),
    Planned(name="siit: follow bounces", func="siit_remote.tasks.follow_bounces", minutes=5),
    Planned(name="siit: watch outages", func="siit_remote.tasks.watch_outages", minutes=5),
    Planned(name="siit: watch staleness", func="siit_remote.tasks.watch_staleness", minutes=15),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Names of rows by what was done with them."""

    created: list[str]
    updated: list[str]
    unchanged: list[str]
    removed: list[str]

    def to_data(self) -> dict[str, list[str]]:
        """As ``setup_schedules --json`` prints it."""
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "removed": self.removed,
        }


def _values(planned: Planned) -> dict[str, Any]:
    return {
        "func": planned.func,
        "schedule_type": Schedule.MINUTES,
        "minutes": planned.minutes,
        "repeats": -1,
        "args": None,
        "kwargs": None,
        "hook": None,
        "cluster": None,
        "intended_date_kwarg": None,
    }


def schedules_set_up(*, now: datetime) -> Report:
    """Make our rows exactly :data:`SCHEDULES`; rows of others stay. First run at ``now`` (UTC).

    Raises ``ImportError`` for a function that does not exist, before anything is written.
    """
    for planned in SCHEDULES:
        import_string(planned.func)
    report = Report(created=[], updated=[], unchanged=[], removed=[])
    with transaction.atomic():
        for planned in SCHEDULES:
            rows = list(Schedule.objects.filter(name=planned.name).order_by("pk"))
            Schedule.objects.filter(pk__in=[row.pk for row in rows[1:]]).delete()
            values = _values(planned)
            if not rows:
                Schedule.objects.create(name=planned.name, next_run=now, **values)
                report.created.append(planned.name)
            elif any(getattr(rows[0], field) != value for field, value in values.items()):
                # A row that could not run may have a next run far away or none.
                Schedule.objects.filter(pk=rows[0].pk).update(next_run=now, **values)
                report.updated.append(planned.name)
            else:
                report.unchanged.append(planned.name)
        gone = Schedule.objects.filter(name__startswith=PREFIX).exclude(
            name__in=[planned.name for planned in SCHEDULES]
        )
        report.removed.extend(sorted(gone.values_list("name", flat=True)))
        gone.delete()
    return report


def schedule_problem(row: Schedule) -> str:
    """Why the scheduler would stumble over ``row``; empty when it would not."""
    try:
        import_string(row.func)
    except ImportError:
        return f"there is no function {row.func}"
    if row.args:
        try:
            ast.literal_eval(row.args)
        except (SyntaxError, ValueError):
            return "its arguments cannot be read"
    if row.kwargs:
        try:
            ast.parse(row.kwargs if row.kwargs.lstrip().startswith("{") else f"f({row.kwargs})")
        except SyntaxError:
            return "its keyword arguments cannot be read"
    if row.next_run is None:
        return "it has no next run"
    return ""


def schedules_missing() -> list[str]:
    """Names of our schedules that have no row."""
    present = set(Schedule.objects.filter(name__startswith=PREFIX).values_list("name", flat=True))
    return [planned.name for planned in SCHEDULES if planned.name not in present]
