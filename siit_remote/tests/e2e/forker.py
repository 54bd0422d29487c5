"""Engines as processes of their own, forked from one that has loaded everything.

Reads one JSON job a line: ``seed`` fills the database, ``wave`` forks engines that may be killed,
``report`` says how the ledger stands. Answers one JSON line each. Run it as a module.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections import Counter
from datetime import UTC, date, datetime
from typing import Any

import django

django.setup()

from django.db import connections  # noqa: E402 - only after setup

from integrations.models import Connection  # noqa: E402
from people.models import Person, Workspace  # noqa: E402
from workflows.engine.service import run_due  # noqa: E402
from workflows.models import Run, StepRun, Workflow, WorkflowVersion  # noqa: E402
from workflows.services import digest_of  # noqa: E402

T0 = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


def seed(job: dict[str, Any]) -> dict[str, Any]:
    """One workflow of keyed calls and a mail, due for ``people`` on one day."""
    Workspace.objects.update_or_create(
        pk=1,
        defaults={"timezone": "UTC", "workflow_limit_people": 9999, "workflow_limit_percent": 100},
    )
    sink = Connection.objects.create(
        key="sink", connector="http", name="Sink", status="ready", created_at=T0,
        config={"base_url": job["sink"]},
    )  # fmt: skip
    sink.set_secrets({"signing_secret": job["secret"]})
    sink.save()
    end, known = date.fromisoformat(job["day"]), {"end_date": T0.isoformat()}
    Person.objects.bulk_create(
        Person(
            work_email=f"p{index}@acme.test", full_name=f"P{index}", status="active",
            timezone="UTC", end_date=end, known_at=known, created_at=T0, updated_at=T0,
        )
        for index in range(job["people"])
    )  # fmt: skip
    steps: list[dict[str, Any]] = [
        {
            "key": f"call-{index}",
            "action": "http.call",
            "params": {"connection": "sink", "path": f"/call-{index}"},
        }
        for index in range(job["calls"])
    ]
    message = {"to": "person", "subject": "Bye", "body": "Bye"}
    steps.append({"key": "tell", "action": "message.send", "params": message})
    document = {
        "format": "siit.workflow/1", "key": "soak", "name": "Soak", "steps": steps,
        "trigger": {"type": "person.end_date", "params": {"at": "09:00"}},
    }  # fmt: skip
    workflow = Workflow.objects.create(
        key="soak", name="Soak", draft=document, draft_saved_at=T0, created_at=T0
    )
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=document, digest=digest_of(document), published_at=T0
    )
    Workflow.objects.update(live_version=version, live_since=T0, status=Workflow.Status.LIVE)
    return {}


def wave(job: dict[str, Any]) -> dict[str, Any]:
    """Fork an engine for each of ``engines`` (``crash`` point, ``kill_after`` seconds)."""
    connections.close_all()
    at = datetime.fromisoformat(job["at"])
    children: dict[int, float] = {}
    for engine in job["engines"]:
        pid = os.fork()
        if pid == 0:
            _engine(engine["crash"], at=at)
        children[pid] = time.monotonic() + (engine["kill_after"] or job["limit"])
    killed = broken = 0
    for pid, until in children.items():
        while (done := os.waitpid(pid, os.WNOHANG))[0] == 0:
            if time.monotonic() >= until:
                os.kill(pid, signal.SIGKILL)
                done = os.waitpid(pid, 0)
                break
            time.sleep(0.02)
        killed += os.WIFSIGNALED(done[1])
        broken += not os.WIFSIGNALED(done[1]) and os.WEXITSTATUS(done[1]) != 0
    return {"killed": killed, "broken": broken}


def _engine(crash: str, *, at: datetime) -> None:
    os.environ["SIIT_CRASH_AT"] = crash
    code = 1
    try:
        run_due(now=at)
        code = 0
    except Exception:  # noqa: BLE001 - a forked child has nobody above it to tell
        traceback.print_exc()
    finally:
        connections.close_all()
        os._exit(code)


def report(job: dict[str, Any]) -> dict[str, Any]:
    """States of runs and of steps, and what is uncertain."""
    unsure = StepRun.objects.filter(status=StepRun.Status.UNCERTAIN)
    return {
        "runs": Counter(Run.objects.values_list("status", flat=True)),
        "steps": Counter(StepRun.objects.values_list("status", flat=True)),
        "uncertain": list(unsure.values_list("action", "run__person__work_email", "reason")),
        "open": Run.objects.filter(status__in=Run.OPEN).exclude(status=Run.Status.HELD).count(),
    }


def main() -> None:
    """Answer jobs until the end of the input."""
    jobs = {"seed": seed, "wave": wave, "report": report}
    for line in sys.stdin:
        job = json.loads(line)
        answer = jobs[job["do"]](job)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
