"""Measured by :mod:`siit_remote.bench.panel` in a process of its own: prints one JSON line."""

from __future__ import annotations

import json
import sys
import time
from datetime import timedelta
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - models need the set-up above
from django.test import Client, override_settings  # noqa: E402

from integrations.models import Application  # noqa: E402
from people.models import Person  # noqa: E402
from siit_remote.bench.one_people_list import people_make  # noqa: E402
from siit_remote.bench.stopwatch import alternate  # noqa: E402
from siit_remote.lib import clock  # noqa: E402
from workflows.document.parse import parse_document  # noqa: E402
from workflows.gaps import gaps_find  # noqa: E402
from workflows.services import draft_save, workflow_publish  # noqa: E402

HOST = "localhost"
_COUNTRIES = ("FRA", "DEU", "ESP", "GBR", "USA", "JPN")
_TRIGGERS = ("person.end_date", "person.start_date", "person.end_date", "person.probation_end")
_ENDS = (("end_date", "probation_end_date"), ("probation_end_date",), ())
_STEPS: tuple[dict[str, Any], ...] = (
    {"action": "apps.revoke", "params": {"apps": "all"}},
    {"action": "apps.assign", "params": {"apps": ["notion"]}},
    {"action": "task.create", "params": {"title": "Ask {{ person.job_title }} for the laptop"}},
)


def dates_make(people: int) -> None:
    """One in three leaves within two years or so, on the day the probation ends; some stay."""
    today = clock.now().date()
    by_day: dict[tuple[str, int], list[int]] = {}
    keys = Person.objects.order_by("pk").values_list("pk", flat=True)[:people]
    for number, pk in enumerate(keys):
        for field in _ENDS[number % 3]:
            by_day.setdefault((field, number * 7 % 727 - 300), []).append(pk)
    for (field, days), pks in by_day.items():
        Person.objects.filter(pk__in=pks).update(**{field: today + timedelta(days=days)})


def draft_of(number: int) -> dict[str, Any]:
    """Six rows in two groups, an approval, something final, a text with a placeholder."""
    country = _COUNTRIES[number % len(_COUNTRIES)]
    return {
        "format": "siit.workflow/1",
        "key": f"workflow-{number}",
        "name": f"Workflow {number}",
        "owner": "p1@acme.test",
        "trigger": {
            "type": _TRIGGERS[number % len(_TRIGGERS)],
            "params": {"direction": "before", "days": 1 + number % 9, "at": "09:00"},
        },
        "conditions": {
            "combinator": "and",
            "rules": [
                {"field": "person.worker_type", "operator": "is_not", "value": "contractor"},
                {"field": "person.start_date", "operator": "before", "value": "2040-01-31"},
                {"field": "person.job_title", "operator": "contains", "value": "e"},
                {
                    "combinator": "or",
                    "rules": [
                        {"field": "person.country", "operator": "is_not", "value": country},
                        {"field": "person.team", "operator": "is", "value": "Team 1"},
                    ],
                },
            ],
        },
        "steps": [
            {
                "key": "ask",
                "action": "approval.request",
                "params": {
                    "approver": {"type": "manager"},
                    "fallback": {"type": "person", "email": "p1@acme.test"},
                },
            },
            *({**step, "key": f"step-{place}"} for place, step in enumerate(_chosen(number))),
        ],
    }


def _chosen(number: int) -> tuple[dict[str, Any], ...]:
    giving = _TRIGGERS[number % len(_TRIGGERS)] != "person.end_date"
    return _STEPS[1:] if giving else (_STEPS[0], _STEPS[2])


def workflows_make(count: int) -> None:
    """Live for so long that nothing of them is news."""
    now = clock.now()
    Application.objects.get_or_create(key="notion", defaults={"name": "Notion"})
    for number in range(count):
        workflow = draft_save(parse_document(draft_of(number)), now=now)
        workflow_publish(workflow, now=now)


@override_settings(
    STORAGES={
        **settings.STORAGES,
        # Where files were collected does not belong to the measurement.
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
)
def main(part: str, people: str, workflows: str, rounds: str) -> None:
    """``panel``: of the first workflow, as the browser gets it; ``gaps``: every one there is."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    people_make(int(people))
    dates_make(int(people))
    workflows_make(int(workflows))
    client = Client(headers={"host": HOST})
    client.force_login(User.objects.create_superuser("owner"))

    def panel() -> int:
        answer = client.get("/workflows/workflow-0/panel/", secure=True)
        if answer.status_code != 200 or b"within 90 days" not in answer.content:
            raise SystemExit(f"The panel answers {answer.status_code} or foretells nothing.")
        return answer.content.count(b"</li>")

    def gaps() -> int:
        found = gaps_find(now=clock.now())
        if not any(gap.kind == "collision" for gap in found):
            raise SystemExit("Nothing collides.")
        return len(found)

    work = {"panel": panel, "gaps": gaps}[part]
    found, times, begin = work(), int(rounds), time.process_time()
    taken = alternate(times, work)[0]
    processor = (time.process_time() - begin) / times
    result = {"seconds": taken, "processor": processor, "found": found}
    sys.stdout.write(f"{json.dumps(result)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:5])
