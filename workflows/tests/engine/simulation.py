"""A company and its workflows from a seed, and a month in which people come, change and leave."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from people.applying import event_for
from people.choices import EventKind
from people.defaults import workspace_get
from people.models import LifecycleEvent, Person, PersonChange, Team
from people.plan import FieldChange
from workflows.document.parse import parse_document
from workflows.models import Workflow, WorkflowVersion
from workflows.services import digest_of

T0 = datetime(2026, 2, 20, 7, 30, tzinfo=UTC)
"""A month on from here meets a leap-year question, month ends and two changes of the clocks."""
ZONES = ("Europe/Paris", "America/New_York", "Asia/Tokyo", "UTC", "Australia/Lord_Howe", "")
COUNTRIES = ("FRA", "ESP", "USA", "JPN", "")
TYPES = ("contractor", "eor_employee", "direct_employee", "")
DATES = ("start_date", "end_date", "probation_end_date", "date_of_birth")


@dataclass
class Company:
    """Rows of one simulated company, and the dice that made them."""

    dice: random.Random
    people: list[Person] = field(default_factory=list)
    workflows: list[Workflow] = field(default_factory=list)
    relative: set[str] = field(default_factory=set)
    """Keys of workflows whose answer depends on today."""
    hired: int = 0


def company_make(seed: int, *, people: int, workflows: int) -> Company:
    """The same company for the same seed."""
    company = Company(dice=random.Random(seed))
    for name in ("Sales", "Design"):
        Team.objects.get_or_create(name=name)
    for _ in range(people):
        _hire(company, at=T0 - timedelta(days=1))
    LifecycleEvent.objects.all().delete()
    for number in range(workflows):
        _publish(company, number)
    return company


def limits_lift() -> None:
    """Let everything start."""
    workspace = workspace_get()
    workspace.workflow_limit_people = 100_000
    workspace.workflow_limit_percent = 100
    workspace.save()


def _day(dice: random.Random, spread: int = 45) -> date:
    return T0.date() + timedelta(days=dice.randint(-spread, spread))


def _hire(company: Company, *, at: datetime) -> Person:
    dice, number = company.dice, company.hired
    company.hired += 1
    values: dict[str, Any] = {
        "start_date": dice.choice([None, _day(dice), _day(dice, 900)]),
        "end_date": dice.choice([None, None, _day(dice)]),
        "probation_end_date": dice.choice([None, _day(dice)]),
        "date_of_birth": dice.choice(
            [None, date(1988, 2, 29), _day(dice).replace(year=1990, day=min(_day(dice).day, 28))]
        ),
    }
    person = Person.objects.create(
        work_email=f"p{number}@acme.test",
        full_name=f"Person {number}",
        country=dice.choice(COUNTRIES),
        worker_type=dice.choice(TYPES),
        timezone=dice.choice(ZONES),
        team=dice.choice([None, *Team.objects.order_by("pk")]),
        manager=dice.choice([None, *company.people[:3]]),
        status="hired" if values["start_date"] and values["start_date"] > at.date() else "active",
        known_at={name: at.isoformat() for name, value in values.items() if value},
        baseline_at=at if dice.random() < 0.2 else None,
        created_at=at,
        updated_at=at,
        **values,
    )
    LifecycleEvent.objects.create(
        kind=EventKind.PERSON_ADDED, person=person, at=at, key=f"added-{person.pk}"
    )
    company.people.append(person)
    return person


def _timing(dice: random.Random) -> dict[str, Any]:
    direction = dice.choice(["same_day", "before", "after"])
    return {
        "direction": direction,
        "days": 0 if direction == "same_day" else dice.randint(1, 9),
        "at": dice.choice(["00:00", "02:30", "09:00", "18:00", "23:59"]),
        "timezone": dice.choice(["person", "workspace", "Europe/Paris"]),
        "weekend": dice.choice(["keep", "previous_working_day", "next_working_day"]),
        "late": {
            "policy": dice.choice(["run", "skip", "ask"]),
            "within_days": dice.randint(1, 5),
        },
    }


def _trigger(dice: random.Random) -> dict[str, Any]:
    kind = dice.choice(
        [
            *("person.start_date", "person.end_date", "person.probation_end"),
            *("person.birthday", "person.work_anniversary", "date.specific"),
            *("person.changed", "person.added"),
        ]
    )
    if kind == "person.changed":
        return {"type": kind, "params": {"field": dice.choice(["team", "manager", "country"])}}
    if kind == "person.added":
        return {"type": kind}
    params = _timing(dice)
    if kind == "date.specific":
        params["every"] = dice.choice([{"weekday": "monday"}, {"month_day": 31}])
    return {"type": kind, "params": params}


def _rule(dice: random.Random) -> dict[str, Any]:
    kind = dice.randrange(6)
    if kind == 0:
        operator = dice.choice(["is", "is_not"])
        value = dice.choice(TYPES[:3])
        return {"field": "person.worker_type", "operator": operator, "value": value}
    if kind == 1:
        chosen = dice.sample(COUNTRIES[:4], 2)
        return {"field": "person.country", "operator": "in", "value": chosen}
    if kind == 2:
        return {"field": "person.team", "operator": dice.choice(["is_empty", "is_not_empty"])}
    if kind == 3:
        return {"field": "person.status", "operator": "is_not", "value": "offboarding"}
    if kind == 4:
        day = _day(dice).isoformat()
        return {"field": "person.start_date", "operator": "on_or_before", "value": day}
    return {"field": "person.end_date", "operator": "in_next_days", "value": dice.randint(0, 30)}


def _publish(company: Company, number: int) -> None:
    dice = company.dice
    key = f"workflow-{number}"
    rules: list[dict[str, Any]] = [_rule(dice) for _ in range(dice.randint(1, 3))]
    if len(rules) > 2:
        rules = [rules[0], {"combinator": "or", "not": dice.random() < 0.3, "rules": rules[1:]}]
    document: dict[str, Any] = {
        "format": "siit.workflow/1",
        "key": key,
        "name": key,
        "trigger": _trigger(dice),
        "steps": [{"key": "one", "action": "test.effect"}],
    }
    if dice.random() < 0.8:
        document["conditions"] = {"combinator": dice.choice(["and", "or"]), "rules": rules}
    publish(company, document)


def publish(company: Company, document: dict[str, Any]) -> Workflow:
    """Make it a live workflow of the company, as if since T0."""
    data, key = parse_document(document).to_data(), document["key"]
    if "in_next_days" in str(data.get("conditions")):
        company.relative.add(key)
    workflow = Workflow.objects.create(
        key=key, name=key, draft=data, draft_saved_at=T0, created_at=T0
    )
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=data, digest=digest_of(data), published_at=T0
    )
    workflow.live_version, workflow.live_since, workflow.status = version, T0, "live"
    workflow.save()
    company.workflows.append(workflow)
    return workflow


def something_happens(company: Company, *, at: datetime) -> None:
    """A hire, a date that moves or goes, a leaver, another manager, team or country."""
    dice = company.dice
    kind = dice.randrange(5)
    if kind == 0:
        _hire(company, at=at)
        return
    person = Person.objects.get(pk=dice.choice(company.people).pk)
    if kind in (1, 2):
        name = "end_date" if kind == 2 else dice.choice(DATES[:3])
        value = dice.choice([None, at.date() + timedelta(days=dice.randint(-9, 20))])
        _change(person, name, value, at=at)
    elif kind == 3:
        _change(person, "manager", dice.choice([None, *company.people[:3]]), at=at)
    else:
        _change(person, "country", dice.choice(COUNTRIES), at=at)


def _change(person: Person, name: str, value: Any, *, at: datetime) -> None:
    """As a sync writes it: the value, since when it is known, the history and the outbox."""
    before, after = _plain(getattr(person, name)), _plain(value)
    if before == after:
        return
    setattr(person, name, value)
    if name in DATES:
        person.known_at[name] = at.isoformat()
        if value is None:
            del person.known_at[name]
    person.save()
    PersonChange.objects.create(
        person=person, field=name, before=before, after=after, source="remote", at=at
    )
    change = FieldChange(field=name, before=before, after=after, source="remote")
    event_for(person.pk, change, at=at, correlation=f"sim-{at.isoformat()}").save()


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.work_email if isinstance(value, Person) else value
