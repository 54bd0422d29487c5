"""Our Okta client against emulate's Okta, which nobody here wrote.

It keeps users, groups and who belongs to them. It ignores filters, so that only comparing finds
the right user. Of assignments it knows the list, and how one ends; one is made by another verb than
the vendor documents (``PUT``, not ``POST``), which the tests translate here. What it does not know,
sessions among it, is held against the vendor's documentation in ``connectors/test_okta.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from integrations.access import access_grant, access_reported, access_revoke
from integrations.access_reading import access_read
from integrations.connectors.base import CONNECTORS, AccountProfile, ConnectionSettings
from integrations.errors import PermanentError
from integrations.models import AppAccess, Application, Connection
from integrations.services import connection_save
from integrations.tests.peers.emulate import emulate
from integrations.tests.servers import transport_to_loopback
from integrations.transport import HttpTransport
from people.models import Person
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from integrations.connectors.base import HttpResponse

pytestmark = pytest.mark.peer

KEY = "run-1-step"
ANA = AccountProfile(
    work_email="ana@acme.test",
    username="ana@acme.test",
    full_name="Ana López",
    given_name="Ana",
    family_name="López",
)
SEED = {
    "okta": {
        "users": [
            {"login": f"person{n}@acme.test", "email": f"person{n}@acme.test"} for n in range(30)
        ],
        "groups": [
            {"name": "Everyone", "type": "BUILT_IN", "okta_id": "00g_everyone"},
            {"name": "GitHub users", "okta_id": "00g_github"},
            {"name": "GitHub users abroad", "okta_id": "00g_abroad"},
        ],
        "apps": [
            {"name": "github", "label": "GitHub", "okta_id": "0oa_github"},
            {"name": "github_enterprise", "label": "GitHub Enterprise", "okta_id": "0oa_ghe"},
        ],
    }
}


@pytest.fixture(autouse=True)
def assigning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real door, where only the verb that makes an assignment is said as emulate says it."""
    ours = HttpTransport.request

    def request(door: HttpTransport, method: str, url: str, **more: Any) -> HttpResponse:
        if method == "POST" and url.endswith("/users") and "/apps/" in url:
            method, url = "PUT", f"{url}/{more['json']['id']}"
        return ours(door, method, url, **more)

    monkeypatch.setattr(HttpTransport, "request", request)


@pytest.fixture
def okta(tmp_path: Path) -> Iterator[str]:
    with emulate(tmp_path, ("okta",), SEED) as (address,):
        yield address


def _client(address: str, **config: str) -> Any:
    connector = CONNECTORS.get("okta")
    assert connector is not None
    settings = ConnectionSettings(
        key="okta", config={"base_url": address, **config}, secrets={"api_token": "any"}
    )
    return connector.client(settings, transport_to_loopback())


def _all(address: str, *parts: str) -> list[dict[str, Any]]:
    url, found = "/".join((address, "api/v1", *parts)), []
    while url:
        answer = requests.get(url, headers={"Authorization": "SSWS judge"}, timeout=5)
        found += answer.json()
        url = answer.links.get("next", {}).get("url", "")
    return found


def _status(address: str) -> dict[str, str]:
    return {one["profile"]["login"]: one["status"] for one in _all(address, "users")}


def test_an_account_from_the_first_to_the_last_day(okta: str) -> None:
    client = _client(okta)
    assert client.test().capabilities == {"users": True, "groups": True, "apps": True}
    before = _status(okta)
    assert client.find_account(work_email="ana@acme.test") is None
    made, created = client.create_account(ANA, idempotency_key=KEY)
    again, created_again = client.create_account(ANA, idempotency_key=KEY)
    assert (created, created_again) == (True, False)
    assert made.external_id == again.external_id
    found = client.find_account(work_email="ANA@acme.test")
    assert found is not None
    assert found.external_id == made.external_id
    updated = client.update_account(
        made.external_id,
        replace(ANA, full_name="Ana Vidal", family_name="Vidal"),
        idempotency_key=KEY,
    )
    assert updated.changed == ("name",)
    for _ in range(2):
        assert client.suspend_account(made.external_id, idempotency_key=KEY).active is False
    assert _status(okta) == {**before, "ana@acme.test": "SUSPENDED"}
    assert client.reactivate_account(made.external_id, idempotency_key=KEY).active is True
    strict = _client(okta, leaving="deactivated")
    assert strict.suspend_account(made.external_id, idempotency_key=KEY).active is False
    assert _status(okta) == {**before, "ana@acme.test": "DEPROVISIONED"}
    (ana,) = [one for one in _all(okta, "users") if one["id"] == made.external_id]
    assert (ana["profile"]["firstName"], ana["profile"]["lastName"]) == ("Ana", "Vidal")


