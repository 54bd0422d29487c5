"""Several engines at once, killed at random, against a target that drops its answers.

Nothing is lost, nothing happens twice where a key can prevent it, and what nobody can know is said.
``SOAK_SEED`` repeats a run.
"""

from __future__ import annotations

import base64
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from siit_remote.bench.postgres import postgres_server
from siit_remote.tests.e2e.installation import ROOT, Installation
from workflows.engine.crash import POINTS

pytestmark = pytest.mark.slow
PEOPLE, CALLS, ENGINES = 105, 5, 3
WAVES, CALM = 4, 10
LIMIT_SECONDS = 170
"""Engines are ended after so long altogether; a quiet machine needs half a minute."""
DUE = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()


class Target:
    """Does each key once, like any keyed API, and now and then answers badly or not at all."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.lock = threading.Lock()
        self.done: dict[str, tuple[str, str]] = {}
        self.faults = 0
        self.calm = False
        self.url = ""

    def call(self, key: str, person: str, path: str) -> str:
        """``ok``, or which fault: before the effect, or after it (answer lost, error told)."""
        with self.lock:
            roll = 1.0 if self.calm else self.dice.random()
            self.faults += roll < 0.09
            if roll < 0.02:
                return "error"
            self.done.setdefault(key, (person, path))
            return "drop" if roll < 0.06 else "error" if roll < 0.09 else "ok"


@contextmanager
def target(seed: int) -> Iterator[Target]:
    """Listen on loopback."""
    found = Target(seed)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))))
            person = body["person"]["work_email"]
            fate = found.call(self.headers["webhook-id"], person, self.path)
            if fate == "drop":
                self.close_connection = True
                return
            self.send_response(200 if fate == "ok" else 503)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def database(kind: str) -> Iterator[dict[str, str]]:
    """Settings of the installation's database: its own file, or a PostgreSQL of its own."""
    if kind == "sqlite":
        yield {}
        return
    with postgres_server() as server:
        yield {"DATABASE_URL": server.address()}


class Forker:
    """The process that forks engines; one question, one answer."""

    def __init__(self, site: Installation) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "siit_remote.tests.e2e.forker"],
            cwd=ROOT,
            env=site.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, do: str, **job: Any) -> dict[str, Any]:
        """Have one job done."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps({"do": do, **job}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the forker ended with {self.process.wait(timeout=10)}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def end(self) -> None:
        """Close its input and wait."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)


def _engine(dice: random.Random) -> dict[str, Any]:
    """How one engine ends: at a named point at random, or killed at a random moment."""
    if dice.random() < 0.6:
        return {"crash": f"{dice.choice(POINTS)}:{dice.randint(1, 40)}", "kill_after": 0}
    return {"crash": "", "kill_after": dice.uniform(0.3, 2.5)}


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nothing_is_lost_and_nothing_keyed_happens_twice(kind: str, tmp_path: Path) -> None:
    seed = int(os.environ.get("SOAK_SEED") or random.SystemRandom().randrange(10**6))
    sys.stdout.write(f"SOAK_SEED={seed}\n")
    dice = random.Random(seed)
    with database(kind) as settings, target(seed) as sink:
        mail = {"EMAIL_URL": f"filemail:///{tmp_path / 'mail'}"}
        site = Installation(tmp_path / "site", {**mail, **settings})
        forker = Forker(site)
        try:
            forker.ask(
                "seed", people=PEOPLE, calls=CALLS, sink=sink.url, secret=SECRET, day="2026-11-24"
            )
            kills, report, seconds = _soak(forker, dice, sink)
        finally:
            forker.end()
    actions = PEOPLE * (CALLS + 1)
    words = f"seed {seed}: {actions} actions, {kills} kills, {sink.faults} bad answers, {report}"
    sys.stdout.write(f"{words}, {seconds:.0f} s\n")
    assert actions >= 600
    assert kills + sink.faults >= 30, words
    _judge(sink, report, words)
    _judge_mail(tmp_path / "mail", report, words)


def _soak(forker: Forker, dice: random.Random, sink: Target) -> tuple[int, dict[str, Any], float]:
    begun = time.monotonic()
    kills = 0
    for number in range(WAVES + CALM):
        spent = time.monotonic() - begun
        sink.calm = number >= WAVES
        engines = [
            {"crash": "", "kill_after": 0} if sink.calm else _engine(dice) for _ in range(ENGINES)
        ]
        at = (DUE + timedelta(minutes=20 * number)).isoformat()
        limit = max(5.0, LIMIT_SECONDS - spent)
        answer = forker.ask("wave", at=at, engines=engines, limit=limit)
        kills += answer["killed"]
        assert answer["broken"] == 0, f"an engine ended with an error in wave {number}"
        report = forker.ask("report")
        if sink.calm and report["open"] == 0:
            break
    return kills, report, time.monotonic() - begun


def _judge(sink: Target, report: dict[str, Any], words: str) -> None:
    """Every keyed action once; only what has no key may be unknown, and says so."""
    effects = Counter(sink.done.values())
    expected = {
        (f"p{person}@acme.test", f"/call-{call}")
        for person in range(PEOPLE)
        for call in range(CALLS)
    }
    assert set(effects) == expected, f"lost: {sorted(expected - set(effects))[:5]} {words}"
    assert max(effects.values()) == 1, f"twice: {effects.most_common(3)} {words}"
    assert report["open"] == 0, words
    assert sum(report["runs"].values()) == PEOPLE, words
    assert set(report["runs"]) <= {"done", "held"}, words
    for action, _, reason in report["uncertain"]:
        assert action == "message.send", words
        assert "may have been sent" in reason, words


def _judge_mail(folder: Path, report: dict[str, Any], words: str) -> None:
    """A mail has no key: at most once, and where it is not known to be sent, a person is asked."""
    text = "\n".join(path.read_text() for path in folder.glob("*"))
    sent = Counter(
        line.removeprefix("To: ") for line in text.splitlines() if line.startswith("To: ")
    )
    unsure = {person for _, person, _ in report["uncertain"]}
    for index in range(PEOPLE):
        person = f"p{index}@acme.test"
        assert sent[person] <= 1, f"{person} got {sent[person]} mails. {words}"
        assert sent[person] == 1 or person in unsure, f"{person} got no mail. {words}"
    assert report["runs"].get("held", 0) == len(unsure), words
