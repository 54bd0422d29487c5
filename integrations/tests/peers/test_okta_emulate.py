"""Our Okta client against emulate's Okta, which nobody here wrote.

It keeps users, groups and who belongs to them. It ignores filters, so that only comparing finds
the right user, and it knows neither sessions nor single assignments: those are held against the
vendor's documentation in ``connectors/test_okta.py``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import requests

from integrations.connectors.base import CONNECTORS, AccountProfile, ConnectionSettings
from integrations.tests.peers.emulate import emulate
from integrations.tests.servers import transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

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
    }
}


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


def test_every_user_comes_in_over_all_pages(okta: str) -> None:
    feed = _client(okta, people="yes").fetch_people(today=None, progress=lambda _: None)
    wanted = {one["profile"]["email"] for one in _all(okta, "users")}
    assert {record.work_email for record in feed.records} == wanted
    assert len(wanted) >= 30
