"""A walk through connecting Remote in an installation of its own, with a picture at every stop.

The installation is thrown away afterwards: nobody's database, demo or connection is touched.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from siit_remote.lib import clock

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT: Final = Path(__file__).resolve().parent.parent
STEPS: Final = (
    ("migrate", "--verbosity", "0"),
    ("createcachetable",),
    ("setup_roles",),
    ("setup_schedules",),
    ("createsuperuser", "--noinput"),
)
NAME: Final = "hr"
SIZE: Final = 60
_LEAVERS: Final = 9
_START: Final = 60
"""Seconds that the web server may take to answer first."""
Snap = Callable[[str, str], None]
"""Takes the pictures of that name at that address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """An installation that runs: its address, the one account, the simulated Remote beside it."""

    base: str
    password: str
    simulator: Simulator


@contextmanager
def house() -> Iterator[House]:
    """An empty installation with web and worker, gone when the block ends."""
    token, password = f"ra_test_{secrets.token_hex(12)}", secrets.token_urlsafe(18)
    company = build_company(SIZE, 1, clock.system_now().date(), "acme.test", awkward=True)
    with (
        tempfile.TemporaryDirectory() as place,
        Simulator(company, token=token) as simulator,
    ):
        port = _free_port()
        environment = os.environ | {
            "DATABASE_URL": f"sqlite:///{place}/walk.sqlite3",
            "DEBUG": "true",
            "LOG_LEVEL": "ERROR",
            "SITE_URL": f"http://127.0.0.1:{port}",
            "DJANGO_SUPERUSER_USERNAME": NAME,
            "DJANGO_SUPERUSER_EMAIL": f"{NAME}@acme.test",
            "DJANGO_SUPERUSER_PASSWORD": password,
        }
        for step in STEPS:
            _manage(environment, *step)
        web = (
            "gunicorn",
            "siit_remote.wsgi",
            "--bind",
            f"127.0.0.1:{port}",
            "--threads",
            "4",
            "--log-level",
            "warning",
        )
        with (
            _process(environment, "-m", *web, "--access-logfile", "/dev/null"),
            _process(environment, "manage.py", "worker"),
        ):
            base = f"http://127.0.0.1:{port}"
            _wait_for(f"{base}/healthz")
            yield House(base=base, password=password, simulator=simulator)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _manage(environment: dict[str, str], *arguments: str) -> None:
    subprocess.run(  # noqa: S603 - our own commands, no shell
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip


@contextmanager
def _process(environment: dict[str, str], *arguments: str) -> Iterator[None]:
    """One process of ours; it and what it started end with the block."""
    running = subprocess.Popen(  # noqa: S603 - our own command, no shell
        [sys.executable, *arguments], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        running.terminate()
        with suppress(subprocess.TimeoutExpired):
            running.wait(timeout=20)
        running.kill()
        running.wait()


def _wait_for(address: str) -> None:
    until = time.monotonic() + _START
    while True:
        try:
            with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - our own server
                return
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def walk(page: Page, at: House, snap: Snap) -> None:
    """Connect, review, finish, map, hold: as an HR admin does, with pictures on the way."""
    _connect(page, at, snap)
    _after(page, at, snap)
    _held(page, at, snap)


def _token(page: Page, at: House, token: str) -> None:
    page.get_by_label("API token").fill(token)
    page.get_by_label("Address of the API").fill(at.simulator.base_url)
    page.get_by_role("button", name="Authorize").click()
    page.wait_for_load_state()


def _connect(page: Page, at: House, snap: Snap) -> None:
    snap("catalogue", "/settings/integrations/")
    snap("wizard-token", "/settings/integrations/connect/remote/")
    page.goto(f"{at.base}/settings/integrations/connect/remote/")
    _token(page, at, "ra_test_wrong")
    review = page.url.removeprefix(at.base)
    snap("wizard-unauthorized", review)
    _token(page, at, at.simulator.token or "")
    page.get_by_role("button", name="Finish setup").first.wait_for(timeout=60_000)
    snap("wizard-review", review)
    page.get_by_role("button", name="Finish setup").first.click()
    page.get_by_text("The set-up is finished").wait_for(timeout=60_000)
    snap("wizard-done", review)


def _after(page: Page, at: House, snap: Snap) -> None:
    remote = "/settings/integrations/remote/"
    snap("remote", remote)
    snap("mapping", f"{remote}mapping/")
    snap("webhooks", f"{remote}webhooks/")
    snap("fields", "/settings/fields/")
    snap("people", "/people/")
    snap("problems", "/people/problems/")
    page.goto(f"{at.base}/people/")
    person = page.locator("a.person-name").first.get_attribute("href") or "/people/"
    snap("profile", person)
    snap("timeline", f"{person}?tab=timeline")
    snap("sources", f"{person}?tab=sources")


def _held(page: Page, at: House, snap: Snap) -> None:
    """Too many leave at once: the sync waits for a person's word."""
    active = [row for row in at.simulator.company.employments.values() if row["status"] == "active"]
    for row in active[:_LEAVERS]:
        at.simulator.archive(row["id"])
    page.goto(f"{at.base}/settings/integrations/remote/")
    page.get_by_role("button", name="Sync now").click()
    page.get_by_role("link", name="See whom it would change").first.click(timeout=60_000)
    page.locator("#held").wait_for()
    snap("held", page.url.removeprefix(at.base))
