"""Workflows against an independent SCIM server that is down, loses answers, and contradicts.

Whatever happens between, in the end each person has one account, it stands as decided, and every
step says so.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import requests

from integrations.models import Circuit, Connection, Delivery
from integrations.services import connection_save, connection_test
from integrations.tests.fault_proxy import FaultProxy, faults_before
from integrations.tests.peers.test_scim_server import BEARER, _started
from integrations.tests.servers import Answer, Asked
from siit_remote.lib import clock
from workflows.engine.service import run_due
from workflows.models import Run, StepRun
from workflows.tests.engine import nodes
from workflows.tests.engine.conftest import DUE, END, person_make, workflow_make
from workflows.tests.engine.simulation import limits_lift

pytestmark = [pytest.mark.peer, pytest.mark.django_db]
__all__ = ["person_make", "workflow_make"]
Make = Callable[..., Any]
PEOPLE = 6
WRITES = ("POST", "PUT", "PATCH", "DELETE")
JOIN_AND_LEAVE = [
    {"key": "join", "action": "idp.create_account", "params": {"connection": "idp"}},
    {"key": "leave", "action": "idp.suspend_account", "params": {"connection": "idp"}},
]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    process, url = _started()
    try:
        yield url
    finally:
        process.terminate()
        process.wait(10)


class World:
    """One tenant behind the proxy, and a judge that goes around it."""

    def __init__(self, proxy: FaultProxy, tenant: str) -> None:
        self.proxy, self.tenant = proxy, tenant

    def users(self) -> dict[str, list[bool]]:
        answer = requests.get(
            f"{self.proxy.upstream}{self.tenant}/Users",
            headers={"Authorization": f"Bearer {BEARER}"},
            timeout=5,
        ).json()
        found: dict[str, list[bool]] = {}
        for user in answer.get("Resources", []):
            found.setdefault(user["userName"], []).append(user.get("active", True))
        return found

    def seed(self, name: str, *, active: bool = True) -> str:
        made = requests.post(
            f"{self.proxy.upstream}{self.tenant}/Users",
            headers={"Authorization": f"Bearer {BEARER}"},
            json={
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": name,
                "emails": [{"value": name, "primary": True}],
                "active": active,
            },
            timeout=5,
        )
        assert made.status_code == 201
        return str(made.json()["id"])

    def delete(self, external_id: str) -> None:
        gone = requests.delete(
            f"{self.proxy.upstream}{self.tenant}/Users/{external_id}",
            headers={"Authorization": f"Bearer {BEARER}"},
            timeout=5,
        )
        assert gone.status_code == 204


@pytest.fixture
def world(server: str, person_make: Make, workflow_make: Make) -> Iterator[World]:
    nodes.install()
    limits_lift()
    tenant = f"/t{uuid.uuid4().hex[:12]}/v2"
    with faults_before(server) as proxy:
        row = connection_save(
            key="idp",
            connector="scim",
            config={"base_url": f"{proxy.url}{tenant}"},
            secrets={"bearer_token": BEARER},
        )
        assert connection_test(row).problems == ()
        assert row.status == Connection.Status.READY
        for number in range(PEOPLE):
            person_make(f"p{number}", end_date=END)
        workflow_make("both", steps=JOIN_AND_LEAVE)
        proxy.forwarded.clear()
        yield World(proxy, tenant)


def work(minutes: float, *, since: datetime = DUE, every: float = 1) -> datetime:
    at = since
    while at <= since + timedelta(minutes=minutes):
        with clock.fixed(at):
            run_due(now=at)
        at += timedelta(minutes=every)
    return at


def assert_done_once(world: World) -> None:
    assert {step.status for step in StepRun.objects.all()} == {StepRun.Status.DONE}
    assert set(Run.objects.values_list("status", flat=True)) == {Run.Status.DONE}
    users = world.users()
    assert len(users) == PEOPLE
    assert all(states == [False] for states in users.values())


def test_server_that_is_down_for_six_hours(world: World) -> None:
    world.proxy.before = lambda asked: Answer(drop=True)
    back = work(360, every=5)
    assert world.proxy.forwarded == []
    assert Circuit.objects.filter(opened_at__isnull=False).exists()
    assert not Run.objects.filter(status=Run.Status.FAILED).exists()
    world.proxy.before = lambda asked: None
    work(3, since=back)
    assert_done_once(world)


def test_answers_lost_after_the_effect(world: World) -> None:
    lost: set[tuple[str, str]] = set()

    def losing(asked: Asked, answer: Answer) -> Answer:
        mark = (asked.method, asked.path if asked.method != "POST" else asked.body.decode())
        if asked.method not in WRITES or mark in lost:
            return answer
        lost.add(mark)
        return Answer(drop=True)

    world.proxy.after = losing
    work(45, every=3)
    assert len(lost) >= 2 * PEOPLE
    assert_done_once(world)
    created = [one for one in world.proxy.forwarded if one.method == "POST"]
    assert len(created) == PEOPLE
    assert Delivery.objects.filter(outcome="uncertain").count() >= PEOPLE


def test_success_with_an_error_inside_is_not_believed(world: World) -> None:
    """A gateway says 200 to each first write, and inside that it has failed; nothing happened."""
    seen: set[str] = set()
    error = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "500",
        "detail": "backend not available",
    }

    def lying(asked: Asked) -> Answer | None:
        mark = f"{asked.method} {asked.path} {asked.body!r}"
        if asked.method not in WRITES or mark in seen:
            return None
        seen.add(mark)
        return Answer(200, json=error)

    world.proxy.before = lying
    work(45, every=3)
    assert_done_once(world)


def test_storm_of_refusals(world: World) -> None:
    counted = [0]

    def limited(asked: Asked) -> Answer | None:
        counted[0] += 1
        return Answer(429, headers={"Retry-After": "30"}) if counted[0] % 12 == 0 else None

    world.proxy.before = limited
    work(40)
    assert_done_once(world)
    refused = Delivery.objects.filter(error_code="rate_limited").count()
    assert 0 < refused <= 20


def test_account_that_is_there_already_and_hides_from_the_filter(world: World) -> None:
    """Found nowhere, so it is created; the server says 409; then it is looked for again."""
    for number in range(PEOPLE):
        world.seed(f"p{number}@acme.test")
    refused: set[str] = set()

    def hiding(asked: Asked) -> Answer | None:
        about = json.loads(asked.body)["userName"] if asked.method == "POST" else ""
        if about:
            refused.add(about)
            return None
        listed = asked.method == "GET" and asked.path.endswith("/Users")
        if listed and len(refused) < PEOPLE and "filter" in asked.query:
            hidden = [name for name in refused if name in asked.query["filter"]]
            if not hidden:
                return Answer(
                    200,
                    json={
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                        "totalResults": 0,
                        "Resources": [],
                    },
                )
        return None

    world.proxy.before = hiding
    work(30, every=3)
    assert_done_once(world)


def test_account_that_is_gone_when_it_is_to_be_suspended(world: World, workflow_make: Make) -> None:
    """Somebody deleted it by hand meanwhile: nothing is left to take away, and nobody is asked."""
    ids = {}

    def deleting(asked: Asked) -> Answer | None:
        if asked.method in ("PATCH", "PUT") and asked.path.rpartition("/")[2] not in ids:
            external_id = asked.path.rpartition("/")[2]
            ids[external_id] = True
            world.delete(external_id)
        return None

    world.proxy.before = deleting
    work(30, every=3)
    assert world.users() == {}
    assert len(ids) == PEOPLE
    settled = set(StepRun.objects.filter(key="leave").values_list("status", flat=True))
    assert settled <= {StepRun.Status.DONE, StepRun.Status.SKIPPED}
