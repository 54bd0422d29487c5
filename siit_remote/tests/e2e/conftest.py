"""One company, its real peers, connected through the commands."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from siit_remote.demo import WORKFLOWS
from siit_remote.tests.e2e.installation import ROOT, Installation
from siit_remote.tests.e2e.peers import Inbox, ScimServer, Sink, http_sink, scim_server, smtp_server

TOKEN = "ra_test_end_to_end"
SIGNING = "whsec_" + base64.b64encode(b"k" * 32).decode()


@dataclass
class Acme:
    """Everything one test needs."""

    site: Installation
    remote: Simulator
    scim: ScimServer
    tenant: str
    slack_tenant: str
    inbox: Inbox
    sink: Sink

    def accounts(self) -> dict[str, dict[str, Any]]:
        """Accounts at the identity provider by work e-mail, lower-case; fails on doubles."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.scim.resources(self.tenant):
            email = row["emails"][0]["value"].lower()
            assert email not in found, f"two accounts for {email}"
            found[email] = row
        return found

    def hire(self, name: str, **fields: Any) -> dict[str, Any]:
        """Hire somebody at Remote with a work e-mail made from the name."""
        email = f"{name}@acme.test"
        return self.remote.hire(
            full_name=f"{name.title()} Example", work_email=email, status="active", **fields
        )

    def ship_to_the_office(self) -> None:
        """Day-1 onboarding orders equipment at once, without asking the worker where to."""
        text = (ROOT / "workflows" / "gallery" / "global-day-1-onboarding.yaml").read_text()
        assert "{bundle: laptop}" in text
        changed = text.replace("{bundle: laptop}", "{bundle: laptop, address_from: office}")
        self.site.json("import_workflows", self.site.document("office.yaml", changed), "--publish")

    def run(self, at: datetime, **extra: str) -> dict[str, int]:
        """One pass of the engine at a moment."""
        counts: dict[str, int] = self.site.json("run_due", "--at", at.isoformat(), **extra)
        return counts


WORKSPACE = """
format: siit.workspace/1
settings: {timezone: Europe/Paris, limits: {sync: {people: 50, percent: 90},
           workflow: {people: 50, percent: 100, per_hours: 24}}}
entities: [{name: Acme SAS, lead: french-hr-lead@acme.test, language: fr}]
roles:
  - {name: it, members: [it-lead@acme.test]}
  - {name: hr, members: [hr-admin@acme.test]}
applications:
  - key: github
    name: GitHub
    connection: idp
    provision: {by: group, group: github-users}
    entitle: {combinator: and, rules: [{field: person.team, operator: is, value: Engineering}]}
bundles: [{key: laptop, name: Laptop, connection: shipping}]
templates:
  - key: welcome
    variants:
      - {language: fr, country: FRA, subject: "Bienvenue {{ person.full_name }}", body: "Bonjour"}
      - {default: true, subject: "Welcome {{ person.full_name }}", body: "Hello"}
  - key: contractor-left
    variants: [{default: true, subject: "{{ person.full_name }} has left", body: "Gone."}]
services:
  - key: application-access
    name: Access to an application
    fields: [{name: reason, type: text, required: true}]
  - {key: new-equipment, name: New equipment}
  - {key: change-of-team, name: Change of team}
policies:
  - key: by-entity
    rules:
      - when:
          combinator: and
          rules: [{field: person.legal_entity, operator: is, value: Acme SAS}]
        approver: {type: entity_lead}
    baseline: {type: manager}
"""


@pytest.fixture(scope="session")
def scim() -> Iterator[ScimServer]:
    """One SCIM server for the session."""
    with scim_server() as server:
        yield server


@pytest.fixture
def acme(tmp_path: Path, scim: ScimServer) -> Iterator[Acme]:
    """A connected installation: Remote, identity provider, Slack, mail, shipping."""
    with ExitStack() as stack:
        company = build_company(40, 7, date.today(), "acme.test", awkward=True)
        remote = stack.enter_context(Simulator(company, token=TOKEN))
        inbox, smtp_port = stack.enter_context(smtp_server())
        sink = stack.enter_context(http_sink(SIGNING))
        tenant = tmp_path.name.replace("_", "-")
        site = Installation(tmp_path / "site")
        result = Acme(site, remote, scim, tenant, f"{tenant}-slack", inbox, sink)
        _connect(result, smtp_port)
        yield result


def _connect(acme: Acme, smtp_port: int) -> None:
    site = acme.site
    token = f"api_token={site.secret('remote', TOKEN)}"
    site.json(
        "connect",
        "remote",
        "--set",
        f"base_url={acme.remote.base_url}",
        "--secret-file",
        token,
        "--finish",
    )
    bearer = site.secret("scim", acme.scim.token)
    site.json(
        "connect",
        "scim",
        "--name",
        "idp",
        "--set",
        f"base_url={acme.scim.base_url(acme.tenant)}",
        "--secret-file",
        f"bearer_token={bearer}",
    )
    site.json(
        "connect",
        "slack",
        "--set",
        "base_url=http://127.0.0.1:9/api",
        "--set",
        f"scim_base_url={acme.scim.base_url(acme.slack_tenant)}",
        "--secret-file",
        f"bot_token={bearer}",
        "--secret-file",
        f"admin_token={bearer}",
        check=False,
    )
    site.json(
        "connect",
        "smtp",
        "--set",
        "host=127.0.0.1",
        "--set",
        f"port={smtp_port}",
        "--set",
        "from_email=hr@acme.test",
        "--set",
        "security=none",
    )
    site.json(
        "connect",
        "http",
        "--name",
        "shipping",
        "--set",
        f"base_url={acme.sink.url}",
        "--secret-file",
        f"signing_secret={site.secret('shipping', SIGNING)}",
    )
    site.json("import_workspace", site.document("workspace.yaml", WORKSPACE))
    documents = [str(ROOT / "workflows" / "gallery" / f"{key}.yaml") for key in WORKFLOWS]
    site.json("import_workflows", *documents, "--publish")


@pytest.fixture
def tomorrow() -> date:
    """A day that no first import can have made history of."""
    return datetime.now(UTC).date() + timedelta(days=2)
