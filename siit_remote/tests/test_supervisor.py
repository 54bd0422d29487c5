"""The supervisor against real processes that die, fall silent or will not stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django_q.models import OrmQ

from siit_remote import beats, tasks
from siit_remote.lib import clock, lease
from siit_remote.supervisor import Supervisor, _processes_of, kill_orphans

ROOT = Path(settings.BASE_DIR)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of an installation with a database of its own."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'worker.sqlite3'}",
        "CACHE_URL": "",
        "LOG_LEVEL": "INFO",
    }
    for command in (["migrate", "--verbosity", "0"], ["createcachetable"], ["setup_schedules"]):
        subprocess.run(
            [sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True
        )
    yield environment


def _start(environment: dict[str, str], *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--drain", "5", *options],
        cwd=ROOT,
        env=environment,
        stderr=subprocess.DEVNULL,
    )


def _cluster_of(pid: int) -> list[int]:
    """Processes whose supervisor is ``pid``."""
    return [
        child
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit()
        for child in [int(entry.name)]
        if _mark_names(child, pid)
    ]


def _mark_names(child: int, pid: int) -> bool:
    try:
        environ = (Path("/proc") / str(child) / "environ").read_bytes()
    except OSError:
        return False
    marks = [item for item in environ.split(b"\0") if item.startswith(b"SIIT_SUPERVISOR=")]
    return any(f"/{pid}/".encode() in mark for mark in marks)


def _wait(condition: object, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.1)
    return False


@pytest.mark.slow
def test_killed_leader_is_replaced_and_nothing_is_left_behind(
    installation: dict[str, str],
) -> None:
    worker = _start(installation)
    try:
        assert _wait(lambda: len(_cluster_of(worker.pid)) >= 5, 20)
        first = _cluster_of(worker.pid)
        os.kill(min(first), signal.SIGKILL)
        assert _wait(lambda: not set(first) & set(_cluster_of(worker.pid)), 20)
        assert _wait(lambda: len(_cluster_of(worker.pid)) >= 5, 20)
    finally:
        worker.terminate()
        assert worker.wait(20) == 0
    assert _cluster_of(worker.pid) == []


@pytest.mark.slow
def test_killed_supervisor_takes_its_cluster_along(installation: dict[str, str]) -> None:
    worker = _start(installation)
    assert _wait(lambda: len(_cluster_of(worker.pid)) >= 5, 20)
    worker.kill()
    worker.wait()
    assert _wait(lambda: not _cluster_of(worker.pid), 20)


@pytest.mark.django_db(transaction=True)
def test_silent_cluster_is_restarted_as_a_whole_group() -> None:
    """A process that lives and does nothing, with a child: both are replaced."""
    silent = (
        "import subprocess, time; subprocess.Popen(['sleep', '60']);"
        "print(flush=True); time.sleep(60)"
    )
    supervisor = Supervisor(
        command=[sys.executable, "-c", silent], canary_stale=0.5, schedule_stale=9, poll=0.1
    )
    supervisor._start()
    first = supervisor._process
    assert first is not None
    mark = f"{settings.BASE_DIR}|{lease.holder()}"
    assert _wait(lambda: len(_processes_of(mark)) == 2, 10)
    assert _wait(lambda: "no canary beat" in supervisor._trouble(), 10)
    supervisor._kill()
    # A child of a child that was killed is gone once the system has buried it.
    assert _wait(lambda: _processes_of(mark) == [], 10)


@pytest.mark.django_db
def test_tasks_that_a_dead_cluster_had_taken_are_handed_out_again() -> None:
    soon, long_ago = clock.system_now() + timedelta(minutes=50), clock.system_now()
    taken = OrmQ.objects.create(key="siit", payload="x", lock=soon)
    waiting = OrmQ.objects.create(key="siit", payload="y", lock=long_ago)
    other = OrmQ.objects.create(key="another", payload="z", lock=soon)
    Supervisor(command=["true"])._give_back()
    assert OrmQ.objects.get(pk=taken.pk).lock <= clock.system_now()
    assert OrmQ.objects.get(pk=waiting.pk).lock == long_ago
    assert OrmQ.objects.get(pk=other.pk).lock == soon


def test_patience_leaves_time_to_be_back_within_the_goals() -> None:
    """A new cluster needs some seconds to start and 30 until its first schedule."""
    stale = Supervisor(command=["true"]).stale_after
    assert stale[beats.CANARY] + 15 <= 60
    assert stale[beats.SCHEDULE] + 5 + 30 <= 150
    # A beat each minute, looked for every 30 seconds, may be 90 seconds old and all be well.
    assert stale[beats.SCHEDULE] >= 60 + 30 + 20


@pytest.mark.django_db(transaction=True)
def test_cluster_that_cannot_start_ends_the_supervisor() -> None:
    supervisor = Supervisor(command=[sys.executable, "-c", "exit(3)"], poll=0.05, quick_deaths=1)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        assert supervisor.run() is False
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.django_db(transaction=True)
def test_busy_worker_is_not_mistaken_for_a_deaf_one() -> None:
    supervisor = Supervisor(command=["sleep", "60"], canary_stale=0.1, schedule_stale=0.1)
    assert beats.busy_begin()
    supervisor._start()
    try:
        time.sleep(0.4)
        assert supervisor._trouble() == ""
        beats.busy_end()
        assert "beat" in supervisor._trouble()
    finally:
        supervisor._kill()


def test_orphans_of_a_dead_supervisor_are_ended_and_others_left() -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    holder = lease.holder().rsplit("/", 2)
    gone = f"{holder[0]}/{dead.pid}/1"
    sleepers = [
        subprocess.Popen(["sleep", "60"], env={**os.environ, "SIIT_SUPERVISOR": mark})
        for mark in (f"{settings.BASE_DIR}|{gone}", f"/elsewhere|{gone}")
    ]
    try:
        assert _wait(lambda: len(_processes_of(f"/elsewhere|{gone}")) == 1, 5)
        kill_orphans()
        assert sleepers[0].wait(5) == -signal.SIGKILL
        assert sleepers[1].poll() is None
    finally:
        sleepers[1].kill()
        sleepers[1].wait()


@pytest.mark.django_db
def test_second_pass_on_the_same_machine_is_passed_over() -> None:
    assert beats.busy_begin()
    assert "skipped" in tasks.run_due()
    beats.busy_end()
    assert tasks.run_due()["started"] == 0
    assert beats.busy_begin(), "the marker was given back"
