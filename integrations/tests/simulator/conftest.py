"""A running simulator and a session that may ask it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import requests

from integrations.simulator.company import Company, build_company
from integrations.simulator.server import Simulator

TODAY = date(2026, 3, 10)


@dataclass
class Peer:
    """The simulator with a client that holds the right token."""

    simulator: Simulator
    session: requests.Session

    def get(self, path: str, **query: object) -> requests.Response:
        return self.session.get(self.simulator.base_url + path, params=query, timeout=5)

    def send(self, method: str, path: str, body: Any = None) -> requests.Response:
        return self.session.request(method, self.simulator.base_url + path, json=body, timeout=5)


@pytest.fixture
def company() -> Company:
    return build_company(40, 7, TODAY)


@pytest.fixture
def make_peer() -> Iterator[Callable[..., Peer]]:
    running: list[Simulator] = []

    def make(company: Company, **settings: Any) -> Peer:
        simulator = Simulator(company, **settings)
        simulator.start()
        running.append(simulator)
        session = requests.Session()
        session.trust_env = False
        session.headers["Authorization"] = f"Bearer {simulator.token}"
        return Peer(simulator, session)

    yield make
    for simulator in running:
        simulator.stop()


@pytest.fixture
def peer(make_peer: Callable[..., Peer], company: Company) -> Peer:
    return make_peer(company)
