"""Our SCIM client against an independent implementation.

The gate names its executable in SCIM2_SERVER; without it these tests fail, for a peer that quietly
did not run proves nothing.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from integrations.connectors.base import CONNECTORS, AccountProfile, ConnectionSettings
from integrations.errors import PermanentError, UnauthorizedError
from integrations.tests.servers import transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.peer

BEARER = "peer-bearer"
KEY = "run-1-step"


def _started(*options: str) -> tuple[subprocess.Popen[bytes], str]:
    executable = os.environ.get("SCIM2_SERVER", "")
    assert executable, "Set SCIM2_SERVER to the path of scim2-server: this peer must be there."
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [executable, "--port", str(port), "--bearer-token", BEARER, "--dynamic-tenants", *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        assert process.poll() is None, "scim2-server ended at once."
        try:
            requests.get(f"{url}/up/v2/ServiceProviderConfig", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.1)
        else:
            return process, url
    process.terminate()
    raise AssertionError("scim2-server did not come up.")


def _limited(folder: Path, name: str, url: str) -> Path:
    """The server's own configuration with one feature switched off."""
    config = requests.get(
        f"{url}/up/v2/ServiceProviderConfig",
        headers={"Authorization": f"Bearer {BEARER}"},
        timeout=5,
    ).json()
    config[name]["supported"] = False
    config.pop("meta", None)
    path = folder / f"no-{name}.json"
    path.write_text(json.dumps(config))
    return path


