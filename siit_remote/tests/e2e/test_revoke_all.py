"""Whatever mixture of record and report: afterwards nothing remains at the peer, or it is open.

Against scim2-server, which nobody here wrote; what remains is read from it by plain requests.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests

from integrations.access_reading import access_read
from integrations.models import AppAccess, Application, Connection, ReportedAccess
from integrations.services import connection_save
from people.models import Person, Role
from siit_remote.lib import clock
from siit_remote.tests.e2e.peers import ScimServer, scim_server
from workflows.access.evidence import evidence_of
from workflows.access.leavers import leaver_of
from workflows.access.mending import Pair, access_mend
from workflows.engine.service import run_due
from workflows.models import Run, Task, Workflow, WorkflowVersion
from workflows.services import digest_of
from workflows.tasks_by_hand import task_done

pytestmark = [pytest.mark.peer, pytest.mark.django_db]
RECORDED = (None, "planned", "requested", "granted", "revoking", "failed", "uncertain", "by_hand")
DOCUMENT = {
    "format": "siit.workflow/1",
    "key": "leaving",
    "name": "Leaving",
    "trigger": {"type": "manual"},
    "steps": [{"key": "revoke", "action": "apps.revoke", "params": {"apps": "all"}}],
}


@pytest.fixture(scope="module")
def server() -> Iterator[ScimServer]:
    with scim_server() as running:
        yield running


@dataclass
class World:
    """One tenant of the peer with one account, and the person whose it is."""

    server: ScimServer
    tenant: str
    idp: Connection
    ana: Person
    account: str

    def post(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = requests.post(
            f"{self.server.base_url(self.tenant)}/{kind}",
            headers={"Authorization": f"Bearer {self.server.token}"},
            json=body,
            timeout=10,
        )
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def group(self, name: str, *, member: bool) -> None:
        members = [{"value": self.account}] if member else []
        schema = "urn:ietf:params:scim:schemas:core:2.0:Group"
        self.post("Groups", {"schemas": [schema], "displayName": name, "members": members})

    def active(self) -> bool:
        found = [
            user
            for user in self.server.resources(self.tenant)
            if user["id"] == self.account and user.get("active", True)
        ]
        return bool(found)

    def remains(self, application: Application) -> bool:
        """Whether the peer itself still lets the person in."""
        if application.provision_by == Application.Provision.GROUP:
            group = application.provision["group"]
            return self.account in self.server.members(self.tenant, group)
        return self.active()


@pytest.fixture
def world(server: ScimServer) -> World:
    tenant = f"t{uuid.uuid4().hex[:12]}"
    now = clock.now()
    idp = connection_save(
        key="idp",
        connector="scim",
        config={"base_url": server.base_url(tenant)},
        secrets={"bearer_token": server.token},
    )
    Connection.objects.filter(pk=idp.pk).update(status="ready")
    ana = Person.objects.create(
        work_email="ana@acme.test", full_name="Ana López", status="ended",
        end_date=(now - timedelta(days=1)).date(), timezone="UTC", created_at=now, updated_at=now,
    )  # fmt: skip
    Role.objects.get_or_create(name="it")
    made = World(server, tenant, Connection.objects.get(pk=idp.pk), ana, "")
    schema = "urn:ietf:params:scim:schemas:core:2.0:User"
    user = made.post("Users", {"schemas": [schema], "userName": "ana@acme.test", "active": True})
    made.account = user["id"]
    return made


def _applications(world: World, dice: random.Random) -> list[Application]:
    ways = ["group", "group", "group", "account", "task"]
    found = []
    for number, way in enumerate(ways):
        connection = None if way == "task" else world.idp
        provision = {"group": f"group-{number}"} if way == "group" else {}
        application = Application.objects.create(
            key=f"app-{number}", name=f"App {number}", connection=connection, provision_by=way,
            provision=provision,
        )  # fmt: skip
        if way == "group":
            world.group(f"group-{number}", member=dice.random() < 0.6)
        state = dice.choice(RECORDED)
        if state is not None:
            gone = state == "revoking" or (state not in ("planned", "requested", "granted")
                                           and dice.random() < 0.5)  # fmt: skip
            AppAccess.objects.create(
                application=application, person=world.ana, state=state, since=clock.now(),
                aim="gone" if gone else "have",
            )  # fmt: skip
        found.append(application)
    return found


def _start(world: World) -> Run:
    now = clock.now()
    workflow = Workflow.objects.create(
        key="leaving", name="Leaving", status="live", draft=DOCUMENT, draft_saved_at=now,
        created_at=now, live_since=now,
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=DOCUMENT, digest=digest_of(DOCUMENT),
        published_at=now,
    )  # fmt: skip
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    return Run.objects.create(
        workflow=workflow, version=version, person=world.ana, trigger="manual", anchor="manual:1",
        key="leaving-1", status="queued", due_at=now, wake_at=now, created_at=now,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_nothing_remains_at_the_peer_or_it_is_shown_as_open(world: World, seed: int) -> None:
    applications = _applications(world, random.Random(seed))
    run = _start(world)
    now = clock.now()
    run_due(now=now)
    run.refresh_from_db()
    still = {
        row.application_id for row in AppAccess.objects.filter(AppAccess.HELD, person=world.ana)
    }
    for application in applications:
        if application.connection is not None:
            assert application.pk in still or not world.remains(application), application.key
    shown = evidence_of(world.ana, hidden=(), now=now).still_open
    assert len(shown) >= len(still)
    assert run.status == ("waiting" if still else "done"), run.reason
    for task in Task.objects.filter(status="open"):
        task_done(task.pk, by=None, by_label="it@acme.test", comment="Gone.", now=now)
    run_due(now=now)
    run.refresh_from_db()
    assert run.status == "done", run.reason
    leaver = leaver_of(world.ana, now=now)
    assert leaver is not None
    for application in applications:
        assert application.connection is None or not world.remains(application)
    assert not AppAccess.objects.filter(AppAccess.HELD, person=world.ana).exists()


def test_what_failed_and_was_mended_at_the_peer_is_noticed_by_reading(world: World) -> None:
    world.group("crm", member=True)
    crm = Application.objects.create(
        key="crm", name="CRM", connection=world.idp, provision_by="group",
        provision={"group": "crm"},
    )  # fmt: skip
    run = _start(world)
    row = AppAccess.objects.create(
        application=crm, person=world.ana, state="failed", aim="gone", since=clock.now(),
        run_id=run.pk,
    )  # fmt: skip
    Workflow.objects.update(status="live")
    document = DOCUMENT | {
        "steps": [{"key": "end", "action": "flow.stop", "params": {"reason": "x"}}]
    }
    Run.objects.filter(pk=run.pk).update(document=document)
    now = clock.now()
    run_due(now=now)
    run.refresh_from_db()
    assert (run.status, Task.objects.get().status) == ("waiting", "open")
    assert "CRM (failed)" in run.reason
    for group in world.server.resources(world.tenant, "Groups"):
        requests.delete(
            f"{world.server.base_url(world.tenant)}/Groups/{group['id']}",
            headers={"Authorization": f"Bearer {world.server.token}"},
            timeout=10,
        ).raise_for_status()
    run_due(now=now + timedelta(hours=2))
    run.refresh_from_db()
    row.refresh_from_db()
    assert (run.status, row.state, Task.objects.get().status) == ("done", "revoked", "done")
    assert "read_back" in row.evidence


def test_import_lists_members_and_strangers_and_taking_is_read_back(world: World) -> None:
    stranger = world.post(
        "Users",
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": "bot@elsewhere.test",
            "active": True,
        },
    )["id"]
    world.group("design", member=True)
    figma = Application.objects.create(
        key="figma", name="Figma", connection=world.idp, provision_by="group",
        provision={"group": "design"},
    )  # fmt: skip
    everybody = Application.objects.create(
        key="okta", name="Okta", connection=world.idp, provision_by="account"
    )
    missing = Application.objects.create(
        key="none", name="None", connection=world.idp, provision_by="group",
        provision={"group": "no such group"},
    )  # fmt: skip
    now = clock.now()
    access_read([figma, everybody, missing], now=now)
    assert set(figma.reported.values_list("external_id", "person")) == {
        (world.account, world.ana.pk)
    }
    assert set(everybody.reported.values_list("external_id", "person")) == {
        (world.account, world.ana.pk), (stranger, None),
    }  # fmt: skip
    missing.refresh_from_db()
    assert "no group" in missing.reading.error
    done = access_mend(
        [Pair(application=figma, person=world.ana)], "take", reason="Left", now=now, actor=None
    )
    run_due(now=now)
    run = Run.objects.get(pk=done.runs[0].pk)
    assert run.status == "done", run.reason
    assert not world.remains(figma)
    row = AppAccess.objects.get(application=figma)
    assert row.evidence["read_back"] == "not a member of the group"
    assert any(call["status"] in (200, 204) for call in row.evidence["calls"])
    access_read([figma], now=now + timedelta(hours=1))
    assert ReportedAccess.objects.get(application=figma).gone_at is not None
