"""Faults after which every process of the cluster lives and nothing happens any more.

A worker of django-q2 that is killed while it holds a lock takes the lock along: the queue's read
lock (then no worker takes a task again) or the timer's (then the guard waits for ever and no
schedule runs, although the other workers work on). Real clusters, real kills.
"""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from siit_remote.tests.test_supervisor import _cluster_of, _wait, installation

__all__ = ["installation"]
pytestmark = pytest.mark.slow
ROOT = Path(settings.BASE_DIR)
WORK_BACK = 60
"""Seconds after a kill within which tasks are done again."""
GUARD_BACK = 150
"""Seconds after the guard froze within which schedules run again."""

# The worker that executes the task “poison” dies where it posts the result: inside its timer's
# lock. Only the first one does.
_POISONED = """
import os, pathlib, signal, django
django.setup()
from django.core.management import call_command
from django_q.signals import post_execute_in_worker
once = pathlib.Path(os.environ["POISON_ONCE"])
def die(sender, func, task, **rest):
    if task.get("group") == "poison" and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
post_execute_in_worker.connect(die)
call_command("qcluster")
"""
_SUPERVISE = """
import sys, django
django.setup()
from siit_remote.supervisor import Supervisor
canary, schedule, *command = sys.argv[1:]
Supervisor(command=command, drain=5, canary_every=1, canary_stale=float(canary),
           schedule_stale=float(schedule), poll=0.5).run()
"""


@dataclass
class Running:
    """A supervisor as a process of its own, and what it and its cluster wrote."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    log: Path

    def said(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.log.read_text(errors="replace"))

    def workers(self) -> list[int]:
        """Every process that ever said that it is ready for work and lives."""
        alive = set(_cluster_of(self.process.pid))
        return [pid for pid in map(int, self.said(r"ready for work at (\d+)")) if pid in alive]

    def ask(self, group: str) -> None:
        """Put a task into the queue, as the web process does."""
        script = (
            "from django_q.tasks import async_task;"
            f"async_task('siit_remote.tasks.canary', group={group!r})"
        )
        subprocess.run(
            [sys.executable, "manage.py", "shell", "--verbosity", "0", "-c", script],
            cwd=ROOT,
            env=self.environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def done(self, group: str) -> bool:
        """Whether its result has been written."""
        path = self.environment["DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=20)) as database:
            row = database.execute(
                'SELECT COUNT(*) FROM django_q_task WHERE "group" = ? AND success', (group,)
            ).fetchone()
        return bool(row[0])


@pytest.fixture
def running(
    request: pytest.FixtureRequest, tmp_path: Path, installation: dict[str, str]
) -> Iterator[Running]:
    """A working cluster of two workers. The parameter: canary and schedule limits, command."""
    canary, schedule, command = request.param
    environment = {
        **installation,
        "DJANGO_SETTINGS_MODULE": "siit_remote.settings",
        "PYTHONPATH": str(ROOT),
        "WORKERS": "2",
        "POISON_ONCE": str(tmp_path / "poisoned"),
    }
    log = tmp_path / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                _SUPERVISE,
                str(canary),
                str(schedule),
                sys.executable,
                *command,
            ],
            cwd=ROOT,
            env=environment,
            stderr=output,
            stdout=output,
        )
    found = Running(process, environment, log)
    try:
        assert _wait(lambda: len(found.workers()) == 2, 60)
        found.ask("first")
        assert _wait(lambda: found.done("first"), 60)
        yield found
    finally:
        process.terminate()
        assert process.wait(60) == 0
        # Nothing is left behind, whatever happened.
        assert _cluster_of(process.pid) == []


@pytest.mark.parametrize(
    "running", [(20, 600, ["manage.py", "qcluster"])], indirect=True, ids=["read lock"]
)
def test_cluster_made_deaf_by_killed_idle_workers_works_again(running: Running) -> None:
    before = set(_cluster_of(running.process.pid))
    workers = running.workers()
    killed_at = time.monotonic()
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    # The cluster replaces them itself, and the new ones never get the lock.
    assert _wait(lambda: len(set(running.workers()) - set(workers)) == 2, 30)
    running.ask("after")
    assert _wait(lambda: running.done("after"), WORK_BACK)
    assert time.monotonic() - killed_at <= WORK_BACK
    assert running.said("Restarting the task cluster: no canary beat")
    assert not before & set(_cluster_of(running.process.pid))


@pytest.mark.parametrize(
    "running", [(600, 50, ["-c", _POISONED])], indirect=True, ids=["timer lock"]
)
def test_frozen_guard_is_found_although_workers_work_on(running: Running) -> None:
    before = set(_cluster_of(running.process.pid))
    froze_at = time.monotonic()
    running.ask("poison")
    assert _wait(lambda: Path(running.environment["POISON_ONCE"]).exists(), 30)
    time.sleep(2)
    # The one that is left works; nobody replaces the other.
    running.ask("meanwhile")
    assert _wait(lambda: running.done("meanwhile"), 30)
    assert len(running.workers()) == 1
    assert _wait(lambda: running.said("no schedule beat"), GUARD_BACK)
    scheduled = len(running.said(r"created task .* from schedule"))
    assert _wait(lambda: len(running.said(r"created task .* from schedule")) > scheduled, 90)
    assert time.monotonic() - froze_at <= GUARD_BACK
    assert _wait(lambda: len(running.workers()) == 2, 30)
    assert not before & set(_cluster_of(running.process.pid))