@pytest.fixture(scope="module", params=["full", "patch", "filter"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The full server, one without PATCH, one without filters."""
    process, url = _started()
    try:
        if request.param != "full":
            path = _limited(tmp_path_factory.mktemp("scim"), request.param, url)
            process.terminate()
            process.wait(10)
            process, url = _started("--service-provider-config", str(path))
        yield url
    finally:
        process.terminate()
        process.wait(10)


class _Peer:
    """One fresh tenant: our client, and a judge that reads with plain requests."""

    def __init__(self, url: str, *, bearer: str = BEARER) -> None:
        self.base = f"{url}/t{uuid.uuid4().hex[:12]}/v2"
        self.headers = {"Authorization": f"Bearer {BEARER}"}
        self.bearer = bearer
        self.client = self.bound({})

    def bound(self, capabilities: dict[str, Any]) -> Any:
        connector = CONNECTORS.get("scim")
        assert connector is not None
        return connector.client(
            ConnectionSettings(
                key="idp",
                config={"base_url": self.base},
                secrets={"bearer_token": self.bearer},
                capabilities=capabilities,
            ),
            transport_to_loopback(),
        )

    def all(self, kind: str) -> list[dict[str, Any]]:
        answer = requests.get(f"{self.base}/{kind}", headers=self.headers, timeout=5).json()
        return list(answer.get("Resources", []))

    def judged(self) -> dict[str, list[dict[str, Any]]]:
        """What an independent client reads, validated against the standard's models."""
        python = Path(os.environ["SCIM2_SERVER"]).with_name("python")
        ran = subprocess.run(
            [python, Path(__file__).with_name("scim_judge.py"), self.base, BEARER],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        found: dict[str, list[dict[str, Any]]] = json.loads(ran.stdout)
        return found

    def seed(self, kind: str, **body: Any) -> str:
        schema = "User" if kind == "Users" else "Group"
        body["schemas"] = [f"urn:ietf:params:scim:schemas:core:2.0:{schema}"]
        made = requests.post(f"{self.base}/{kind}", headers=self.headers, json=body, timeout=5)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])


@pytest.fixture
def peer(server: str) -> _Peer:
    found = _Peer(server)
    for number in range(3):
        address = f"person{number}@acme.test"
        found.seed("Users", userName=address, active=True, emails=[{"value": address}])
    return found


@pytest.fixture(params=["tested", "untested"])
def client(request: pytest.FixtureRequest, peer: _Peer) -> Any:
    """With the capabilities of a test, and without: then the client finds out on the way."""
    if request.param == "untested":
        return peer.client
    return peer.bound(peer.client.test().capabilities)


def _profile(address: str = "ana@acme.test") -> AccountProfile:
    return AccountProfile(
        work_email=address,
        username=address,
        full_name="Ana López",
        given_name="Ana",
        family_name="López",
        job_title="Engineer",
        external_id="e-1",
    )


def test_create_find_suspend_and_wake(peer: _Peer, client: Any) -> None:
    made, created = client.create_account(_profile(), idempotency_key=KEY)
    again, created_again = client.create_account(_profile(), idempotency_key=KEY)
    assert (created, created_again) == (True, False)
    assert made.external_id == again.external_id
    found = client.find_account(work_email="ANA@acme.test")
    assert found is not None
    assert found.external_id == made.external_id
    assert client.suspend_account(made.external_id, idempotency_key=KEY).active is False
    assert client.suspend_account(made.external_id, idempotency_key=KEY).active is False
    asleep = [one["userName"] for one in peer.all("Users") if not one["active"]]
    assert asleep == ["ana@acme.test"]
    woken, created_now = client.create_account(_profile(), idempotency_key=KEY)
    assert (woken.active, created_now) == (True, False)
    (ana,) = [one for one in peer.all("Users") if one["userName"] == "ana@acme.test"]
    assert ana["name"]["familyName"] == "López"
    assert ana["title"] == "Engineer"


def test_groups(peer: _Peer, client: Any) -> None:
    made, _ = client.create_account(_profile(), idempotency_key=KEY)
    others = [one["id"] for one in peer.all("Users") if one["id"] != made.external_id]
    peer.seed("Groups", displayName="GitHub", members=[{"value": one} for one in others])
    client.add_to_group(made.external_id, "GitHub", idempotency_key=KEY)
    client.add_to_group(made.external_id, "GitHub", idempotency_key=KEY)
    client.add_to_group(made.external_id, "Brand new", idempotency_key=KEY)
    assert client.groups_of(made.external_id) == ("Brand new", "GitHub")
    client.remove_from_group(made.external_id, "GitHub", idempotency_key=KEY)
    client.remove_from_group(made.external_id, "GitHub", idempotency_key=KEY)
    client.remove_from_group(made.external_id, "Brand new", idempotency_key=KEY)
    assert client.groups_of(made.external_id) == ()
    (github,) = [one for one in peer.all("Groups") if one["displayName"] == "GitHub"]
    assert sorted(one["value"] for one in github["members"]) == sorted(others)


def test_nobody_and_gone(client: Any) -> None:
    assert client.find_account(work_email="nobody@acme.test") is None
    assert client.find_account(work_email='" or userName pr or "') is None
    assert client.suspend_account(str(uuid.uuid4()), idempotency_key=KEY).active is False
    assert client.groups_of(str(uuid.uuid4())) == ()


def test_taken_user_name_is_not_adopted(peer: _Peer, client: Any) -> None:
    peer.seed(
        "Users", userName="alopez", active=True, emails=[{"value": "x@acme.test", "primary": True}]
    )
    profile = AccountProfile(work_email="ana@acme.test", username="alopez", full_name="Ana López")
    with pytest.raises(PermanentError):
        client.create_account(profile, idempotency_key=KEY)


def test_wrong_token(server: str) -> None:
    with pytest.raises(UnauthorizedError):
        _Peer(server, bearer="wrong").client.test()


def test_independent_client_reads_back_what_we_did(peer: _Peer, client: Any) -> None:
    made, _ = client.create_account(_profile(), idempotency_key=KEY)
    client.add_to_group(made.external_id, "GitHub", idempotency_key=KEY)
    changed = AccountProfile(
        work_email="ana.vidal@acme.test",
        username="",
        full_name="Ana Vidal",
        given_name="Ana",
        family_name="Vidal",
        job_title="Lead",
        team="Platform",
    )
    updated = client.update_account(made.external_id, changed, idempotency_key=KEY)
    assert set(updated.changed) >= {"name", "job title", "team", "work email"}
    assert updated.refused == ()
    client.suspend_account(made.external_id, idempotency_key=KEY)
    found = peer.judged()
    ana = next(one for one in found["User"] if one["id"] == made.external_id)
    assert ana["active"] is False
    assert (ana["name"]["givenName"], ana["name"]["familyName"]) == ("Ana", "Vidal")
    assert (ana["title"], ana["userName"]) == ("Lead", "ana.vidal@acme.test")
    assert [one["value"] for one in ana["emails"]] == ["ana.vidal@acme.test"]
    extension = next(one for name, one in ana.items() if "enterprise" in name.lower())
    assert extension["department"] == "Platform"
    others = [one for one in found["User"] if one["id"] != made.external_id]
    assert sorted(one["userName"] for one in others) == [
        f"person{number}@acme.test" for number in range(3)
    ]
    assert all(one["active"] for one in others)
    (github,) = found["Group"]
    assert [one["value"] for one in github["members"]] == [made.external_id]


def test_discovery_reads_what_this_server_can_do(peer: _Peer) -> None:
    found = peer.client.test()
    config = requests.get(
        f"{peer.base}/ServiceProviderConfig", headers=peer.headers, timeout=5
    ).json()
    for name in ("patch", "filter", "etag"):
        assert found.capabilities[name] is config[name]["supported"]
    assert {"userName", "title", "enterprise.department"} <= set(found.capabilities["attributes"])
    assert found.capabilities["groups"] is True
    assert found.problems == ()
