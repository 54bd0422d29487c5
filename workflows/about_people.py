"""What is told on a person's page: runs and equipment on the timeline, what will run or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode

from people.models import Person
from people.timeline import Kind, Moment
from workflows.category_rights import rights_of
from workflows.engine.explain import explain
from workflows.engine.world import planned_version
from workflows.equipment_seen import SEE
from workflows.models import ShipmentEvent, Workflow
from workflows.problems import DocumentError

_WORDS: dict[str, tuple[str, str]] = {
    "ran": ("Has run", "ended"),
    "running": ("Runs now", "info"),
    "will_run": ("Will run", "active"),
    "due": ("Due now", "active"),
    "held": ("Held", "warning"),
    "not_matched": ("Will not run", "ended"),
    "cannot_tell": ("Cannot be told", "warning"),
    "never": ("Will not run", "ended"),
    "waits": ("When it happens", "info"),
}
_MOMENT, _MATCH, _LEDGER = "there is a moment", "conditions", "it has not run yet"
_DECIDES = {
    "will_run": _MOMENT,
    "due": _MOMENT,
    "not_matched": _MATCH,
    "cannot_tell": _MATCH,
    "ran": _LEDGER,
    "running": _LEDGER,
    "held": _LEDGER,
}
"""Result → the check that tells it best; for the others the first that fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether a workflow will run for somebody, and the first thing that decides it."""

    workflow: Workflow
    result: str
    words: str
    colour: str
    why: str
    url: str = ""


def answers_for(person: Person, *, now: datetime, hidden: Collection[str] = ()) -> list[Answer]:
    """An answer for every workflow that is live or paused, by name. Has no effect.

    Values of the ``hidden`` fields of the person are left out of every word.
    """
    states = (Workflow.Status.LIVE, Workflow.Status.PAUSED)
    rows = Workflow.objects.filter(status__in=states).select_related("live_version__workflow")
    return [_answer(workflow, person, now=now, hidden=hidden) for workflow in rows.order_by("name")]


def _answer(
    workflow: Workflow, person: Person, *, now: datetime, hidden: Collection[str]
) -> Answer:
    try:
        found = explain(workflow, person, now=now, hidden=hidden)
    except DocumentError as error:
        found = {"result": "cannot_tell", "ladder": [{"passed": False, "detail": str(error)}]}
    result, why = found["result"], _why(found["result"], found["ladder"])
    if result in ("never", "cannot_tell") and (waits := _waits_for(workflow)):
        result, why = "waits", waits
    words, colour = _WORDS[result]
    return Answer(
        workflow=workflow,
        result=result,
        words=words,
        colour=colour,
        why=why,
        url=_why_url(workflow, person),
    )


def _waits_for(workflow: Workflow) -> str:
    """What a workflow waits for that no date foretells; blank for one on a date."""
    try:
        planned = planned_version(workflow.live_version) if workflow.live_version else None
    except DocumentError:
        return ""
    trigger = planned.trigger if planned is not None else None
    if planned is None or trigger is None or trigger.forecastable:
        return ""
    return f"Starts {trigger.sentence(planned.document.trigger.params)}."


def _why(result: str, ladder: Sequence[dict[str, Any]]) -> str:
    """What the deciding check says."""
    wanted = _DECIDES.get(result, "")
    told = [rung for rung in ladder if rung.get("check") == wanted]
    failed = [rung for rung in ladder if rung["passed"] is not True]
    return next((str(rung["detail"]) for rung in (*told, *failed)), "")


def _why_url(workflow: Workflow, person: Person) -> str:
    """The page with every check, where this installation has one."""
    try:
        url = reverse("workflow-why", kwargs={"key": workflow.key})
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode({'person': person.pk})}"


def _runs(person: Person, user: Any, most: int) -> list[Moment]:
    if not user.has_perm("workflows.view_run"):
        return []
    found = person.runs.select_related("workflow").order_by("-pk")
    found = rights_of(user).open("view", found, column="workflow__category", trigger="trigger")
    return [
        Moment(
            at=run.finished_at or run.started_at or run.created_at,
            kind="runs",
            title=run.workflow.name,
            note=run.reason,
            url=reverse("run", args=[run.pk]),
            icon="workflow",
            chip=(run.status, run.get_status_display()),
        )
        for run in found[:most]
    ]


def _equipment(person: Person, user: Any, most: int) -> list[Moment]:
    if not user.has_perm(SEE):
        return []
    rows = ShipmentEvent.objects.filter(shipment__person=person).select_related("shipment")
    return [
        Moment(
            at=row.at,
            kind="equipment",
            title=row.shipment.bundle_name,
            who=row.by_label,
            note=row.text,
            url=reverse("shipment", args=[row.shipment_id]),
            icon="laptop",
            chip=(row.state, row.get_state_display()),
        )
        for row in rows.order_by("-at", "-pk")[:most]
    ]


RUNS = Kind(key="runs", label="Runs", rows=_runs)
EQUIPMENT = Kind(key="equipment", label="Equipment", rows=_equipment)
