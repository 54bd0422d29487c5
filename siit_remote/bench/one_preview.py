"""Measured by :mod:`siit_remote.bench.preview` in a process of its own: prints one JSON line."""

from __future__ import annotations

import json
import operator
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import django
from django.core.management import call_command
from django.db.models import Count, Q

django.setup()

from people.choices import PersonStatus  # noqa: E402 - models need the set-up above
from people.models import Person  # noqa: E402
from siit_remote.bench.one_people_list import people_make  # noqa: E402
from siit_remote.bench.stopwatch import alternate  # noqa: E402
from workflows.conditions.tree import Group, Rule  # noqa: E402
from workflows.designer.matching import directory  # noqa: E402

TODAY = datetime(2026, 3, 2, tzinfo=UTC).date()
SEED = 7
_COUNTRIES = ("FRA", "DEU", "ESP", "GBR", "USA", "JPN")
_TYPES = ("contractor", "eor_employee", "direct_employee")
_TITLES = ("engineer", "design", "account", "recruit", "analyst", "writ")
_KINDS = ("type", "country", "status", "start", "title", "team")


def rule_make(draw: random.Random, kind: str) -> tuple[Rule, Q]:
    """One rule of the designer, and the filter that one would write by hand for it."""
    if kind == "type":
        among = draw.sample(_TYPES, 2)
        return _rule("worker_type", "in", tuple(among)), Q(worker_type__in=among)
    if kind == "country":
        country = draw.choice(_COUNTRIES)
        return _rule("country", "is_not", country), ~Q(country=country)
    if kind == "status":
        status = draw.choice(("active", "hired"))
        return _rule("status", "is", status), Q(status=status)
    if kind == "start":
        day = TODAY - timedelta(days=draw.randint(100, 1900))
        return _rule("start_date", "on_or_after", day.isoformat()), Q(start_date__gte=day)
    if kind == "title":
        part = draw.choice(_TITLES)
        return _rule("job_title", "contains", part), Q(job_title__icontains=part)
    team = f"Team {draw.randint(0, 29)}"
    return _rule("team", "is_not", team), ~Q(team__name__iexact=team)


def _rule(field: str, name: str, value: Any) -> Rule:
    return Rule(field=f"person.{field}", operator=name, value=value)


def conditions_make(count: int) -> list[tuple[Group, Q]]:
    """Of every workflow: two or three rules, all of them or any."""
    draw = random.Random(SEED)  # noqa: S311 - a repeatable benchmark, not a secret
    made = []
    for _ in range(count):
        pairs = [rule_make(draw, kind) for kind in draw.sample(_KINDS, draw.randint(2, 3))]
        rules, queries = tuple(rule for rule, _ in pairs), [query for _, query in pairs]
        if draw.random() < 0.5:
            made.append((Group(combinator="and", rules=rules), reduce(operator.and_, queries)))
        else:
            made.append((Group(combinator="or", rules=rules), reduce(operator.or_, queries)))
    return made


def ways_of(made: list[tuple[Group, Q]]) -> dict[str, Callable[[], list[int]]]:
    """Each gives how many match each workflow."""
    groups, queries = [group for group, _ in made], [query for _, query in made]
    present = Person.objects.exclude(status=PersonStatus.ENDED).order_by()

    def one_aggregate() -> list[int]:
        counts = {f"n{number}": Count("pk", filter=query) for number, query in enumerate(queries)}
        found = present.aggregate(**counts)
        return [found[name] for name in counts]

    return {
        "ours": lambda: [count.matched for count in directory(TODAY).counts(groups)],
        "queries": lambda: [present.filter(query).count() for query in queries],
        "aggregate": one_aggregate,
    }


def main(people: str, workflows: str, rounds: str) -> None:
    """All ways find the same before any is timed."""
    call_command("migrate", verbosity=0)
    people_make(int(people))
    made = conditions_make(int(workflows))
    ways = ways_of(made)
    counts = {name: way() for name, way in ways.items()}
    if len({tuple(found) for found in counts.values()}) != 1 or not any(counts["ours"]):
        wrong = [row for row in zip(*counts.values(), strict=True) if len(set(row)) != 1]
        raise SystemExit(f"They count differently: {wrong[:5]}")
    taken = alternate(int(rounds), *ways.values())
    sys.stdout.write(f"{json.dumps(dict(zip(ways, taken, strict=True)))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
