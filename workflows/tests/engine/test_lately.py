"""A pass over whom the last minutes concern writes what a pass over everybody would write."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import AppAccess, Application
from people.defaults import workspace_get
from people.merging import MergeError, person_merge
from people.models import LegalEntity, Person, Team
from siit_remote.tests.share import share
from workflows.document.parse import parse_document
from workflows.engine import lately, service
from workflows.engine.lately import look_lately
from workflows.engine.service import run_due
from workflows.engine.starting import Started, runs_plan
from workflows.engine.world import load_happenings, load_people, planned_version
from workflows.models import Refusal, Run, Workflow, WorkflowVersion
from workflows.nodes import Done, Wait
from workflows.services import digest_of
from workflows.tests.engine.nodes import EffectAction
from workflows.tests.engine.simulation import (
    T0,
    Company,
    company_make,
    limits_lift,
    publish,
    something_happens,
)

pytestmark = pytest.mark.django_db
_RUN = ("key", "status", "reason", "late", "due_at", "timezone", "snapshot", "trace", "change",
        "lane", "person_id", "workflow_id", "request_id", "anchor", "hold__reason")  # fmt: skip
_REFUSAL = ("key", "verdict", "reason", "anchor", "due_at", "person_id", "workflow_id")
_ENTITY = "Acme SAS"


def _document(key: str, trigger: dict[str, Any], **more: Any) -> dict[str, Any]:
    steps = [{"key": "one", "action": "test.effect"}]
    return {
        "format": "siit.workflow/1", "key": key, "name": key, "trigger": trigger,
        "steps": steps, **more,
    }  # fmt: skip


def _rule(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    rule = {"field": field, "operator": operator, "value": value}
    return {"combinator": "and", "rules": [rule]}


def _company(seed: int, *, people: int, workflows: int) -> Company:
    """As for the forecast, and one workflow for each thing that may decide late."""
    company = company_make(seed, people=people, workflows=workflows)
    LegalEntity.objects.get_or_create(name=_ENTITY, defaults={"timezone": "Asia/Tokyo"})
    app, _ = Application.objects.get_or_create(key="slack", defaults={"name": "Slack"})
    entity = LegalEntity.objects.get(name=_ENTITY)
    for number, person in enumerate(company.people):
        if number % 3 == 0:
            Person.objects.filter(pk=person.pk).update(legal_entity=entity)
        if number % 4 == 0:
            AppAccess.objects.create(application=app, person=person, state="granted", since=T0)
    after = {"direction": "after", "days": 2, "at": "09:00", "weekend": "next_working_day"}
    weekly = {"every": {"weekday": "tuesday"}, "at": "10:00", "timezone": "workspace"}
    daily = {"at": "00:00", "direction": "after", "days": 1}
    wide = {"days": 1, "direction": "before", "at": "08:05", "late": {"policy": "ask"}}
    for document in (
        _document("moved", {"type": "person.changed", "params": {"field": "manager", **after}}),
        _document("came", {"type": "person.added", "params": after}),
        _document("weekly", {"type": "date.specific", "params": weekly},
                  conditions=_rule("person.team", "is", "Sales")),
        _document("apps", {"type": "person.end_date", "params": daily},
                  conditions=_rule("person.apps", "has", "slack")),
        _document("boss", {"type": "person.start_date", "params": wide},
                  conditions=_rule("person.manager", "is", "p1@acme.test")),
        _document("entity", {"type": "person.probation_end", "params": daily},
                  conditions=_rule("person.legal_entity", "is", _ENTITY)),
        _document("soon", {"type": "person.birthday", "params": daily},
                  conditions=_rule("person.end_date", "in_next_days", 9)),
        _document("ends", {"type": "person.end_date", "params": wide}),
    ):  # fmt: skip
        publish(company, document)
    return company


def _late_stamp(company: Company, at: datetime) -> datetime:
    """A sync stamps its moment, works for a while, and commits then."""
    return at - timedelta(minutes=company.dice.choice([0, 0, 4, 50]))


def _more_happens(company: Company, *, at: datetime) -> None:
    """What changes answers without being a change of the person; and what the dice know."""
    dice = company.dice
    kind = dice.randrange(14)
    people = Person.objects.order_by("pk")
    if kind == 0:
        Team.objects.filter(name__in=["Sales", "Sellers"]).update(
            name=dice.choice(["Sales", "Sellers"])
        )
    elif kind == 1:
        LegalEntity.objects.update(timezone=dice.choice(["Asia/Tokyo", "", "America/New_York"]))
    elif kind == 2:
        workspace = workspace_get()
        workspace.timezone = dice.choice(["UTC", "Europe/Paris"])
        workspace.late_within_days = dice.choice([1, 3])
        workspace.save()
    elif kind == 3:
        held = AppAccess.objects.order_by("pk")
        held.filter(pk=dice.choice([row.pk for row in held])).update(
            state=dice.choice(["granted", "revoked"])
        )
    elif kind == 4:
        address = dice.choice(["p1@acme.test", "boss@acme.test"])
        people.filter(work_email__in=["p1@acme.test", "boss@acme.test"]).update(
            work_email=address, updated_at=_late_stamp(company, at)
        )
    elif kind == 5:
        key = dice.choice(company.workflows).key
        paused = Workflow.objects.get(key=key).status == "paused"
        Workflow.objects.filter(key=key).update(status="live" if paused else "paused")
    elif kind == 6:
        _publish_again(dice.choice(company.workflows).pk, at=at)
    elif kind == 7:
        _finish_waiting(dice)
    elif kind == 8 and people.count() > 5:
        kept, absorbed = dice.sample([*people], 2)
        # Two with runs for the same date, or who ask each other, are not joined.
        with suppress(MergeError):
            person_merge(kept, absorbed, reason="The same.", confirmed=True, now=at)
    else:
        company.people = [*people]
        something_happens(company, at=_late_stamp(company, at))


def _publish_again(pk: int, *, at: datetime) -> None:
    workflow = Workflow.objects.select_related("live_version").get(pk=pk)
    assert workflow.live_version is not None
    data = {**workflow.live_version.document, "name": f"{workflow.key} {at.isoformat()}"}
    data.pop("conditions", None)
    data = parse_document(data).to_data()
    number = workflow.versions.count() + 1
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=number, document=data, digest=digest_of(data), published_at=at
    )
    Workflow.objects.filter(pk=pk).update(live_version=version)


def _finish_waiting(dice: random.Random) -> None:
    """Whatever runs wait for comes; from now on others may wait."""
    waits = dice.random() < 0.5
    EffectAction.script = lambda ctx, params: Wait(reason="Asked.") if waits else Done(summary="x")
    Run.objects.filter(status=Run.Status.WAITING).update(wake_at=T0)


@contextmanager
def _everybody(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pass that loads the whole directory and looks back over all the time."""
    with patch.context() as inner:
        inner.setattr(lately, "_is_ordinary", lambda *args, **kwargs: False)
        inner.setattr(lately, "load_reached", lambda filters, **kwargs: load_people())
        yield


