"""What each page of the set-up shows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

from integrations.connectors.base import CONNECTORS, FieldNote, MapsFields
from integrations.models import Connection, SyncRun
from integrations.setup_mapping import judging_since
from people.choices import PersonStatus, WorkerType
from people.fields_registry import BUILT_IN
from siit_remote.lib import clock, lease

if TYPE_CHECKING:
    from collections.abc import Iterable

LABELS = {field.key: field.label for field in BUILT_IN} | {
    "contract_status_raw": "Status at the source"
}
STEPS = ("Token", "Authorize", "Review", "Finish")
_FINISHING_FOR = timedelta(minutes=10)
_KINDS = {
    "no_email": ("No work email", "Add the work email in Remote, then read people again."),
    "other": ("Cannot come in", "Read the reason; most are mended in Remote."),
    "duplicate": ("Duplicates", "One person per work email: nothing to do."),
    "ended": ("Ended", "Only active and upcoming contracts sync by default."),
}
Status = SyncRun.Status


UNFINISHED = (Connection.Status.DRAFT, Connection.Status.READY)
"""Tested, with people to come: an identity provider already works for accounts meanwhile."""


def stage_of(connection: Connection, review: SyncRun | None, *, now: datetime) -> str:
    """token, waiting, reading, failed, judging, review, finishing or done."""
    if connection.finished_at is not None:
        return "done"
    if connection.status not in UNFINISHED or not connection.account:
        return "token"
    if review is None:
        return "waiting"
    if review.status == Status.RUNNING:
        return "failed" if _is_dead(review) else "reading"
    if review.status == Status.FAILED:
        return "failed"
    if judging_since(review, now=now) is not None:
        return "judging"
    accepted = review.review.get("accepted_at") if review.review.get("accepted") else None
    if accepted and now - datetime.fromisoformat(accepted) < _FINISHING_FOR:
        return "finishing"
    return "review"


def _is_dead(run: SyncRun) -> bool:
    if run.lease_until is None or run.lease_until <= clock.system_now():
        return True
    return lease.is_dead(run.lease_holder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of the wizard. ``state``: done, current or to come."""

    number: int
    label: str
    state: str


def steps_at(stage: str) -> list[Step]:
    """The wizard's steps while it stands at ``stage``."""
    at = {
        "token": 1,
        "waiting": 2,
        "reading": 2,
        "failed": 2,
        "judging": 2,
        "review": 2,
        "finishing": 3,
    }
    current = at.get(stage, len(STEPS))
    return [
        Step(
            number=number + 1,
            label=label,
            state="done" if number < current else "current" if number == current else "next",
        )
        for number, label in enumerate(STEPS)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedField:
    """One line of the field mapping."""

    field: str
    label: str
    note: FieldNote
    filled: int
    total: int
    elsewhere: int
    examples: tuple[str, ...]
    hidden: bool

    @property
    def percent(self) -> int:
        """How many of a hundred have a value, rounded down."""
        return self.filled * 100 // self.total if self.total else 0


def field_notes(connection: Connection) -> Mapping[str, FieldNote]:
    """Where this connection's connector says that fields come from."""
    connector: Any = CONNECTORS.get(connection.connector)
    return connector.field_notes if isinstance(connector, MapsFields) else {}


def mapped_fields(
    rows: Iterable[Mapping[str, Any]],
    *,
    total: int,
    notes: Mapping[str, FieldNote],
    hidden: Collection[str],
) -> list[MappedField]:
    """The mapping of every field that the source has. Examples of hidden fields stay out."""
    return [
        MappedField(
            field=row["field"],
            label=LABELS.get(row["field"], row["field"]),
            note=notes.get(row["field"], FieldNote(comes_from="–")),
            filled=row["filled"],
            total=total,
            elsewhere=row.get("elsewhere", 0),
            examples=() if row["field"] in hidden else tuple(row["examples"]),
            hidden=row["field"] in hidden,
        )
        for row in rows
        if not notes or row["field"] in notes
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """One worker type: what the source calls it, how many have it, what it becomes."""

    worker_type: str
    label: str
    count: int
    raw: tuple[tuple[str, int], ...]
    employment_type: str
    known: bool


def type_rows(counted: Iterable[Mapping[str, Any]], *, mapping: Mapping[str, str]) -> list[TypeRow]:
    """Worker types for the mapping form, unknown ones in front."""
    return [
        TypeRow(
            worker_type=row["worker_type"],
            label=WorkerType(row["worker_type"]).label,
            count=row["count"],
            raw=tuple((words, count) for words, count in row["raw"]),
            employment_type=mapping.get(row["worker_type"], ""),
            known=row["worker_type"] != WorkerType.OTHER,
        )
        for row in counted
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedGroup:
    """Workers left out for one kind of reason."""

    title: str
    advice: str
    rows: tuple[Mapping[str, str], ...]


def skipped_groups(rows: Iterable[Mapping[str, str]]) -> list[SkippedGroup]:
    """Who stays out, by kind of reason; those who can be mended in front."""
    return [
        SkippedGroup(title=_KINDS[kind][0], advice=_KINDS[kind][1], rows=tuple(group))
        for kind, group in groupby(rows, key=lambda row: row["kind"])
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One figure above the review."""

    label: str
    value: int
    advice: str = ""


def numbers_of(summary: Mapping[str, Any]) -> tuple[list[Number], list[Number]]:
    """How many come in by status, and how many of them lack something."""
    counts, missing = summary["counts"], summary["missing"]
    coming = [Number(label="People come in", value=counts["people"])]
    coming += [
        Number(label=status.label, value=counts[status.value])
        for status in (PersonStatus.ACTIVE, PersonStatus.HIRED, PersonStatus.OFFBOARDING)
    ]
    lacking = [
        Number(label="No manager", value=missing["no_manager"],
               advice="Approvals go to the fallback. Set the reporting manager in Remote."),
        Number(label="No time zone", value=missing["no_timezone"],
               advice="Their country has several: the legal entity’s or your own is used."),
        Number(label="No date of birth", value=missing["no_date_of_birth"],
               advice="Birthday workflows pass them over until they complete their profile."),
    ]  # fmt: skip
    return coming, lacking
