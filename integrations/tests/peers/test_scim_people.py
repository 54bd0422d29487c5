"""People of an independent SCIM server: set up, synced, and with the source of each value."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from integrations.connectors.scim.discovery import ENTERPRISE
from integrations.models import Connection
from integrations.services import connection_test
from integrations.sync import run_sync, setup_finish
from integrations.tests.peers.test_scim_server import BEARER, _started
from people.fields_policy import Terms, proposal_apply, proposal_create
from people.models import Person
from people.tests.build import boss, feed, person, worker
from siit_remote.lib import clock

pytestmark = [pytest.mark.peer, pytest.mark.django_db]
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    process, url = _started()
    try:
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _seed(base: str, user_name: str, **more: Any) -> str:
    extension = more.pop("enterprise", {})
    body = {
        "schemas": [CORE, ENTERPRISE],
        "userName": user_name,
        "emails": [{"value": user_name, "primary": True}],
        ENTERPRISE: extension,
        **more,
    }
    made = requests.post(
        f"{base}/Users", headers={"Authorization": f"Bearer {BEARER}"}, json=body, timeout=5
    )
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def test_provider_and_remote_share_one_person_and_each_value_knows_its_source(
    server: str,
) -> None:
    base = f"{server}/t{uuid.uuid4().hex[:12]}/v2"
    lead = _seed(base, "boss@acme.test", displayName="Boss")
    _seed(
        base,
        "w1@acme.test",
        name={"givenName": "Wanda", "familyName": "One"},
        title="Platform Lead",
        locale="fr-FR",
        timezone="Europe/Paris",
        enterprise={"department": "Platform", "manager": {"value": lead}},
    )
    _seed(base, "guest@partner.test", displayName="Guest", active=True)
    _seed(base, "gone@partner.test", displayName="Gone", active=False)
    feed([boss(), worker("w1", job_title="Engineer", contract_type="full_time")])
    row = Connection.objects.create(
        key="idp",
        connector="scim",
        name="Okta",
        config={"base_url": base, "people": "yes"},
        created_at=clock.now(),
    )
    row.set_secrets({"bearer_token": BEARER})
    row.save()
    assert connection_test(row).problems == ()
    report = setup_finish(row, actor=None, now=clock.now())
    assert (report.status, report.created) == ("applied", 1)
    assert [entry["name"] for entry in report.skipped] == ["Gone"]
    assert Person.objects.get(work_email="guest@partner.test").status == "external"
    wanted = {name: Terms(sources=("idp",)) for name in ("full_name", "job_title", "team")}
    wanted |= {name: Terms(sources=("remote",)) for name in ("country", "legal_entity")}
    proposal = proposal_create(wanted, now=clock.now(), actor=None)
    assert proposal is not None
    proposal_apply(proposal, now=clock.now())
    found = person("w1")
    assert (found.full_name, found.job_title, str(found.team)) == (
        "Wanda One",
        "Platform Lead",
        "Platform",
    )
    assert found.manager == person("boss")
    assert (found.language, found.timezone) == ("fr-FR", "Europe/Paris")
    assert {name: found.value_sources[name] for name in ("job_title", "country", "team")} == {
        "job_title": "idp",
        "country": "remote",
        "team": "idp",
    }
    again = run_sync(row, trigger="manual")
    assert (again.status, again.created, again.updated) == ("applied", 0, 0)
