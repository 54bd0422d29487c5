"""Rows of the security catalogue that belong to no single room; SECURITY.md names the others."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth import hashers
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from integrations.services import connection_save
from siit_remote.lib.throttle import Throttle
from siit_remote.tests.people_with_roles import Company
from siit_remote.tests.test_house import PRODUCTION

CANARY = "ra_live_canary-4f1c9b7e2d"
_LOOK = """
import json, sys
import django
from django.conf import settings

# As if collectstatic had run.
settings.STATIC_ROOT = settings.BASE_DIR / "siit_remote" / "static"
settings.STORAGES["staticfiles"]["BACKEND"] = (
    "django.contrib.staticfiles.storage.StaticFilesStorage"
)
django.setup()
from django.test import Client
from django.urls import path
from siit_remote import urls

def broken(request):
    raise RuntimeError("CANARY-OF-A-TRACE")

urls.urlpatterns.insert(0, path("broken/", broken))
client = Client(raise_request_exception=False, HTTP_HOST="siit.example.com")
found = {}
for url in json.loads(sys.argv[1]):
    answer = client.get(url, secure=True)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    found[url] = {
        "status": answer.status_code,
        "headers": dict(answer.headers),
        "cookies": {name: dict(one) for name, one in answer.cookies.items()},
        "trace": b"CANARY-OF-A-TRACE" in body or b"Traceback" in body,
    }
print(json.dumps(found))
"""
WANTED = {
    "/sign-in/": 200,
    "/nowhere/": 404,
    "/broken/": 500,
    "/healthz": 200,
    "/admin/": 302,
    "/static/siit/app.js": 200,
}


@pytest.mark.slow
def test_every_answer_in_production_has_the_headers_and_no_error_tells_where(
    tmp_path: Any,
) -> None:
    """Pages, errors, the site admin: as production serves them, over https."""
    done = subprocess.run(
        [sys.executable, "-c", _LOOK, json.dumps(list(WANTED))],
        cwd=settings.BASE_DIR,
        env={
            "PATH": "/usr/bin:/bin",
            "DJANGO_SETTINGS_MODULE": "siit_remote.settings",
            "DATABASE_URL": f"sqlite:///{tmp_path}/db.sqlite3",
            **PRODUCTION,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    for url, status in WANTED.items():
        told, headers = found[url], found[url]["headers"]
        assert told["status"] == status, url
        assert not told["trace"], url
        age, *more = headers["Strict-Transport-Security"].split("; ")
        assert int(age.removeprefix("max-age=")) >= 31_536_000, url
        assert "includeSubDomains" in more, url
        assert headers["X-Content-Type-Options"] == "nosniff", url
        assert headers["Referrer-Policy"] == "same-origin", url
        policy = headers["Content-Security-Policy"]
        for part in ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
            assert part in policy, url
        assert "unsafe" not in policy, url
    cookie = found["/sign-in/"]["cookies"]["__Host-csrf"]
    assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "Lax")
    assert (cookie["path"], cookie["domain"]) == ("/", "")


def test_a_secret_stands_in_clear_nowhere(
    company: Company, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = Client()
    client.force_login(company.users["owner"])
    row = connection_save(
        key="secret", connector="slack", name="Secret", config={}, secrets={"bot_token": CANARY}
    )
    assert row.get_secrets() == {"bot_token": CANARY}, "it is there, encrypted"
    url = reverse("connection-settings", kwargs={"key": "secret"})
    # Not saved for want of a name, and shown again.
    again = client.post(url, {"name": "", "bot_token": CANARY})
    assert (again.status_code, CANARY in again.content.decode()) == (200, False)
    for model in apps.get_models(include_auto_created=True):
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - names of our own tables
            assert CANARY not in repr(cursor.fetchall()), table
    assert CANARY not in caplog.text
    for page in (url, "/activity/", f"/admin/integrations/connection/{row.pk}/change/"):
        assert CANARY not in client.get(page).content.decode(), page
    assert CANARY not in repr(Connection.objects.get(pk=row.pk))


def test_a_stranger_costs_as_much_as_a_known_account(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work is counted, not timed: hashing is all that takes long."""
    cache.clear()
    counted: list[str] = []
    real = hashers.MD5PasswordHasher.encode

    def encode(self: Any, password: str, salt: str) -> str:
        counted.append(password)
        return real(self, password, salt)

    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", encode)
    work: dict[str, int] = {}
    for who in ("hr", "ghost", "hr@acme.test", "ghost@acme.test"):
        counted.clear()
        answer = Client().post("/sign-in/", {"username": who, "password": "wrong"})
        assert "do not fit" in answer.content.decode()
        work[who] = len(counted)
    assert set(work.values()) == {1}, work


def test_what_is_costly_is_answered_so_often_and_then_429(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Throttle, "take", _twice())
    client = Client()
    client.force_login(company.users["hr"])
    made = company.objects
    cases = [
        ("post", "/settings/integrations/remote/sync/"),
        ("get", f"/leavers/{company.people['report'].pk}/evidence.csv"),
        ("get", f"/held/{made['hold'].pk}/list.csv"),
        ("get", "/forecast/forecast.csv"),
        ("get", "/approvals/approvals.csv"),
        ("post", f"/approvals/{made['approval'].pk}/decide/"),
        ("post", "/approvals/approve/"),
    ]
    for method, url in cases:
        cache.clear()
        answers = [getattr(client, method)(url) for _ in range(3)]
        assert [one.status_code == 429 for one in answers] == [False, False, True], url
        assert answers[-1]["Retry-After"] == "600"
        assert "too often" in answers[-1].content.decode()


def _twice() -> Any:
    """The real brake at two times, so that the test need not press two hundred."""
    real = Throttle.take

    def take(self: Throttle, *who: str) -> bool:
        return real(Throttle(name=self.name, most=2, seconds=self.seconds), *who)

    return take


def test_every_test_that_the_security_page_names_exists() -> None:
    root = Path(settings.BASE_DIR)
    page = (root / "siit_remote" / "SECURITY.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(test_\w+)`", page))
    there = {
        name
        for room in ("siit_remote", "people", "integrations", "workflows")
        for path in (root / room).rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M)
    }
    assert len(named) > 30
    assert named - there == set()
