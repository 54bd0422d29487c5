"""Records and directories for tests, made from a few words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from people.applying import plan_apply
from people.defaults import directory_defaults_ensure
from people.loading import directory_load, policy_load
from people.models import LifecycleEvent, Person, PersonChange, SourceRecord
from people.plan import Plan
from people.reconcile import reconcile
from people.records import SkippedRecord, WorkerRecord

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
TODAY = NOW.date()


def day(offset: int) -> date:
    """The date so many days from today."""
    return TODAY + timedelta(days=offset)


def worker(external_id: str, name: str = "", **values: Any) -> WorkerRecord:
    """An active EOR employee in France, except for what is given."""
    name = name or external_id
    base = WorkerRecord(
        source="remote",
        external_id=external_id,
        work_email=f"{name.lower().replace(' ', '.')}@acme.test",
        full_name=name.title(),
        country="FRA",
        worker_type="eor_employee",
        contract_status="active",
        contract_status_raw="active",
        start_date=date(2024, 1, 15),
        legal_entity="Acme SAS",
        legal_entity_id="ent-1",
        team="Sales",
        manager_email="boss@acme.test",
    )
    return replace(base, **values)


def boss() -> WorkerRecord:
    """The manager whom :func:`worker` names."""
    return worker("boss", manager_email="")


def feed(
    records: Iterable[WorkerRecord],
    *,
    now: datetime = NOW,
    skipped: Iterable[SkippedRecord] = (),
    complete: bool = True,
    baseline: bool = False,
) -> Plan:
    """Reconcile and apply, as one sync does."""
    directory_defaults_ensure()
    plan = reconcile(
        tuple(records),
        skipped=tuple(skipped),
        directory=directory_load(),
        policy=policy_load(),
        now=now,
        complete=complete,
        baseline=baseline,
    )
    plan_apply(plan, now=now, correlation=f"test:{now.isoformat()}")
    return plan


def person(email: str) -> Person:
    """By the part before the @."""
    return Person.objects.get(work_email=f"{email}@acme.test")


def picture() -> dict[str, list[dict[str, Any]]]:
    """Everything the directory holds, to compare before and after."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Person, SourceRecord, PersonChange, LifecycleEvent)
    }
