"""What a look ahead need not load, and what it need not ask the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from people.choices import ContractStatus, PersonStatus
from people.models import Person
from workflows.engine import ledger
from workflows.engine.forecast import coming
from workflows.engine.ledger import in_ledger
from workflows.engine.outlook import judgements
from workflows.engine.planner import PlannedWorkflow
from workflows.engine.reach import fields_read, load_ahead
from workflows.engine.service import run_due
from workflows.engine.world import load_happenings, load_world, planned_version
from workflows.models import Run, Workflow
from workflows.planned import PlannedPerson, facts_on
from workflows.tests.engine.simulation import T0, company_make, limits_lift

DAY = date(2026, 3, 2)
_DATES = st.none() | st.integers(-3, 3).map(lambda days: DAY + timedelta(days=days))


@settings(max_examples=50, deadline=None)
@given(
    status=st.sampled_from([*PersonStatus.values, *PersonStatus, "", None]),
    contract=st.sampled_from([*ContractStatus.values, "", None]),
    start=_DATES,
    end=_DATES,
    day=st.integers(-4, 4).map(lambda days: DAY + timedelta(days=days)),
)
def test_person_knows_until_when_no_day_decides_anything(
    status: str | None,
    contract: str | None,
    start: date | None,
    end: date | None,
    day: date,
) -> None:
    facts = {
        "person.status": status,
        "person.contract_status": contract,
        "person.start_date": start,
        "person.end_date": end,
    }
    seen = datetime(2024, 1, 1, tzinfo=UTC)
    person = PlannedPerson(
        id=1, label="", work_email="", facts=facts, timezone="UTC", country="",
        known_at={}, baseline_at=None, first_seen_at=seen,
    )  # fmt: skip
    assert person.facts_on(day) == facts_on(facts, day)


def _planned() -> list[PlannedWorkflow]:
    rows = Workflow.objects.select_related("live_version__workflow").order_by("pk")
    return [planned_version(row.live_version) for row in rows if row.live_version]


@pytest.mark.django_db
def test_only_people_with_a_moment_near_are_loaded_and_only_what_is_read_of_them() -> None:
    company_make(1, people=20, workflows=6)
    far = Person.objects.create(
        work_email="far@acme.test", start_date=date(2031, 5, 5), created_at=T0, updated_at=T0
    )
    dated = [
        planned for planned in _planned() if planned.document.trigger.type == "person.start_date"
    ]
    world = load_ahead(dated, now=T0, days=90)
    assert dated
    assert world.people
    assert far.pk not in world.people
    fields = fields_read(dated)
    assert fields is not None
    assert {key for person in world.people.values() for key in person.facts} <= fields
    assert "person.job_title" not in fields


@pytest.mark.django_db
def test_long_list_is_compared_with_the_ledger_as_a_short_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A moment whose run was given up because its date moved counts again."""
    company_make(4, people=20, workflows=8)
    limits_lift()
    for days in (1, 3, 6, 9, 12):
        run_due(now=T0 + timedelta(days=days))
    dropped = Run.objects.order_by("pk").first()
    assert dropped is not None
    Run.objects.filter(pk=dropped.pk).update(status=Run.Status.SUPERSEDED, moved_to="2026-12-24")
    planned, world = _planned(), load_world(happenings=load_happenings())
    found = [
        judged
        for planned_one in planned
        for judged in judgements(planned_one, world, now=T0, ahead=timedelta(days=30))
    ]
    short = in_ledger(found) & {judged.key for judged in found}
    ahead = coming(planned, world, now=T0, days=30)
    assert short
    monkeypatch.setattr(ledger, "_MANY", 0)
    assert in_ledger(found) & {judged.key for judged in found} == short
    assert coming(planned, world, now=T0, days=30) == ahead
    assert dropped.key not in in_ledger(found)
    assert Run.objects.exclude(pk=dropped.pk).exists()
