"""A real Chromium against Django's live server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

from siit_remote.tests.browser.kept import Kept
from siit_remote.tests.browser.slow import slow_line, slow_page
from siit_remote.tests.people_with_roles import Company, small_company

EXECUTABLE = os.environ.get("CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session", autouse=True)
def line() -> Iterator[None]:
    """As quick as it is, or as slow as ``BROWSER_SLOW_MS`` asks for."""
    with slow_line():
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    # Playwright keeps an event loop running in this thread; Django's ORM must not mind.
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        # As patient as every other wait: a busy machine is slow, and what fails here fails anyway.
        expect.set_options(timeout=30_000)
        running = playwright.chromium.launch(executable_path=EXECUTABLE, args=ARGUMENTS)
        yield running
        running.close()
    if before is None:
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """SQLite in a file: in memory, the server's thread and the test's own lock each other out."""
    if connection.vendor == "sqlite":
        path = tmp_path_factory.mktemp("browser") / "test.sqlite3"
        connection.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session")
def kept() -> Kept:
    """Copies of databases that are put back instead of being made again."""
    return Kept()


@pytest.fixture
def transactional_db(django_db_setup: None, django_db_blocker: Any, kept: Kept) -> Iterator[None]:
    """An empty database that the server's own thread sees, and an empty one after it.

    In the place of pytest-django's own, which empties table by table and fills permissions again:
    that takes longer than most of these tests.
    """
    with django_db_blocker.unblock():
        kept.empty()
        yield
        kept.empty()


@pytest.fixture
def company(transactional_db: None, kept: Kept) -> Company:
    """The small company, in rows that the server's own thread sees."""
    return kept.put("company", small_company)


class Visitor:
    """Somebody signed in, in a window of one size and theme. Collects what the console says."""

    def __init__(self, browser: Browser, base: str, who: str, width: int, theme: str) -> None:
        height = 900 if width > 500 else 844
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.context.add_cookies([{"name": "theme", "value": theme, "url": base}])
        self.base = base
        self.page: Page = self.context.new_page()
        slow_page(self.context, self.page)
        self.violations: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.violations.append(str(error)))
        self._sign_in(who)

    def _listen(self, message: Any) -> None:
        text = message.text
        # A request given up for a newer one, or for the next page, is how htmx is meant to work;
        # it logs both lines. A request that failed logs sendError or responseError as well.
        if text.startswith(("htmx:afterRequest", "htmx:sendAbort")):
            return
        if "Content Security Policy" in text or message.type == "error":
            self.violations.append(f"{self.page.url}: {text}")

    def _sign_in(self, who: str) -> None:
        """Begin a session as the form does; the form itself has tests of its own."""
        client = Client()
        client.force_login(User.objects.get(username=who))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": self.base}]
        )

    def open(self, path: str) -> Page:
        """Go to ``path`` and wait for its scripts and styles."""
        self.page.goto(f"{self.base}{path}", wait_until="load")
        return self.page


@pytest.fixture
def visitor(browser: Browser, live_server: Any, company: Company) -> Iterator[Any]:
    """Makes visitors and closes their windows."""
    made: list[Visitor] = []

    def make(who: str, *, width: int = 1440, theme: str = "light") -> Visitor:
        made.append(Visitor(browser, live_server.url, who, width, theme))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


@pytest.fixture
def calm(visitor: Any) -> Iterator[Any]:
    """Visitors whose last requests are answered before their rows are taken away."""
    made: list[Visitor] = []

    def make(*args: Any, **kwargs: Any) -> Visitor:
        made.append(visitor(*args, **kwargs))
        return made[-1]

    yield make
    for guest in made:
        guest.page.wait_for_load_state("networkidle")
