"""What is worth a look before publishing: right in itself, but perhaps not meant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from people.models import Person
from workflows.conditions.tree import Group, Rule
from workflows.designer.matching import Directory, depends_on_event
from workflows.designer.panel import rehearsals
from workflows.document.parse import parse_document
from workflows.document.shape import (
    ActionStep,
    BranchStep,
    Step,
    WaitStep,
    WorkflowDocument,
    inner_steps,
)
from workflows.fields import FIELDS, field_spec
from workflows.models import Workflow
from workflows.nodes import ACTIONS, TRIGGERS
from workflows.problems import DocumentError, Problem

_PLACEHOLDER = re.compile(r"{{-?\s*person\.([a-z_]+)")
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class _Looked:
    """What every warning looks at."""

    document: WorkflowDocument
    matched: frozenset[int]
    everybody: int


def warnings_of(
    document: WorkflowDocument, *, key: str, now: datetime, people: Directory
) -> list[Problem]:
    """Every warning; each with the place in the document that it is about."""
    matched = people.eligible(document)
    looked = _Looked(document=document, matched=frozenset(matched), everybody=people.everybody())
    return [
        *contradictions(document),
        *sudden_steps(document),
        *_who(looked),
        *_zones(looked),
        *_placeholders(looked),
        *_approvers(document, now=now, people=people),
        *_overlaps(looked, key=key, people=people),
    ]


def _warning(path: str, message: str) -> Problem:
    return Problem(path, message, "warning")


def _people(number: int) -> str:
    return "1 person" if number == 1 else f"{number} people"


def contradictions(document: WorkflowDocument) -> Iterator[Problem]:
    """Two rules that nobody can fulfil together: one field that is to be two things."""
    for path, group in document.walk_conditions():
        for where, inner in group.walk_groups(path):
            yield from _contradiction(inner, where)


def _contradiction(group: Group, path: str) -> Iterator[Problem]:
    if group.combinator != "and" or group.negated:
        return
    allowed: dict[str, set[str]] = {}
    for index, rule in enumerate(group.rules):
        if not isinstance(rule, Rule) or rule.operator not in ("is", "in"):
            continue
        values = rule.value if isinstance(rule.value, tuple) else (rule.value,)
        now = {str(value).strip().casefold() for value in values if value not in (None, "")}
        spec = field_spec(rule.field)
        if not now or spec is None:
            continue
        before = allowed.setdefault(rule.field, now)
        if not before & now:
            words = f"Nobody can pass: {spec.label} cannot be two things at once."
            yield _warning(f"{path}.rules[{index}]", words)
        allowed[rule.field] = before & now or now


def sudden_steps(document: WorkflowDocument) -> Iterator[Problem]:
    """Destructive steps that nobody approves and nothing precedes with time to think."""
    yield from _sudden(document.steps, "steps", calm=False)


def _sudden(steps: tuple[Step, ...], path: str, *, calm: bool) -> Iterator[Problem]:
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        if step.disabled:
            continue
        if isinstance(step, WaitStep):
            calm = True
            continue
        approval = isinstance(step, ActionStep) and step.action == "approval.request"
        calm = calm or approval
        if isinstance(step, ActionStep) and not calm:
            action = ACTIONS.get(step.action)
            if action is not None and action.destructive:
                words = "Takes something away without an approval or a wait before it."
                yield _warning(here, words)
        if isinstance(step, BranchStep) or approval:
            for inner_path, inner in inner_steps(step, here):
                yield from _sudden(inner, inner_path, calm=calm)


def _who(looked: _Looked) -> Iterator[Problem]:
    if looked.document.conditions is None or depends_on_event(looked.document.conditions):
        return
    if not looked.matched:
        yield _warning("conditions", "Nobody matches today.")
    elif len(looked.matched) == looked.everybody:
        yield _warning("conditions", "Everybody matches today: the conditions leave nobody out.")


def _counted(looked: _Looked, missing: Q) -> int:
    if len(looked.matched) > _CHUNK:
        found = Person.objects.filter(missing).order_by().values_list("pk", flat=True)
        return len(looked.matched.intersection(found.iterator(chunk_size=5_000)))
    return Person.objects.filter(missing, pk__in=looked.matched).count()


def _zones(looked: _Looked) -> Iterator[Problem]:
    trigger = TRIGGERS.get(looked.document.trigger.type)
    if trigger is None or not trigger.forecastable:
        return
    if looked.document.trigger.params.get("timezone", "person") != "person":
        return
    entity = Q(legal_entity__isnull=True) | Q(legal_entity__timezone="")
    number = _counted(looked, Q(timezone="") & entity)
    if number:
        words = f"The time zone of {_people(number)} is unknown: the workspace's stands in."
        yield _warning("trigger.params.timezone", words)


def _placeholders(looked: _Looked) -> Iterator[Problem]:
    for path, step in looked.document.walk():
        if not isinstance(step, ActionStep) or step.disabled:
            continue
        for name, text in step.params.items():
            for field in dict.fromkeys(_PLACEHOLDER.findall(text if isinstance(text, str) else "")):
                number = _empty(looked, field)
                if number:
                    words = f"{{{{ person.{field} }}}} is empty for {_people(number)}."
                    yield _warning(f"{path}.params.{name}", words)


def _empty(looked: _Looked, field: str) -> int:
    spec = FIELDS.get(f"person.{field}")
    if spec is None or not spec.orm or field == "preferred_name":
        return 0
    missing = Q(**{f"{spec.orm}__isnull": True})
    if spec.type != "date":
        missing |= Q(**{spec.orm: ""})
    return _counted(looked, missing)


def _approvers(
    document: WorkflowDocument, *, now: datetime, people: Directory
) -> Iterator[Problem]:
    paths = {step.key: path for path, step in document.walk()}
    for found in rehearsals(document, now=now, people=people):
        if found.asked and found.found < found.asked:
            number = found.asked - found.found
            words = f"Nobody is found to ask for {_people(number)}: the fallback is asked."
            yield _warning(f"{paths[found.step]}.params.approver", words)


def _overlaps(looked: _Looked, *, key: str, people: Directory) -> Iterator[Problem]:
    mine = _taking(looked.document)
    if not mine or not looked.matched:
        return
    for other, document in others_alike(looked.document, key=key):
        if not mine & _taking(document):
            continue
        both = people.shared(looked.document, document)
        if both:
            verb = "is" if both == 1 else "are"
            words = f"{_people(both)} {verb} in “{other.name}” too, which does the same."
            yield _warning("conditions", words)


def others_alike(
    document: WorkflowDocument, *, key: str
) -> Iterator[tuple[Workflow, WorkflowDocument]]:
    """The other live workflows that the same trigger sets off."""
    rows = Workflow.objects.filter(status=Workflow.Status.LIVE).exclude(key=key)
    for other in rows.select_related("live_version"):
        try:
            found = parse_document(other.live_version.document if other.live_version else {})
        except DocumentError:
            continue
        if found.trigger.type == document.trigger.type:
            yield other, found


def _taking(document: WorkflowDocument) -> set[str]:
    """The destructive actions of a document."""
    found = set()
    for _, step in document.walk():
        if isinstance(step, ActionStep) and not step.disabled:
            action = ACTIONS.get(step.action)
            if action is not None and action.destructive:
                found.add(step.action)
    return found
