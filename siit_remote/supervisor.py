"""Keeps one task cluster alive: two beats, restart of the whole process group, no orphans.

django-q2 can go deaf while every process of it looks alive (a killed worker may hold the queue's
lock), and its children outlive a killed parent. So the cluster runs in a session of its own, is
judged only by what it does, and is killed as a whole.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connections
from django_q.models import OrmQ
from django_q.tasks import async_task

from siit_remote import beats
from siit_remote.lib import clock, lease

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

logger = logging.getLogger(__name__)

CANARY_TASK: Final = "siit_remote.tasks.canary"
_PR_SET_PDEATHSIG: Final = 1
_SUPERVISOR: Final = "SIIT_SUPERVISOR"


class Supervisor:
    """Starts ``command`` and keeps it working. Times are seconds of the machine's clock."""

    def __init__(
        self,
        *,
        command: Sequence[str],
        drain: float = 60,
        canary_every: float = 10,
        canary_stale: float = 45,
        schedule_stale: float = 115,
        poll: float = 1,
        quick_deaths: int = 5,
    ) -> None:
        self.command = list(command)
        self.drain = drain
        self.canary_every = canary_every
        self.stale_after = {beats.CANARY: canary_stale, beats.SCHEDULE: schedule_stale}
        self.poll = poll
        self.quick_deaths = quick_deaths
        self.restarts = 0
        self._stopping = False
        self._process: subprocess.Popen[bytes] | None = None
        self._started = clock.system_now()
        self._seen: dict[str, datetime] = {}
        self._asked: datetime | None = None
        self._deaths = 0

    def run(self) -> bool:
        """Block until asked to stop (True) or the cluster cannot be kept alive (False)."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask_to_stop)
        kill_orphans()
        self._start()
        while not self._stopping:
            time.sleep(self.poll)
            if self._stopping:
                break
            reason = self._trouble()
            if not reason:
                continue
            logger.error("Restarting the task cluster: %s", reason)
            self._kill()
            self._give_back()
            if self._deaths >= self.quick_deaths:
                return False
            self.restarts += 1
            self._pause(min(2**self._deaths, 30) if self._deaths else 0)
            if not self._stopping:
                self._start()
        self._stop()
        return True

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopping and time.monotonic() < until:
            time.sleep(0.1)

    def _start(self) -> None:
        # Connections must not be shared with the child.
        connections.close_all()
        self._started = clock.system_now()
        self._seen = {}
        self._asked = None
        self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
            self.command,
            start_new_session=True,
            preexec_fn=_die_with_parent,
            env={**os.environ, _SUPERVISOR: f"{settings.BASE_DIR}|{lease.holder()}"},
        )
        logger.info("Started the task cluster as process %s", self._process.pid)

    def _trouble(self) -> str:
        """Why the cluster must be restarted; empty while it is well."""
        assert self._process is not None  # noqa: S101 - run() starts before it asks
        code = self._process.poll()
        now = clock.system_now()
        if code is not None:
            self._deaths = self._deaths + 1 if now - self._started < timedelta(seconds=20) else 1
            return f"it ended with code {code}"
        try:
            return self._silence(now)
        except DatabaseError as error:
            # The cluster cannot work without the database either; a restart would mend nothing.
            logger.warning("The beats cannot be read: %s", type(error).__name__)
            self._seen = dict.fromkeys(self.stale_after, now)
            close_old_connections()
            return ""

    def _silence(self, now: datetime) -> str:
        patience = beats.BUSY_FOR.total_seconds() if beats.busy_now() else 0
        silent = ""
        for name, limit in self.stale_after.items():
            last = beats.beat_last(name)
            known = max(self._seen.get(name, self._started), last or self._started)
            if known > self._started:
                self._deaths = 0
            self._seen[name] = known
            age = (now - known).total_seconds()
            if age > max(limit, patience):
                silent = f"no {name} beat for {age:.0f} s"
        answered = self._asked is None or self._seen[beats.CANARY] >= self._asked
        due = self._asked is None or (now - self._asked).total_seconds() >= self.canary_every
        if answered and due:
            async_task(CANARY_TASK, group="canary")
            self._asked = clock.system_now()
        return silent

    def _stop(self) -> None:
        """Let the cluster finish what it began, then end whatever is left of it."""
        if self._process is not None and self._process.poll() is None:
            # To the leader alone: it tells its workers to finish; they would die of the signal.
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=self.drain)
        self._kill()

    def _kill(self) -> None:
        """End every process of the cluster's session, the leader first frozen or dead included."""
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for pid in _processes_of(f"{settings.BASE_DIR}|{lease.holder()}"):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _give_back(self) -> None:
        """Hand out again what the dead cluster had taken and not finished.

        Taken tasks are locked for the whole retry time, most of them only in a buffer. Another
        machine's may be among them: every task is safe to run twice.
        """
        now = clock.system_now()
        try:
            taken = OrmQ.objects.filter(key=settings.Q_CLUSTER["name"], lock__gt=now)
            count = taken.update(lock=now)
        except DatabaseError as error:
            logger.warning("The queue cannot be read: %s", type(error).__name__)
            close_old_connections()
            return
        if count:
            logger.warning("Handed out %s tasks again that the cluster had taken", count)


def _die_with_parent() -> None:
    """Ask the kernel to end the cluster when its supervisor is killed (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _supervisor_of(pid: str) -> str:
    """The mark that the supervisor left in the environment of ``pid``; empty for others."""
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return ""
    start = f"{_SUPERVISOR}=".encode()
    found = next((item for item in environ.split(b"\0") if item.startswith(start)), b"")
    return found[len(start) :].decode(errors="replace")


def _all_pids() -> list[str]:
    proc = Path("/proc")
    return [entry.name for entry in proc.iterdir() if entry.name.isdigit()] if proc.exists() else []


def _processes_of(mark: str) -> list[int]:
    return [
        int(pid) for pid in _all_pids() if int(pid) != os.getpid() and _supervisor_of(pid) == mark
    ]


def kill_orphans() -> int:
    """End processes of clusters of this installation whose supervisor is gone; how many."""
    killed = 0
    for pid in _all_pids():
        home, _, holder = _supervisor_of(pid).partition("|")
        if home == str(settings.BASE_DIR) and lease.is_dead(holder) and int(pid) != os.getpid():
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
                killed += 1
    if killed:
        logger.warning("Ended %s processes that an earlier worker left behind", killed)
    return killed
