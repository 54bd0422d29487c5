"""Targets that are down, slow us down, refuse us or lose answers: nothing lost, nothing twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from integrations.circuits import FIRST_PROBE, LONGEST_PROBE, OPENS_AFTER
from integrations.delivery import Purpose, calling_for
from integrations.models import Circuit, Connection, Delivery
from integrations.services import client_for, connection_save, connection_test
from integrations.tests.servers import Answer, Asked, Served, serving
from siit_remote.lib import clock
from workflows.engine.service import run_due
from workflows.models import Attempt, Run, StepRun
from workflows.tests.engine.conftest import DUE, END
from workflows.tests.engine.simulation import limits_lift

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
PEOPLE = 15
SECRET = "a signing secret"


@dataclass
class Target:
    """A receiver that honours idempotency keys, and can be told to misbehave."""

    behave: Callable[[Asked], Answer | None] = lambda asked: None
    effects: Counter[str] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    server: Served | None = None

    def __call__(self, asked: Asked) -> Answer:
        if asked.method == "HEAD":
            return self.behave(asked) or Answer(200)
        odd = self.behave(asked)
        if odd is not None and not odd.drop:
            return odd
        key = asked.headers["idempotency-key"]
        if key not in self.keys:
            self.keys.add(key)
            self.effects[asked.json()["person"]["work_email"]] += 1
        return odd or Answer(200, json={"ok": True})


@pytest.fixture
def target() -> Iterator[Target]:
    limits_lift()
    found = Target()
    with serving(found) as server:
        found.server = server
        row = connection_save(
            key="target",
            connector="http",
            config={"base_url": server.url},
            secrets={"signing_secret": SECRET},
        )
        connection_test(row)
        Delivery.objects.all().delete()
        yield found


@pytest.fixture
def leavers(person_make: Make, workflow_make: Make, target: Target) -> None:
    for number in range(PEOPLE):
        person_make(f"p{number:02}", end_date=END)
    workflow_make(
        "call",
        steps=[{"key": "call", "action": "http.call", "params": {"connection": "target"}}],
    )


def work(at: datetime) -> None:
    with clock.fixed(at):
        run_due(now=at)


def work_each(minutes: float, *, start: datetime, until: timedelta) -> datetime:
    at = start
    while at <= start + until:
        work(at)
        at += timedelta(minutes=minutes)
    return at


def assert_once_each(target: Target) -> None:
    assert len(target.effects) == PEOPLE
    assert set(target.effects.values()) == {1}
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.DONE}
    assert not Run.objects.exclude(awaits="").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("leavers")
def test_six_hours_down_lose_nothing_cost_little_and_are_over_within_minutes(
    target: Target,
) -> None:
    target.behave = lambda asked: Answer(503)
    assert target.server is not None
    back = work_each(2, start=DUE, until=timedelta(hours=6))
    calls = len(target.server.asked)
    # At most one call each time a probe was due.
    assert calls <= OPENS_AFTER + timedelta(hours=6) / LONGEST_PROBE + 5
    # Who waits looks by itself once an hour, and costs nothing else.
    assert Attempt.objects.count() <= calls + 7 * PEOPLE
    circuit = Circuit.objects.get()
    assert circuit.opened_at is not None
    assert circuit.opened_at - DUE < timedelta(minutes=1)
    waiting = Run.objects.filter(status=Run.Status.WAITING, awaits="target")
    assert waiting.count() == PEOPLE
    assert all("again" in run.reason for run in waiting)
    target.behave = lambda asked: None
    work_each(1, start=back, until=LONGEST_PROBE)
    assert_once_each(target)
    assert Circuit.objects.get().opened_at is None


@pytest.mark.usefixtures("leavers")
def test_storm_of_refusals_is_waited_out_as_the_target_asks(target: Target) -> None:
    allowed = [5]

    def limited(asked: Asked) -> Answer | None:
        if allowed[0] > 0:
            allowed[0] -= 1
            return None
        return Answer(429, headers={"Retry-After": "60"})

    target.behave = limited
    assert target.server is not None
    at = DUE
    for _ in range(12):
        asked = len(target.server.asked)
        work(at)
        work(at + timedelta(seconds=30))
        # One refusal for everybody, and none while it is waited for.
        assert len(target.server.asked) - asked <= 6
        at += timedelta(seconds=61)
        allowed[0] = 5
    assert_once_each(target)


@pytest.mark.usefixtures("leavers")
def test_answers_lost_after_the_effect_are_asked_for_again_by_the_same_key(
    target: Target,
) -> None:
    seen: Counter[str] = Counter()

    def lossy(asked: Asked) -> Answer | None:
        seen[asked.headers["idempotency-key"]] += 1
        first = seen[asked.headers["idempotency-key"]] == 1
        return Answer(drop=True) if first and len(seen) % 3 == 0 else None

    target.behave = lossy
    work_each(1, start=DUE, until=timedelta(minutes=15))
    assert_once_each(target)
    assert Delivery.objects.filter(outcome="uncertain").count() == PEOPLE // 3
    assert max(seen.values()) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("leavers")
def test_dead_credential_stops_its_connection_and_all_goes_on_once_it_is_replaced(
    target: Target, person_make: Make, workflow_make: Make
) -> None:
    dead = [False]

    def refusing(asked: Asked) -> Answer | None:
        if asked.headers.get("authorization") == "Bearer new":
            return None
        dead[0] = dead[0] or len(target.effects) >= 10
        return Answer(401) if dead[0] else None

    target.behave = refusing
    person_make("zoe", end_date=END, start_date=END)
    workflow_make("other", trigger={"type": "test.day", "params": {"field": "start_date"}})
    work(DUE)
    assert target.server is not None
    calls = len(target.server.asked)
    refused = [row for row in Delivery.objects.all() if row.status_code == 401]
    assert len(refused) == 1
    # Another connection's work, and work without one, went on.
    assert Run.objects.get(workflow__key="other").status == Run.Status.DONE
    row = Connection.objects.get()
    assert row.status == Connection.Status.NEEDS_ATTENTION
    held = Run.objects.filter(status=Run.Status.HELD, awaits="target")
    assert held.count() == PEOPLE + 1 - 10
    work_each(30, start=DUE + timedelta(minutes=1), until=timedelta(hours=80))
    assert len([one for one in target.server.asked if one.method != "HEAD"]) == calls - 1
    at = DUE + timedelta(hours=81)
    connection_save(key="target", connector="http", config={}, secrets={"bearer_token": "new"})
    with clock.fixed(at):
        assert connection_test(Connection.objects.get()).problems == ()
    work(at)
    assert len(target.effects) == PEOPLE + 1
    assert set(target.effects.values()) == {1}
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.DONE}


@pytest.mark.usefixtures("leavers")
def test_the_most_urgent_run_is_the_probe(target: Target, workflow_make: Make) -> None:
    target.behave = lambda asked: Answer(500)
    for minutes in range(2):
        work(DUE + timedelta(minutes=minutes))
    urgent = Run.objects.order_by("pk").last()
    assert urgent is not None
    Run.objects.filter(pk=urgent.pk).update(lane=Run.Lane.URGENT)
    due = Circuit.objects.get().probe_at
    assert due is not None
    assert target.server is not None
    asked = len(target.server.asked)
    work(due)
    assert len(target.server.asked) == asked + 1
    assert target.server.asked[-1].headers["idempotency-key"] == (
        StepRun.objects.get(run=urgent).idempotency_key
    )


@pytest.mark.usefixtures("leavers")
def test_every_call_says_what_it_was_made_for(target: Target) -> None:
    work(DUE)
    rows = Delivery.objects.filter(connection__key="target")
    assert rows.count() == PEOPLE
    for row in rows:
        run = Run.objects.get(pk=row.run_id)
        assert (row.purpose, row.person_id, row.attempt) == (
            "Call an endpoint",
            run.person_id,
            1,
        )


@pytest.mark.usefixtures("leavers")
def test_calls_that_carry_no_key_are_found_at_their_step_too(target: Target) -> None:
    """What is only read sends no key and belongs to a step as well."""
    key = StepRun.objects.values_list("idempotency_key", flat=True)
    purpose = Purpose(words="Look up", run_id=1, key="step-key")
    with calling_for(purpose):
        client: Any = client_for(Connection.objects.get())
        client.test()
    read = Delivery.objects.get()
    assert (read.operation.split()[0], read.idempotency_key) == ("HEAD", "step-key")
    work(DUE)
    sent = Delivery.objects.exclude(pk=read.pk).values_list("idempotency_key", flat=True)
    assert set(sent) == set(key)


@pytest.mark.usefixtures("leavers")
def test_a_deleted_connection_is_said_and_not_waited_for(target: Target) -> None:
    target.behave = lambda asked: Answer(503)
    work(DUE)
    Connection.objects.all().delete()
    work(DUE + FIRST_PROBE)
    assert not Run.objects.exclude(awaits="").exists()
    assert all("does not exist" in step.error for step in StepRun.objects.all())
