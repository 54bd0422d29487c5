"""What the connector asks, held against the vendor's own contract by Prism's proxy.

``REMOTE_OPENAPI`` names the contract (OpenAPI), ``PRISM`` the executable. Prism refuses requests
that break it and reports answers that do in the header ``sl-violations``.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import requests

from integrations.connectors.base import ConnectionSettings, HttpResponse
from integrations.connectors.remote.connector import RemoteConnector
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator

pytestmark = pytest.mark.contract
TODAY = date(2026, 3, 10)


@dataclass
class Watching:
    """A transport that keeps what Prism says of every exchange."""

    violations: list[str] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        body: bytes | None = None,
        idempotency_key: str = "",
        timeout: float | None = None,
        max_bytes: int | None = None,
    ) -> HttpResponse:
        """Send, and note violations."""
        answer = requests.request(
            method, url, headers=headers, params=params, json=json, data=body, timeout=30
        )
        self.paths.add(answer.request.path_url.partition("?")[0])
        said = {name.lower(): value for name, value in answer.headers.items()}
        if found := said.get("sl-violations"):
            self.violations.append(f"{method} {answer.request.path_url}: {found}")
        return HttpResponse(
            status=answer.status_code, headers=said, body=answer.content, url=answer.url
        )


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A company whose answers keep to the contract."""
    with Simulator(build_company(60, seed=3, today=TODAY, strict=True)) as running:
        yield running


@pytest.fixture
def start_prism(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Starts Prism in front of an address; gives its own."""
    started: list[subprocess.Popen[bytes]] = []

    def start(upstream: str) -> str:
        contract, command = os.environ.get("REMOTE_OPENAPI", ""), os.environ.get("PRISM", "")
        assert contract and command, "Contract tests need REMOTE_OPENAPI and PRISM."
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            port = listener.getsockname()[1]
        log = tmp_path / "prism.log"
        options = ["proxy", "-h", "127.0.0.1", "-p", str(port), contract, upstream]
        with log.open("wb") as out:
            started.append(subprocess.Popen([command, *options], stdout=out, stderr=out))
        deadline = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=20)


def test_every_exchange_of_a_refresh_keeps_to_the_contract(
    simulator: Simulator, start_prism: Callable[[str], str]
) -> None:
    transport = Watching()
    settings = ConnectionSettings(
        key="remote",
        config={"base_url": start_prism(simulator.base_url)},
        secrets={"api_token": simulator.token},
        account={},
        capabilities={},
    )
    client = RemoteConnector().client(settings, transport)
    assert not client.test().problems
    feed = client.fetch_people(today=TODAY, progress=lambda text: None)
    assert len(feed.records) > 40
    assert len(transport.paths) >= 3, json.dumps(sorted(transport.paths))
    assert transport.violations == []


def test_reading_custom_fields_keeps_to_the_contract(
    simulator: Simulator, start_prism: Callable[[str], str]
) -> None:
    transport = Watching()
    settings = ConnectionSettings(
        key="remote",
        config={"base_url": start_prism(simulator.base_url)},
        secrets={"api_token": simulator.token},
        account={},
        capabilities={},
    )
    client = RemoteConnector().client(settings, transport)
    assert len(client.custom_fields()) == 5
    someone = client.fetch_people(today=TODAY, progress=lambda text: None).records[0].external_id
    ((external_id, values),) = client.custom_values([someone], seconds=30.0)
    assert (external_id, len(values or {})) == (someone, 5)
    assert transport.violations == []
