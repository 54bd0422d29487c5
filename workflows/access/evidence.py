"""The evidence of one leaver: what was known when, who approved, every step, every proof."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from integrations.models import AccessEvent, Account, AppAccess, Delivery, ReportedAccess
from people.models import Person, PersonChange
from people.sources import source_names, source_words
from workflows.access.leavers import Leaver, leaver_of, open_reports
from workflows.conditions.masking import data_fields, names_of
from workflows.document.parse import parse_document
from workflows.models import Approval, Run, StepRun, Task
from workflows.nodes import ACTIONS
from workflows.problems import DocumentError
from workflows.vocabulary import vocabulary_now

if TYPE_CHECKING:
    from workflows.category_rights import Rights

DATES = {
    "start_date": "Start date",
    "end_date": "Last day",
    "contract_end_date": "End of the contract",
    "status": "Status",
}
_MOST_RUNS = 50
_MOST_CALLS = 2_000
_KEYS_A_QUERY = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDate:
    """One value of a date and when the directory learned of it."""

    label: str
    before: Any
    after: Any
    source: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepProof:
    """One step of a run with its calls. ``why`` is left out where it tells of a hidden field."""

    row: StepRun
    words: str
    why: str
    calls: Sequence[Delivery]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProof:
    """One run with its steps."""

    run: Run
    why: str
    steps: Sequence[StepProof]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessProof:
    """One access with everything that became of it."""

    access: AppAccess
    events: Sequence[AccessEvent]


@dataclass(frozen=True, slots=True, kw_only=True)
class StillOpen:
    """One door that is open, and what to do about it."""

    what: str
    state: str
    todo: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that can be shown of one leaver at one moment."""

    person: Person
    leaver: Leaver | None
    made_at: datetime
    dates: Sequence[KnownDate]
    approvals: Sequence[Approval]
    runs: Sequence[RunProof]
    accesses: Sequence[AccessProof]
    accounts: Sequence[Account]
    still_open: Sequence[StillOpen]
    more_runs: int
    """Older runs that are not shown."""
    closed_runs: int = 0
    """Runs of workflows that the reader may not see: counted, and nothing else is said of them."""


def evidence_of(
    person: Person, *, hidden: Collection[str], now: datetime, rights: Rights | None = None
) -> Evidence:
    """The evidence as an account may see it from which the fields ``hidden`` are hidden.

    Runs of workflows on which ``rights`` give no view are only counted; ``None`` sees every one.
    """
    unseen = names_of(frozenset(hidden))
    every = _runs(person)
    telling = set() if rights is None else set(rights.telling())
    runs = [
        run
        for run in every
        if rights is None
        or (rights.may("view", run.workflow.category) and run.trigger not in telling)
    ]
    steps = [step for run in runs[:_MOST_RUNS] for step in run.steps.all()]
    calls = _calls(steps)
    accesses = list(
        person.accesses.select_related("application__owner", "application__connection")
        .prefetch_related("events")
        .order_by("application__name", "pk")
    )
    accounts = list(person.accounts.select_related("connection"))
    return Evidence(
        person=person,
        leaver=leaver_of(person, now=now),
        made_at=now,
        dates=_dates(person, hidden=hidden),
        approvals=list(
            Approval.objects.filter(step__run__in=runs[:_MOST_RUNS])
            .select_related("approver", "decided_by", "step")
            .order_by("asked_at", "pk")
        ),
        runs=[_run_proof(run, calls, unseen=unseen) for run in runs[:_MOST_RUNS]],
        accesses=[AccessProof(access=row, events=list(row.events.all())) for row in accesses],
        accounts=accounts,
        still_open=_open_words(person, accesses, accounts, every, seen={run.pk for run in runs}),
        more_runs=max(0, len(runs) - _MOST_RUNS),
        closed_runs=len(every) - len(runs),
    )


def proving() -> Q:
    """Which runs are evidence of somebody's leaving: for the last day, or taking something away."""
    takes = [action.key for action in ACTIONS if action.destructive]
    return Q(trigger="person.end_date") | Q(steps__action__in=takes)


def _runs(person: Person) -> list[Run]:
    """Runs that are evidence, oldest first."""
    return list(
        Run.objects.filter(person=person)
        .filter(proving())
        .select_related("workflow", "version")
        .prefetch_related("steps")
        .order_by("created_at", "pk")
        .distinct()
    )


