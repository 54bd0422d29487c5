"""Workflows against independent identity providers, with mitmproxy's faults before them.

Whatever happens between, in the end each person has one account, it stands as decided, every step
says so, and every failed call stands at its run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from integrations import transport
from integrations.circuits import LONGEST_PROBE
from integrations.models import Circuit, Connection, Delivery
from integrations.services import connection_test
from integrations.tests.mitm import Mitm, mitm_before
from integrations.tests.peers.emulate import emulate
from integrations.tests.peers.test_scim_server import _started
from siit_remote.lib import clock
from workflows.engine.service import run_due
from workflows.models import Run, StepRun
from workflows.tests.engine import nodes
from workflows.tests.engine.conftest import DUE, END, person_make, workflow_make
from workflows.tests.engine.simulation import limits_lift
from workflows.tests.peers.accounts_kit import Okta, Provider, Scim

pytestmark = [pytest.mark.peer, pytest.mark.django_db]
__all__ = ["person_make", "workflow_make"]
Make = Callable[..., Any]
PEOPLE = 4
WRITES = ["POST", "PUT", "PATCH", "DELETE"]
STEPS = [
    {"key": "join", "action": "idp.create_account", "params": {"connection": "idp"}},
    {"key": "leave", "action": "idp.suspend_account", "params": {"connection": "idp"}},
]


@pytest.fixture(scope="module", params=[Scim, Okta], ids=["scim2-server", "emulate-okta"])
def behind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[type[Provider], Mitm]]:
    """A running provider with mitmproxy before it."""
    folder = tmp_path_factory.mktemp("mitm")
    if request.param is Okta:
        with (
            emulate(folder, ("okta",), {"okta": {}}) as (url,),
            mitm_before(url, folder / "mitm") as mitm,
        ):
            yield Okta, mitm
        return
    process, url = _started()
    try:
        with mitm_before(url, folder / "mitm") as mitm:
            yield Scim, mitm
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def idp(behind: tuple[type[Provider], Mitm], person_make: Make, workflow_make: Make) -> Provider:
    """Connected and tested without faults; people who join and leave."""
    nodes.install()
    limits_lift()
    kind, mitm = behind
    mitm.fault()
    found = kind(mitm)
    row = found.connect()
    assert connection_test(row).problems == ()
    assert row.status == Connection.Status.READY
    Delivery.objects.all().delete()
    for number in range(PEOPLE):
        person_make(found.email(number).partition("@")[0], end_date=END)
    workflow_make("both", steps=STEPS)
    return found


def work(minutes: float, *, since: datetime = DUE, every: float = 3) -> datetime:
    at = since
    while at <= since + timedelta(minutes=minutes):
        with clock.fixed(at):
            run_due(now=at)
        at += timedelta(minutes=every)
    return at


def assert_done_once(idp: Provider, *, gone: bool = False) -> None:
    assert {step.status for step in StepRun.objects.all()} == {StepRun.Status.DONE}
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.DONE}
    states = idp.states()
    assert states == {} if gone else states == {idp.email(n): [False] for n in range(PEOPLE)}


def assert_visible(**failed: Any) -> None:
    """Every call that failed stands at the run it was made for, and on its page."""
    rows = Delivery.objects.exclude(outcome="ok").filter(**failed)
    assert rows.exists()
    assert not rows.filter(run_id=None).exists()
    assert not rows.exclude(person_id__in=Run.objects.values("person")).exists()


def test_six_hours_down_and_drained_within_minutes(idp: Provider, admin_client: Client) -> None:
    idp.mitm.fault({"kind": "down", "times": 0})
    back = work(360, every=10)
    calls = idp.mitm.calls()
    assert calls
    assert not any(call.forwarded for call in calls)
    # It is left alone: no more than one call each time a probe was due.
    assert len(calls) <= timedelta(hours=6) / LONGEST_PROBE + 20
    circuit = Circuit.objects.get(opened_at__isnull=False)
    assert not Run.objects.filter(status=Run.Status.FAILED).exists()
    waiting = Run.objects.filter(status=Run.Status.WAITING, awaits="idp")
    assert waiting.count() == PEOPLE
    failed = Delivery.objects.exclude(outcome="ok").first()
    assert failed is not None
    page = admin_client.get(f"/runs/{failed.run_id}/").content.decode()
    assert "goes on by itself" in page
    assert "outside</summary>" in " ".join(page.split())
    assert_visible()
    idp.mitm.fault()
    ended = work(4, since=back, every=1)
    assert ended - back <= timedelta(minutes=5)
    assert_done_once(idp)
    circuit.refresh_from_db()
    assert circuit.opened_at is None


def test_answers_lost_after_the_effect(idp: Provider) -> None:
    idp.mitm.fault({"kind": "lost", "methods": WRITES})
    work(45)
    calls = idp.mitm.calls()
    assert sum(call.fault == "lost" for call in calls) >= 2 * PEOPLE
    assert_done_once(idp)
    made = [call for call in calls if call.method == "POST" and "lifecycle" not in call.path]
    assert len(made) == PEOPLE, "read back instead of made again"
    assert_visible(outcome="uncertain")


def test_success_with_an_error_inside_is_not_believed(idp: Provider) -> None:
    """A gateway says 200 to each first write, and inside that it failed; nothing happened."""
    idp.mitm.fault(
        {
            "kind": "answer",
            "methods": WRITES,
            "status": 200,
            "headers": {"Content-Type": "application/json"},
            "body": idp.error_inside,
        }
    )
    work(45)
    assert idp.mitm.faulted() >= 2 * PEOPLE
    assert_done_once(idp)


def test_storm_of_429_is_waited_out_as_asked(idp: Provider) -> None:
    idp.mitm.fault({"kind": "answer", "every": 8, "status": 429, "headers": {"Retry-After": "30"}})
    work(40, every=1)
    assert_done_once(idp)
    assert 0 < Delivery.objects.filter(error_code="rate_limited").count() <= 20
    assert_visible(error_code="rate_limited")


def test_server_errors_pass(idp: Provider) -> None:
    """Each call fails once: reading by a gateway's page, writing by the server's own word."""
    idp.mitm.fault(
        {"kind": "answer", "methods": ["GET"], "status": 502, "body": "<html>bad gateway</html>"},
        {"kind": "answer", "methods": WRITES, "status": 503},
    )
    work(60, every=5)
    assert idp.mitm.faulted() >= 2 * PEOPLE
    assert_done_once(idp)
    assert_visible(status_code=502)
    assert_visible(status_code=503)


def test_slow_answers_to_writes(idp: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "READ_TIMEOUT", 0.5)
    idp.mitm.fault({"kind": "slow", "methods": WRITES, "seconds": 0.8})
    work(45)
    assert_done_once(idp)
    assert_visible(outcome="uncertain")


def test_answers_cut_in_the_middle(idp: Provider) -> None:
    idp.mitm.fault({"kind": "cut"})
    work(60)
    assert idp.mitm.faulted() >= PEOPLE
    assert_done_once(idp)
    assert_visible()


def test_account_that_is_there_and_hides_until_it_is_to_be_made(idp: Provider) -> None:
    """Found nowhere, so it is made; the server says that it is there; then it is looked for."""
    for number in range(PEOPLE):
        idp.seed(idp.email(number))
    idp.mitm.fault(*({"kind": "hidden", **rule} for rule in idp.nobody))
    work(30)
    calls = idp.mitm.calls()
    assert sum(call.fault == "hidden" for call in calls) >= PEOPLE
    assert_done_once(idp)
    assert_visible()


def test_account_that_is_not_there_any_more_when_it_is_taken_away(idp: Provider) -> None:
    """404 on revoke: nothing is left to take away, and nobody is asked."""
    if isinstance(idp, Scim):
        idp.mitm.fault({"kind": "gone", **idp.revoke})
    else:
        idp.mitm.fault({"kind": "answer", "status": 404, "body": "{}", "times": 0, **idp.revoke})
    work(30)
    assert idp.mitm.faulted() >= PEOPLE
    settled = StepRun.objects.filter(key="leave")
    if isinstance(idp, Scim):
        assert idp.states() == {}
        assert {step.status for step in settled} <= {StepRun.Status.DONE, StepRun.Status.SKIPPED}
        return
    # It answers 404 and still has the account active: that is not believed.
    assert {step.status for step in settled}.isdisjoint({StepRun.Status.DONE})