def _rows() -> tuple[Counter[str], Counter[str]]:
    runs = Run.objects.order_by().values_list(*_RUN)
    refusals = Refusal.objects.order_by().values_list(*_REFUSAL)
    return Counter(map(repr, runs)), Counter(map(repr, refusals))


class _Compared:
    """In place of the pass: plans over everybody, takes it back, plans as it is, and compares."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.patch = patch
        self.written = self.ordinary = 0

    def __call__(self, *, now: datetime) -> Started:
        live = Workflow.objects.filter(status="live").select_related("live_version__workflow")
        pairs = [(row, planned_version(row.live_version)) for row in live if row.live_version]
        self.ordinary += len(pairs) - len(look_lately(pairs, load_happenings(), now=now).whole)
        before = _rows()
        mark = transaction.savepoint()
        with _everybody(self.patch):
            started = runs_plan(now=now)
        expected = _rows()
        transaction.savepoint_rollback(mark)
        assert _rows() == before
        assert runs_plan(now=now) == started
        for found, wanted in zip(_rows(), expected, strict=True):
            assert found - wanted == Counter(), "written though it was not due"
            assert wanted - found == Counter(), "left out"
        self.written += (expected[0] - before[0]).total()
        return started


def _month(company: Company, patch: pytest.MonkeyPatch, *, steps: int) -> _Compared:
    """Passes some minutes apart, now and then a day; things happen between any two of them."""
    compared = _Compared(patch)
    patch.setattr(service, "runs_plan", compared)
    # The hourly look at everything would find by the hour what a pass has missed.
    patch.setattr(lately, "WHOLE_EVERY", timedelta(days=1_000))
    limits_lift()
    now = T0
    for _ in range(steps):
        now += timedelta(minutes=company.dice.choice([1, 1, 5, 8, 9, 9, 9, 9, 40, 1_395, 4_310]))
        for _ in range(company.dice.choice([0, 0, 1, 1, 3])):
            _more_happens(company, at=now - timedelta(seconds=company.dice.randint(1, 50)))
        run_due(now=now)
        run_due(now=now)
    return compared


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_pass_of_a_minute_writes_what_a_pass_over_everybody_writes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    company = _company(seed, people=12, workflows=4)
    found = _month(company, monkeypatch, steps=40)
    assert found.written
    assert found.ordinary


@pytest.mark.slow
@settings(
    max_examples=share(100),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.integers(10, 10**9))
def test_pass_of_a_minute_writes_what_a_pass_over_everybody_writes_for_many(seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        _month(_company(seed, people=40, workflows=8), patch, steps=60)
        transaction.set_rollback(True)


def _weekly(person_make: Callable[..., Person]) -> Workflow:
    """Every Tuesday at nine where the person is, for one in Paris and one in Tokyo."""
    person_make("ana", timezone="Europe/Paris")
    person_make("aki", timezone="Asia/Tokyo")
    trigger = {"type": "date.specific", "params": {"every": {"weekday": "tuesday"}, "at": "09:00"}}
    return publish(Company(dice=random.Random(1)), _document("weekly", trigger))


_PARIS = datetime(2026, 11, 3, 8, 0, tzinfo=UTC)
"""A Tuesday, nine o'clock."""
_MINUTE = timedelta(minutes=1)