def _dates(person: Person, *, hidden: Collection[str]) -> list[KnownDate]:
    names = source_names()
    fields = [name for name in DATES if name not in hidden]
    rows = PersonChange.objects.filter(person=person, field__in=fields).order_by("at", "pk")
    found = [
        KnownDate(
            label=DATES[row.field],
            before=row.before,
            after=row.after,
            source=source_words(row.source, names),
            at=row.at,
        )
        for row in rows
    ]
    changed = {row.field for row in rows}
    for field in fields:
        value = getattr(person, field)
        if field not in changed and field != "status" and value is not None:
            # It came with the person and never changed.
            source = person.value_sources.get(field, "")
            found.append(
                KnownDate(
                    label=DATES[field],
                    before=None,
                    after=value.isoformat(),
                    source=source_words(source, names) if source else "",
                    at=person.created_at,
                )
            )
    return sorted(found, key=lambda item: item.at)


def _calls(steps: Sequence[StepRun]) -> dict[str, list[Delivery]]:
    """Calls to the outside by the step's key; one step makes several, each with a suffix."""
    keys = [step.idempotency_key for step in steps]
    found: dict[str, list[Delivery]] = defaultdict(list)
    for start in range(0, len(keys), _KEYS_A_QUERY):
        any_of = Q()
        for key in keys[start : start + _KEYS_A_QUERY]:
            any_of |= Q(idempotency_key=key) | Q(idempotency_key__startswith=f"{key}:")
        # What was only read proves nothing that the step's own outcome does not say.
        rows = Delivery.objects.filter(any_of).exclude(operation__startswith="GET ")
        rows = rows.select_related("connection").order_by("pk")
        for row in rows[:_MOST_CALLS]:
            found[row.idempotency_key.partition(":")[0]].append(row)
    return found


def _run_proof(run: Run, calls: dict[str, list[Delivery]], *, unseen: Collection[str]) -> RunProof:
    veiled = bool(data_fields(run.trace) & set(unseen))
    words = _step_words(run)
    return RunProof(
        run=run,
        why="" if veiled else run.reason,
        steps=[
            StepProof(
                row=step,
                words=words.get(step.key, step.action),
                # A step that was passed over says why by values of the person.
                why=""
                if unseen and step.status == StepRun.Status.SKIPPED
                else step.error or step.reason or str(step.outcome.get("summary", "")),
                calls=calls.get(step.idempotency_key, []),
            )
            for step in run.steps.all()
        ],
    )


def _step_words(run: Run) -> dict[str, str]:
    try:
        document = parse_document(run.document or run.version.document)
    except DocumentError:
        return {}
    vocabulary = vocabulary_now()
    found: dict[str, str] = {}
    for _, step in document.walk():
        action = vocabulary.action(getattr(step, "action", ""))
        if action is not None:
            sentence = action.sentence(getattr(step, "params", {}))
            found[step.key] = f"{sentence[:1].upper()}{sentence[1:]}"
    return found


def _open_words(
    person: Person,
    accesses: Sequence[AppAccess],
    accounts: Sequence[Account],
    runs: Sequence[Run],
    *,
    seen: Collection[int],
) -> list[StillOpen]:
    asked = _asked(accesses)
    found = [
        StillOpen(
            what=row.application.name,
            state=row.get_state_display(),
            todo=asked.get(row.pk)
            or (
                "A run is at it."
                if row.state == AppAccess.State.REVOKING
                else "Nobody has taken it away: tick it under Access of this person."
            ),
        )
        for row in accesses
        if row.state == AppAccess.State.GRANTED
        or (row.aim == AppAccess.Aim.GONE and row.state != AppAccess.State.REVOKED)
    ]
    reported = open_reports().filter(person=person).select_related("application")
    found += [_reported_words(row) for row in reported]
    found += [
        StillOpen(
            what=f"Account {account} at {account.connection.name}",
            state="Active",
            todo="Suspend it by a workflow, or there; the next look writes it down.",
        )
        for account in accounts
        if account.active
    ]
    return found + [
        StillOpen(
            what=f"Run {run.pk}" + (f" of {run.workflow.name}" if run.pk in seen else ""),
            state="Held",
            todo="Somebody has to look at it and let it go on."
            if run.pk in seen
            else "Its workflow is not open to you: somebody who may see it has to look at it.",
        )
        for run in runs
        if run.status == Run.Status.HELD and run.trigger == "person.end_date"
    ]


def _asked(accesses: Sequence[AppAccess]) -> dict[int, str]:
    """Access → whom its open task was given to."""
    keys = [row.pk for row in accesses if row.state != AppAccess.State.REVOKED]
    rows = Task.objects.filter(status=Task.Status.OPEN, settles__access__in=keys)
    return {
        int(task.settles["access"]): f"Task {task.pk} of {task.assignee or task.role}."
        for task in rows.select_related("assignee", "role")
    }


def _reported_words(row: ReportedAccess) -> StillOpen:
    return StillOpen(
        what=f"{row.application.name} ({row.username or row.external_id})",
        state="Reported, not written down",
        todo="Tick it under Access of this person.",
    )
