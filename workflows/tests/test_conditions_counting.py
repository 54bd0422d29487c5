"""However many are counted and however it is done, it is what judging one by one gives."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest

from people.models import LegalEntity, Person, Team
from workflows.conditions.columns import Columns
from workflows.conditions.counting import counts_in_database, judged, split_in_database
from workflows.conditions.tree import Group, Rule
from workflows.designer.matching import Directory, directory
from workflows.facts import facts_for

TODAY = date(2026, 11, 24)
_TEXTS = ("Engineer", "engineer ", "", "Größe", "GROSSE", "İstanbul", "a\tb", "Sales", "50%_x")
_RULES: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = (
    ("person.job_title", (("is", "engineer"), ("contains", "gr"), ("not_contains", "o"),
                          ("starts_with", "50%_"), ("is_empty", None), ("in", ("Sales", "größe")))),
    ("person.team", (("is_not", "Sales"), ("ends_with", "es"), ("is_not_empty", None))),
    ("person.country", (("is", "FRA"), ("not_in", ("FRA", "DEU")), ("is_empty", None))),
    ("person.start_date", (("on_or_after", "2026-01-01"), ("in_next_days", 30),
                           ("is_empty", None), ("before", "nonsense"))),
    ("person.worker_type", (("in", ("contractor",)), ("is_not", "contractor"))),
    ("person.custom.level", (("is", "3"), ("is_empty", None))),
    ("request.priority", (("is", "high"),)),
    ("person.nothing_such", (("is", "x"),)),
)  # fmt: skip


def _rule(draw: random.Random) -> Rule:
    field, ways = draw.choice(_RULES)
    operator, value = draw.choice(ways)
    return Rule(field=field, operator=operator, value=value)


def _group(draw: random.Random, depth: int = 0) -> Group:
    entries: list[Group | Rule] = [_rule(draw) for _ in range(draw.randint(0, 3))]
    if depth < 2 and draw.random() < 0.5:
        entries.append(_group(draw, depth + 1))
    negated = draw.random() < 0.3
    if draw.random() < 0.5:
        return Group(combinator="and", negated=negated, rules=tuple(entries))
    return Group(combinator="or", negated=negated, rules=tuple(entries))


def _people(draw: random.Random, count: int) -> None:
    teams = [Team.objects.create(name=name) for name in ("Sales", "Größe", "Design")]
    entity = LegalEntity.objects.create(name="Acme SAS")
    now = "2026-01-01T00:00:00Z"
    for number in range(count):
        Person.objects.create(
            work_email=f"p{number}@acme.test",
            job_title=draw.choice(_TEXTS),
            team=draw.choice([*teams, None]),
            legal_entity=draw.choice([entity, None]),
            country=draw.choice(("FRA", "DEU", "")),
            worker_type=draw.choice(("contractor", "eor_employee", "")),
            start_date=draw.choice((None, TODAY + timedelta(days=draw.randint(-400, 60)))),
            custom=draw.choice(({}, {"level": 3}, {"level": "3"})),
            status="active",
            created_at=now,
            updated_at=now,
        )


@pytest.mark.django_db
@pytest.mark.parametrize("seed", range(6))
def test_all_ways_of_counting_agree_with_judging_one_by_one(seed: int) -> None:
    draw = random.Random(seed)
    _people(draw, 40)
    everybody = Person.objects.order_by()
    facts = dict(facts_for(everybody))
    groups = [_group(draw) for _ in range(30)]
    expected = [judged(group, facts.items(), TODAY) for group in groups]
    for group, found in zip(groups, expected, strict=True):
        assert split_in_database(group, everybody, today=TODAY) == found, group
    counts = [(len(matched), len(unknown)) for matched, unknown in expected]
    assert counts_in_database(groups, everybody, today=TODAY) == counts
    alone = [counts_in_database([group], everybody, today=TODAY)[0] for group in groups]
    assert alone == counts


@pytest.mark.django_db
def test_columns_of_many_values_and_of_nobody() -> None:
    group = Group(rules=(Rule("person.work_email", "contains", "p1"),))
    assert Columns(Person.objects.order_by(), [group], today=TODAY).counts(group) == (0, 0)
    _people(random.Random(1), 300)
    assert Columns(Person.objects.order_by(), [group], today=TODAY).counts(group) == (111, 0)


@pytest.mark.django_db
def test_a_directory_counts_many_as_it_counts_one() -> None:
    _people(random.Random(2), 30)
    groups = [Group(rules=(_rule(random.Random(seed)),)) for seed in range(12)]
    read, asked = directory(TODAY), Directory(today=TODAY, facts=None)
    assert read.counts(groups) == asked.counts(groups)
    assert [read.count(group) for group in groups] == read.counts(groups)
