"""What the source may do to us: each case of the catalogue has a test that bears its number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.core import mail
from django.test import Client

from integrations.models import Connection, SyncRun
from integrations.services import connection_save, connection_test
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.subscriptions import webhook_subscribe
from integrations.sync import setup_finish
from integrations.tasks import sync_connections
from people.models import LifecycleEvent, Person
from siit_remote.lib import clock
from siit_remote.staleness import stale_report
from siit_remote.tests.people_with_roles import Company, small_company

ROOT = Path(__file__).resolve().parents[2]
CASES = {
    1: "an empty list with success",
    2: "a page that lacks rows, or totals that disagree",
    3: "errors, resets and broken bodies on any page",
    4: "the limit of requests",
    5: "an answer that drips",
    6: "a worker on two pages, a row that slipped between them",
    7: "a changed work email",
    8: "two employments on one work email",
    9: "another spelling of a work email",
    10: "no work email",
    11: "circles, strangers and chains of managers",
    12: "an end date that moves or is withdrawn",
    13: "an end date that lies behind us when it is first seen",
    14: "a first import full of leavers",
    15: "a token of another company",
    16: "a token revoked midway",
    17: "confidential leavings",
    18: "a cancelled onboarding",
    19: "words and shapes nobody announced",
    20: "a legitimate change of many",
    21: "a slow leak below the limit",
    22: "calls that come twice, late and out of order",
    23: "calls that are forged, old or about strangers",
    24: "calls that never come",
}
TOKEN = "ra_test_silent"


def test_every_case_has_a_test_of_its_number() -> None:
    found: set[int] = set()
    for path in (*ROOT.glob("integrations/tests/*.py"), Path(__file__)):
        found |= {int(number) for number in re.findall(r"def test_s(\d+)_", path.read_text())}
    assert found == set(CASES)


@pytest.fixture
def company(db: None) -> Company:
    made = small_company()
    Connection.objects.all().delete()
    return made


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(
        build_company(30, 1, clock.now().date(), "acme.example"), token=TOKEN
    ) as running:
        yield running


@pytest.fixture
def connection(company: Company, simulator: Simulator) -> Connection:
    made = connection_save(
        key="hr",
        connector="remote",
        name="Remote",
        config={"base_url": simulator.base_url},
        secrets={"api_token": TOKEN},
    )
    connection_test(made)
    setup_finish(made, actor=None, now=clock.now())
    webhook_subscribe(made, actor=None, now=clock.now())
    made.refresh_from_db()
    return made


def _pass(at: datetime) -> None:
    with clock.fixed(at):
        sync_connections()
        stale_report(now=at)


def test_s24_calls_that_never_come_are_made_up_for_by_the_poll_and_silence_is_told(
    company: Company, simulator: Simulator, connection: Connection
) -> None:
    begin = clock.now()
    person = Person.objects.filter(remote_id__gt="", status="active").order_by("pk").first()
    assert person is not None
    # Nothing calls: the address that was subscribed is nobody's.
    simulator.update(person.remote_id, job_title="Night Owl")
    _pass(begin + timedelta(hours=3))
    person.refresh_from_db()
    assert person.job_title != "Night Owl"
    _pass(begin + timedelta(hours=4, minutes=5))
    person.refresh_from_db()
    assert person.job_title == "Night Owl"
    assert not mail.outbox

    # Now the polls fail as well: nobody leaves, and after two intervals it is said, once.
    simulator.fault("/", kind="status", status=302, times=None)
    for minutes in (8 * 60 + 10, 9 * 60, 12 * 60 + 30, 13 * 60, 16 * 60):
        _pass(begin + timedelta(minutes=minutes))
    assert connection.syncs.filter(status=SyncRun.Status.FAILED).exists()
    assert not LifecycleEvent.objects.filter(field="status", baseline=False).exists()
    told = [message.subject for message in mail.outbox]
    assert any("out of date" in subject for subject in told)
    assert len(told) == len({(tuple(one.to), one.subject) for one in mail.outbox})
    client = Client()
    client.force_login(company.users["hr"])
    with clock.fixed(begin + timedelta(hours=16)):
        assert "may be out of date" in client.get("/requests/").content.decode()

    simulator.clear_faults()
    _pass(begin + timedelta(hours=21))
    with clock.fixed(begin + timedelta(hours=21)):
        assert "may be out of date" not in client.get("/requests/").content.decode()