def _loaded(now: datetime) -> list[str]:
    row = Workflow.objects.select_related("live_version__workflow").get()
    assert row.live_version is not None
    look = look_lately([(row, planned_version(row.live_version))], load_happenings(), now=now)
    return sorted(person.work_email for person in look.worlds[row.key].people.values())


def test_only_those_are_loaded_whose_moment_it_is(person_make: Callable[..., Person]) -> None:
    _weekly(person_make)
    Person.objects.update(updated_at=T0)
    run_due(now=_PARIS - 2 * _MINUTE)
    assert _loaded(_PARIS - _MINUTE) == []
    assert _loaded(_PARIS) == ["ana@acme.test"]
    run_due(now=_PARIS - _MINUTE)
    run_due(now=_PARIS)
    assert {run.person.work_email for run in Run.objects.all()} >= {"ana@acme.test"}
    assert _loaded(_PARIS + _MINUTE) == []


def test_whoever_changed_is_loaded(person_make: Callable[..., Person]) -> None:
    _weekly(person_make)
    Person.objects.update(updated_at=T0)
    run_due(now=_PARIS - 3 * _MINUTE)
    Person.objects.filter(work_email__startswith="aki").update(updated_at=_PARIS - 30 * _MINUTE)
    assert _loaded(_PARIS - 2 * _MINUTE) == ["aki@acme.test"]


@pytest.mark.parametrize("what", ["hour", "pause", "workspace", "entity", "clock"])
def test_everybody_is_looked_at_again_where_it_cannot_be_told(
    what: str, person_make: Callable[..., Person]
) -> None:
    workflow = _weekly(person_make)
    Person.objects.update(updated_at=T0)
    now = _PARIS + 20 * _MINUTE
    run_due(now=now)
    later = {"hour": 60, "pause": 11, "clock": -1}.get(what, 1)
    if what == "hour":
        for minutes in range(9, 60, 9):
            run_due(now=now + minutes * _MINUTE)
    elif what == "workspace":
        workspace = workspace_get()
        workspace.late_within_days += 1
        workspace.save()
    elif what == "entity":
        LegalEntity.objects.create(name="Acme SAS", timezone="Asia/Tokyo")
    assert _loaded(now + later * _MINUTE) == ["aki@acme.test", "ana@acme.test"]
    workflow.refresh_from_db()
    assert workflow.planned_whole_at == now


