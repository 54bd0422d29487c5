"""Identity providers nobody here wrote, each behind mitmproxy, and judges that go around it."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import requests

from integrations.services import connection_save
from integrations.tests.mitm import Mitm
from integrations.tests.peers.test_scim_server import BEARER

JUDGE = Path(__file__).parents[3] / "integrations" / "tests" / "peers" / "scim_judge.py"


@dataclass
class Provider:
    """One provider: how it is connected, seeded, and read back."""

    mitm: Mitm
    tag: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")
    create: ClassVar[str]
    """Path by which an account is made."""
    revoke: ClassVar[dict[str, Any]]
    """Which call takes an account away."""
    error_inside: ClassVar[str]
    nobody: ClassVar[tuple[dict[str, Any], ...]]
    """What a look-up says of who is not there."""

    def email(self, number: int) -> str:
        """The work email of one of the people of this test."""
        return f"{self.tag}p{number}@acme.test"

    def connect(self) -> Any:
        """Save the connection ``idp``, which goes through mitmproxy."""
        raise NotImplementedError

    def states(self) -> dict[str, list[bool]]:
        """Of the people of this test: whether each account of theirs is active."""
        raise NotImplementedError

    def seed(self, email: str) -> None:
        """Somebody makes the account by hand, before us."""
        raise NotImplementedError


class Scim(Provider):
    """scim2-server, a fresh tenant; read back by scim2-client."""

    create = "/Users$"
    revoke: ClassVar = {"methods": ["PATCH", "PUT"], "path": "/Users/"}
    error_inside = json.dumps(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
            "status": "500",
            "detail": "backend not available",
        }
    )
    nobody: ClassVar = (
        {
            "path": "/Users[?]",
            "headers": {"Content-Type": "application/scim+json"},
            "body": json.dumps(
                {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
                    "totalResults": 0,
                    "Resources": [],
                }
            ),
        },
    )

    @property
    def base(self) -> str:
        return f"{self.mitm.upstream}/{self.tag}/v2"

    def connect(self) -> Any:
        return connection_save(
            key="idp",
            connector="scim",
            config={"base_url": f"{self.mitm.url}/{self.tag}/v2"},
            secrets={"bearer_token": BEARER},
        )

    def states(self) -> dict[str, list[bool]]:
        python = Path(os.environ["SCIM2_SERVER"]).with_name("python")
        ran = subprocess.run(
            [python, JUDGE, self.base, BEARER],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        found: dict[str, list[bool]] = defaultdict(list)
        for user in json.loads(ran.stdout)["User"]:
            found[user["userName"]].append(user["active"] is not False)
        return dict(found)

    def seed(self, email: str) -> None:
        made = requests.post(
            f"{self.base}/Users",
            headers={"Authorization": f"Bearer {BEARER}"},
            json={
                "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
                "userName": email,
                "emails": [{"value": email, "primary": True}],
                "active": True,
            },
            timeout=5,
        )
        assert made.status_code == 201


_JSON = {"Content-Type": "application/json"}


class Okta(Provider):
    """emulate's Okta; read back by its own API with plain requests."""

    create = "/api/v1/users([?]|$)"
    revoke: ClassVar = {"methods": ["POST"], "path": "/lifecycle/(suspend|deactivate)"}
    error_inside = json.dumps({"errorCode": "E0000009", "errorSummary": "Internal Server Error"})
    nobody: ClassVar = (
        {"path": "/api/v1/users[?]", "headers": _JSON, "body": "[]"},
        {
            "path": "/api/v1/users/[^/]*(@|%40)",
            "status": 404,
            "headers": _JSON,
            "body": json.dumps({"errorCode": "E0000007", "errorSummary": "Not found"}),
        },
    )
    _AS_JUDGE: ClassVar = {"Authorization": "SSWS judge"}

    def connect(self) -> Any:
        # emulate knows no sessions; what ends them is held in connectors/test_okta.py.
        sessions = {"kind": "stub", "methods": ["DELETE"], "path": "/sessions", "status": 204}
        self.mitm.stubs = (sessions,)
        self.mitm.fault()
        return connection_save(
            key="idp",
            connector="okta",
            config={"base_url": self.mitm.url},
            secrets={"api_token": "any"},
        )

    def states(self) -> dict[str, list[bool]]:
        found: dict[str, list[bool]] = defaultdict(list)
        url = f"{self.mitm.upstream}/api/v1/users?limit=200"
        while url:
            answer = requests.get(url, headers=self._AS_JUDGE, timeout=5)
            for user in answer.json():
                if user["profile"]["login"].startswith(self.tag):
                    gone = user["status"] in ("SUSPENDED", "DEPROVISIONED")
                    found[user["profile"]["login"]].append(not gone)
            url = answer.links.get("next", {}).get("url", "")
        return dict(found)

    def seed(self, email: str) -> None:
        made = requests.post(
            f"{self.mitm.upstream}/api/v1/users?activate=true",
            headers=self._AS_JUDGE,
            json={
                "profile": {"login": email, "email": email, "firstName": "A", "lastName": "B"},
            },
            timeout=5,
        )
        assert made.status_code in (200, 201), made.text
