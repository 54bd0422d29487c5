"""Measured by :mod:`siit_remote.bench.queue` in a process of its own: prints one JSON line."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import transaction

if not settings.configured or not django.apps.apps.ready:
    django.setup()

from django_q.models import Success
from django_q.tasks import async_task

from people.choices import EventKind
from people.defaults import workspace_get
from people.limits import LIMIT_FIELDS
from people.models import LifecycleEvent, Person
from people.services import ENGINE
from siit_remote.lib import clock
from siit_remote.lib.bell import ring
from workflows.document.parse import parse_document
from workflows.models import Attempt
from workflows.services import draft_save, workflow_publish

PATIENCE = 120.0
WORKFLOW: dict[str, Any] = {
    "format": "siit.workflow/1",
    "key": "newcomers",
    "name": "Newcomers",
    "owner": "owner@acme.test",
    "trigger": {"type": "person.added"},
    "steps": [{"key": "task", "action": "task.create", "params": {"title": "Look at it"}}],
}


def note() -> float:
    """The bare task: says when it ran."""
    return time.time()


@contextmanager
def cluster() -> Iterator[None]:
    """The worker's cluster, in a session of its own so that all of it ends."""
    with subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            yield
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def wait_until(done: Callable[[], bool]) -> None:
    """Look often; give up loudly."""
    ends = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > ends:
            raise SystemExit(f"Nothing came of it within {PATIENCE:.0f} s.")
        time.sleep(0.02)


def newcomers_add(numbers: range) -> None:
    """People, their events and one bell, in one transaction, as a sync writes them."""
    now = clock.now()
    with transaction.atomic():
        for number in numbers:
            person = Person.objects.create(
                work_email=f"p{number}@acme.test",
                full_name=f"Person {number}",
                status="active",
                created_at=now,
                updated_at=now,
            )
            LifecycleEvent.objects.create(
                kind=EventKind.PERSON_ADDED, person=person, at=now, key=f"added-{number}"
            )
        ring(ENGINE)


def begun(number: int) -> datetime | None:
    """When the action for that person began."""
    found = Attempt.objects.filter(step__run__person__work_email=f"p{number}@acme.test")
    return found.values_list("started_at", flat=True).first()


def event_latency(number: int) -> float:
    """Seconds from the commit of an event until its action begins."""
    newcomers_add(range(number, number + 1))
    committed = clock.system_now()
    wait_until(lambda: begun(number) is not None)
    at = begun(number)
    return (at - committed).total_seconds() if at else PATIENCE


def task_latency(_: int) -> float:
    """Seconds from the commit of a bare task until it runs."""
    name = async_task("siit_remote.bench.one_queue.note")
    committed = time.time()
    wait_until(Success.objects.filter(id=name).exists)
    return float(Success.objects.get(id=name).result) - committed


def events_burst(count: int) -> float:
    """Seconds until the actions of so many events are done."""
    before = Attempt.objects.exclude(ended_at=None).count()
    start = time.perf_counter()
    newcomers_add(range(100_000, 100_000 + count))
    wait_until(lambda: Attempt.objects.exclude(ended_at=None).count() == before + count)
    return time.perf_counter() - start


def tasks_burst(count: int) -> float:
    """Seconds until as many bare tasks are done."""
    before = Success.objects.filter(func="siit_remote.bench.one_queue.note").count()
    start = time.perf_counter()
    for _ in range(count):
        async_task("siit_remote.bench.one_queue.note")
    done = Success.objects.filter(func="siit_remote.bench.one_queue.note")
    wait_until(lambda: done.count() == before + count)
    return time.perf_counter() - start


def p95(seconds: list[float]) -> float:
    """The slowest but one of twenty."""
    return statistics.quantiles(seconds, n=20)[-1]


def limits_lift() -> None:
    """Everybody comes at once here; nobody is to be asked."""
    workspace = workspace_get()
    for name in LIMIT_FIELDS:
        if name.endswith("_people"):
            setattr(workspace, name, 1_000_000)
        elif name.endswith("_percent"):
            setattr(workspace, name, 100)
    workspace.save()


def main(singles: str, burst: str) -> None:
    """One at a time in turns, at moments that fall anywhere between two polls; then both bursts."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    limits_lift()
    workflow_publish(
        draft_save(parse_document(WORKFLOW), now=clock.now()),
        now=clock.now() - timedelta(minutes=1),
    )
    ours: list[float] = []
    bare: list[float] = []
    with cluster():
        task_latency(0)
        event_latency(-1)
        for number in range(int(singles)):
            time.sleep(0.37 * (number % 3))
            ours.append(event_latency(number))
            time.sleep(0.37 * (number % 3))
            bare.append(task_latency(number))
        result = {
            "ours_p95": p95(ours),
            "bare_p95": p95(bare),
            "ours_burst": events_burst(int(burst)),
            "bare_burst": tasks_burst(int(burst)),
            "burst": int(burst),
            "poll": settings.Q_CLUSTER["poll"],
        }
    sys.stdout.write(f"{json.dumps(result)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