def test_groups(okta: str) -> None:
    client = _client(okta)
    made, _ = client.create_account(ANA, idempotency_key=KEY)
    for _ in range(2):
        client.add_to_group(made.external_id, "github users", idempotency_key=KEY)
        client.add_to_group(made.external_id, "Brand new", idempotency_key=KEY)
    assert client.groups_of(made.external_id) == ("Brand new", "GitHub users")
    assert [one["id"] for one in _all(okta, "groups", "00g_github", "users")] == [made.external_id]
    assert _all(okta, "groups", "00g_abroad", "users") == []
    assert client.members_of("GitHub users") == (made.external_id,)
    assert client.members_of("No such group") is None
    ours = {one.external_id: one.username for one in client.all_accounts()}
    assert ours == {one["id"]: one["profile"]["login"] for one in _all(okta, "users")}
    for _ in range(2):
        client.remove_from_group(made.external_id, "GitHub users", idempotency_key=KEY)
    assert client.groups_of(made.external_id) == ("Brand new",)


def test_an_application_is_assigned_reported_and_taken_away(okta: str) -> None:
    client = _client(okta)
    ana, _ = client.create_account(ANA, idempotency_key=KEY)
    bob, _ = client.create_account(
        replace(ANA, work_email="bob@acme.test", username="bob@acme.test"), idempotency_key=KEY
    )
    github = client.assignment_of("GitHub")
    for _ in range(2):
        client.add_to_group(ana.external_id, github, idempotency_key=KEY)
    client.add_to_group(bob.external_id, github, idempotency_key=KEY)
    assert {one["id"] for one in _all(okta, "apps", "0oa_github", "users")} == {
        ana.external_id,
        bob.external_id,
    }
    assert _all(okta, "apps", "0oa_ghe", "users") == []
    assert client.groups_of(ana.external_id) == (github,)
    assert set(client.members_of(github)) == {ana.external_id, bob.external_id}
    assert client.members_of(client.assignment_of("Figma")) is None
    for _ in range(2):
        client.remove_from_group(ana.external_id, github, idempotency_key=KEY)
    assert [one["id"] for one in _all(okta, "apps", "0oa_github", "users")] == [bob.external_id]
    with pytest.raises(PermanentError, match="Okta has no application “Figma”"):
        client.add_to_group(ana.external_id, client.assignment_of("Figma"), idempotency_key=KEY)


@pytest.mark.django_db
def test_access_of_an_application_given_by_assignment(okta: str) -> None:
    """Given, reported, drifting and taken through the records of access, judged at the peer."""
    now = clock.now()
    idp = connection_save(
        key="okta", connector="okta", config={"base_url": okta}, secrets={"api_token": "any"}
    )
    Connection.objects.filter(pk=idp.pk).update(status="ready")
    idp.refresh_from_db()
    github = Application.objects.create(
        key="github", name="GitHub", connection=idp, provision_by="app", provision={"app": "github"}
    )
    client = _client(okta)
    made, _ = client.create_account(ANA, idempotency_key=KEY)
    ana = Person.objects.create(
        work_email="ana@acme.test", full_name="Ana López", status="active",
        created_at=now, updated_at=now,
    )  # fmt: skip
    with pytest.raises(PermanentError, match="has no account at Okta"):
        nobody = Person.objects.create(
            work_email="zoe@acme.test", full_name="Zoe", created_at=now, updated_at=now
        )
        access_grant(github, nobody, run_id=None, idempotency_key="z", now=now)
    given = access_grant(github, ana, run_id=None, idempotency_key="give-1", now=now)
    assert given.state == "granted"
    assert [one["id"] for one in _all(okta, "apps", "0oa_github", "users")] == [made.external_id]
    assert access_reported(ana, now=now) == [github]
    access_read([github], now=now)
    assert list(github.reported.values_list("person", "active")) == [(ana.pk, True)]
    taken = access_revoke(github, ana, run_id=None, idempotency_key="take-1", now=now)
    assert taken.state == "revoked"
    assert _all(okta, "apps", "0oa_github", "users") == []
    row = AppAccess.objects.get(application=github, person=ana)
    assert (row.evidence["app"], row.evidence["read_back"]) == (
        "github",
        "the application is not assigned",
    )


def test_every_user_comes_in_over_all_pages(okta: str) -> None:
    feed = _client(okta, people="yes").fetch_people(today=None, progress=lambda _: None)
    wanted = {one["profile"]["email"] for one in _all(okta, "users")}
    assert {record.work_email for record in feed.records} == wanted
    assert len(wanted) >= 30
