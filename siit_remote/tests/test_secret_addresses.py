"""An address that is a secret stands in no log: not the web server's, not the application's."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from siit_remote.lib.secret_addresses import HIDDEN, secrets_hidden

ROOT = Path(settings.BASE_DIR)
TOKEN = "sEcReT-0123456789_abcdefghijklmnopqrstuvwxyz"


def _taking_a_token(resolver: URLResolver) -> list[str]:
    found = []
    for one in resolver.url_patterns:
        if isinstance(one, URLResolver):
            found += _taking_a_token(one)
        elif isinstance(one, URLPattern) and "token" in one.pattern.converters:
            found.append(str(one.name))
    return found


def secret_paths() -> list[str]:
    """Every address of ours that holds a token, as the URL configuration has them."""
    return [reverse(name, kwargs={"token": TOKEN}) for name in _taking_a_token(get_resolver())]


def test_every_address_with_a_token_is_hidden() -> None:
    paths = secret_paths()
    assert len(paths) >= 4
    for path in (*paths, f"/sign-in/provider/back/?state=x&code={TOKEN}"):
        for said in (path, f'"POST {path} HTTP/1.1" 404', f"Not Found: {path}", f"<{path}>"):
            assert TOKEN not in secrets_hidden(said)
            assert HIDDEN in secrets_hidden(said)


@pytest.mark.parametrize(
    "said", ["/people/7/", "/hooks/mail/brevo/", "GET /calendar/", "Hello.", "/hooks/"]
)
def test_other_words_stay_as_they_are(said: str) -> None:
    assert secrets_hidden(said) == said


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _ask(port: int, method: str, path: str) -> int:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        referer = f"http://127.0.0.1:{port}{path}"
        asking.request(method, path, headers={"Referer": referer, "Host": "127.0.0.1"})
        return asking.getresponse().status
    finally:
        asking.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    "server",
    [
        ("-m", "gunicorn", "siit_remote.wsgi", "--access-logfile", "-", "--bind"),
        ("manage.py", "runserver", "--noreload", "--skip-checks"),
    ],
    ids=["gunicorn", "runserver"],
)
def test_started_server_writes_none_of_them_down(server: tuple[str, ...], tmp_path: Path) -> None:
    """Without tables every page that looks one up breaks, and its traceback is logged as well."""
    port = _free_port()
    log = tmp_path / "log"
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'empty.sqlite3'}",
        "DEBUG": "true",
        "LOG_LEVEL": "INFO",
    }
    with log.open("w") as out:
        running = subprocess.Popen(
            [sys.executable, *server, f"127.0.0.1:{port}"],
            cwd=ROOT,
            env=environment,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        ends = time.monotonic() + 60
        while True:
            try:
                _ask(port, "GET", "/healthz")
                break
            except OSError:
                assert running.poll() is None, log.read_text()
                assert time.monotonic() < ends
                time.sleep(0.1)
        statuses = {
            _ask(port, method, path) for path in secret_paths() for method in ("GET", "POST")
        }
        _ask(port, "GET", f"/sign-in/provider/back/?state=a&code={TOKEN}")
    finally:
        running.terminate()
        running.wait(20)
    said = log.read_text()
    assert 500 in statuses
    assert "Traceback" in said
    # The server's own line and the application's own word on each.
    assert len(re.findall(rf"/callbacks/{HIDDEN}/", said)) >= 2
    assert TOKEN not in said