def test_minute_costs_the_same_queries_however_many_workflows_wait(
    person_make: Callable[..., Person],
) -> None:
    person_make("ana", end_date=date(2027, 11, 24))
    Person.objects.update(updated_at=T0)
    counts = []
    for number in range(6):
        publish(
            Company(dice=random.Random(1)), _document(f"ends-{number}", {"type": "person.end_date"})
        )
        now = _PARIS + number * 9 * _MINUTE
        run_due(now=now)
        with CaptureQueriesContext(connection) as queries:
            runs_plan(now=now + _MINUTE)
        counts.append(len(queries))
    assert counts[0] == counts[-1]


def _runs() -> list[tuple[str, str]]:
    return list(Run.objects.order_by("pk").values_list("anchor", "status"))


def test_who_was_kept_waiting_by_another_run_is_not_forgotten(
    person_make: Callable[..., Person], workflow_make: Callable[..., Workflow]
) -> None:
    """The date moved while a run waits; that run ends by hand when the change is long ago."""
    ana = person_make("ana", end_date=_PARIS.date())
    Person.objects.update(updated_at=T0)
    workflow_make(trigger={"type": "person.end_date", "params": {"at": "09:00"}})
    EffectAction.script = lambda ctx, params: Wait(reason="Asked.")
    run_due(now=_PARIS)
    moved = _PARIS.date() - timedelta(days=1)
    known = {"end_date": _PARIS.isoformat()}
    Person.objects.filter(pk=ana.pk).update(
        end_date=moved, known_at=known, updated_at=_PARIS + _MINUTE
    )
    run_due(now=_PARIS + 2 * _MINUTE)
    assert _runs() == [("2026-11-03", "waiting")]
    Person.objects.update(updated_at=T0)
    run_due(now=_PARIS + 3 * _MINUTE)
    Run.objects.update(status=Run.Status.CANCELLED, finished_at=T0)
    run_due(now=_PARIS + 4 * _MINUTE)
    assert _runs() == [("2026-11-03", "cancelled"), ("2026-11-02", "waiting")]


def test_access_that_changes_later_counts(
    person_make: Callable[..., Person], workflow_make: Callable[..., Workflow]
) -> None:
    ana = person_make("ana", end_date=_PARIS.date())
    Person.objects.update(updated_at=T0)
    workflow_make(
        trigger={"type": "person.end_date", "params": {"at": "09:00"}},
        conditions=_rule("person.apps", "has", "slack"),
    )
    run_due(now=_PARIS)
    run_due(now=_PARIS + _MINUTE)
    assert _runs() == []
    app = Application.objects.create(key="slack", name="Slack")
    AppAccess.objects.create(application=app, person=ana, state="granted", since=T0)
    run_due(now=_PARIS + 2 * _MINUTE)
    assert _runs() == [("2026-11-03", "done")]


def test_new_day_counts_for_conditions_that_look_at_today(
    person_make: Callable[..., Person], workflow_make: Callable[..., Workflow]
) -> None:
    person_make("ana", start_date=_PARIS.date(), end_date=_PARIS.date() + timedelta(days=6))
    Person.objects.update(updated_at=T0)
    workflow_make(
        trigger={"type": "person.start_date", "params": {"at": "09:00"}},
        conditions=_rule("person.end_date", "in_next_days", 5),
    )
    before = datetime(2026, 11, 3, 22, 58, tzinfo=UTC)
    run_due(now=before - _MINUTE)
    run_due(now=before)
    assert _runs() == []
    run_due(now=before + 3 * _MINUTE)
    assert _runs() == [("2026-11-03", "done")]
