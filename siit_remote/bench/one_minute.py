"""Measured by :mod:`siit_remote.bench.minute` in a process of its own: prints one JSON line."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import django
from django.core.management import call_command

django.setup()

from people.models import Person  # noqa: E402 - models need the set-up above
from siit_remote.bench.one_forecast import (  # noqa: E402
    NOW,
    document_of,
    people_make,
    workflows_make,
)
from siit_remote.bench.stopwatch import seconds  # noqa: E402
from workflows.document.parse import parse_document  # noqa: E402
from workflows.engine.lately import WHOLE_EVERY  # noqa: E402
from workflows.engine.starting import runs_plan  # noqa: E402
from workflows.fields import FIELDS  # noqa: E402
from workflows.models import Run  # noqa: E402
from workflows.services import draft_save, workflow_publish  # noqa: E402

DUE = 100
"""By birthday, so that it is exactly so many."""
_ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Tokyo", "")
_START = NOW + timedelta(hours=10, minutes=20)
_MINUTE = timedelta(minutes=1)
_COLUMNS = [spec.orm for key, spec in FIELDS.items() if key.startswith("person.") and spec.orm]


def company_make(people: int, workflows: int, rounds: int) -> None:
    """As for the forecast, in five zones, with some of every week and one birthday a round."""
    people_make(people)
    Person.objects.update(updated_at=NOW - timedelta(days=2))
    for number, zone in enumerate(_ZONES):
        chosen = list(Person.objects.order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(chosen[number::5]), 500):
            part = chosen[number::5][start : start + 500]
            Person.objects.filter(pk__in=part).update(timezone=zone)
    here = Person.objects.filter(end_date=None).order_by("pk")
    born = list(here.values_list("pk", flat=True)[:DUE])
    Person.objects.filter(pk__in=born).update(date_of_birth=date(1990, NOW.month, NOW.day))
    weekly = {"type": "date.specific", "params": {"every": {"weekday": "monday"}, "at": "09:00"}}
    extra = [weekly, weekly, *(_birthday(number) for number in range(rounds))]
    workflows_make(workflows - len(extra))
    for number, trigger in enumerate(extra):
        document = {**document_of(0), "key": f"extra-{number}", "trigger": trigger}
        if trigger is not weekly:
            document.pop("conditions")
        workflow_publish(draft_save(parse_document(document), now=NOW), now=NOW)


def _birthday(number: int) -> dict[str, Any]:
    at = _START + (5 + 2 * number) * _MINUTE
    return {"type": "person.birthday", "params": {"at": f"{at:%H:%M}", "timezone": "workspace"}}


def everybody() -> int:
    """The limit: one query for what a pass would look at of each person."""
    rows = Person.objects.order_by("pk").values_list("pk", *_COLUMNS, "custom", "known_at")
    return sum(1 for _ in rows.iterator(chunk_size=1_000))


def main(people: str, workflows: str, rounds: str) -> None:
    """Passes of ten o'clock and some minutes; every third of them finds a hundred to start."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    company_make(int(people), int(workflows), int(rounds))
    runs_plan(now=_START)
    taken: dict[str, list[float]] = {"quiet": [], "due": [], "select": []}

    def time(name: str, work: Callable[[], object]) -> None:
        taken[name].append(seconds(work))

    first = Run.objects.count()
    for number in range(int(rounds)):
        at = _START + (4 + 2 * number) * _MINUTE
        time("select", everybody)
        time("quiet", lambda at=at: runs_plan(now=at))  # type: ignore[misc]
        time("due", lambda at=at: runs_plan(now=at + _MINUTE))  # type: ignore[misc]
        if Run.objects.count() != first + (number + 1) * DUE:
            raise SystemExit(f"{Run.objects.count() - first} runs after {number + 1} rounds.")
    assert timedelta(minutes=4 + 2 * int(rounds)) < WHOLE_EVERY  # noqa: S101 - all are of a minute
    found = {name: statistics.median(times) for name, times in taken.items()}
    whole = seconds(lambda: runs_plan(now=_START + WHOLE_EVERY))
    sys.stdout.write(f"{json.dumps({**found, 'whole': whole})}\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
