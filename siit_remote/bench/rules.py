"""One person against 100 rules: our compiled conditions, zen-engine, cel-rust.

Every engine gets the same rules and the same person, and must find the same matches before any
time is taken.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import cel
import zen

from siit_remote.bench.figures import Figure
from workflows.conditions.evaluate import TRUE, compile_group
from workflows.conditions.tree import Group, Rule

TODAY = date(2026, 11, 24)
PERSON: dict[str, str] = {
    "full_name": "ana lopez",
    "work_email": "ana.lopez@acme.test",
    "job_title": "senior software engineer",
    "seniority": "senior",
    "team": "engineering",
    "country": "fra",
    "legal_entity": "acme sas",
    "worker_type": "contractor",
    "employment_type": "contractor",
    "status": "active",
    "preferred_name": "ana",
    "remote_id": "5f0c2f0e-5f5e-4d6e-9c0e-7a4b1c2d3e4f",
    "display_id": "ab12cd",
    "contract_type": "fixed term",
    "contract_status": "active",
    "manager": "bo.berg@acme.test",
    "timezone": "europe/paris",
    "language": "fr",
    "start_date": "2024-03-01",
    "end_date": "2026-12-31",
    "date_of_birth": "1990-02-28",
    "probation_end_date": "2024-06-01",
}
"""As many fields as the directory hands to conditions: engines pay for each of them."""
_VALUES: dict[str, list[str]] = {
    "job_title": ["engineer", "designer", "senior"],
    "team": ["engineering", "sales", "design"],
    "country": ["fra", "esp", "deu", "gbr"],
    "legal_entity": ["acme sas", "acme gmbh", "acme ltd"],
    "worker_type": ["contractor", "eor_employee", "direct_employee"],
    "status": ["active", "hired", "offboarding"],
    "full_name": ["ana", "lopez", "berg"],
}


def rules_make(count: int, seed: int) -> list[Group]:
    """Groups of 1 to 6 comparisons, some nested, from a fixed seed."""
    draw = random.Random(seed)  # noqa: S311 - a repeatable benchmark, not a secret
    return [_group(draw, draw.randint(1, 6), deep=True) for _ in range(count)]


def _group(draw: random.Random, size: int, *, deep: bool) -> Group:
    entries: list[Group | Rule] = []
    while size > 0:
        if deep and size >= 3 and draw.random() < 0.5:
            entries.append(_group(draw, 2, deep=False))
            size -= 2
            continue
        entries.append(_rule(draw))
        size -= 1
    return Group("and" if draw.random() < 0.5 else "or", False, tuple(entries))


def _rule(draw: random.Random) -> Rule:
    name = draw.choice(sorted(_VALUES))
    operator = draw.choice(["is", "is_not", "in"])
    if name in ("full_name", "job_title"):
        operator = draw.choice(["contains", "starts_with"])
    value: Any = draw.choice(_VALUES[name])
    if operator == "in":
        value = tuple(draw.sample(_VALUES[name], 2))
    return Rule(f"person.{name}", operator, value)


def as_zen(node: Group | Rule) -> str:
    """The rule in zen's expression language."""
    if isinstance(node, Group):
        return "(" + f" {node.combinator} ".join(map(as_zen, node.rules)) + ")"
    name = node.field.removeprefix("person.")
    if node.operator == "in":
        return f"{name} in [{', '.join(map(_quoted, _listed(node)))}]"
    forms = {
        "is": f"{name} == {_quoted(node.value)}",
        "is_not": f"{name} != {_quoted(node.value)}",
        "contains": f"contains({name}, {_quoted(node.value)})",
        "starts_with": f"startsWith({name}, {_quoted(node.value)})",
    }
    return forms[node.operator]


def as_cel(node: Group | Rule) -> str:
    """The rule in the Common Expression Language."""
    if isinstance(node, Group):
        joiner = " && " if node.combinator == "and" else " || "
        return "(" + joiner.join(map(as_cel, node.rules)) + ")"
    name = node.field.removeprefix("person.")
    if node.operator == "in":
        return f"{name} in [{', '.join(map(_quoted, _listed(node)))}]"
    forms = {
        "is": f"{name} == {_quoted(node.value)}",
        "is_not": f"{name} != {_quoted(node.value)}",
        "contains": f"{name}.contains({_quoted(node.value)})",
        "starts_with": f"{name}.startsWith({_quoted(node.value)})",
    }
    return forms[node.operator]


def _quoted(value: object) -> str:
    return f'"{value}"'


def _listed(node: Rule) -> tuple[Any, ...]:
    return node.value if isinstance(node.value, tuple) else (node.value,)


def matchers(groups: list[Group]) -> dict[str, Callable[[], int]]:
    """Engine → how many rules match; rules compiled beforehand, the person handed over anew."""
    ours = [compile_group(group) for group in groups]
    theirs = [zen.compile_expression(as_zen(group)) for group in groups]
    programs = [cel.compile(as_cel(group)) for group in groups]

    def match_ours() -> int:
        facts = {f"person.{name}": value for name, value in PERSON.items()}
        return sum(rule(facts, TODAY) is TRUE for rule in ours)

    def match_cel() -> int:
        # One context for the person, shared by all rules: cel-rust's fastest way.
        context = cel.Context(variables=PERSON)
        return sum(bool(program.execute(context)) for program in programs)

    return {
        "ours": match_ours,
        "zen": lambda: sum(bool(rule.evaluate(PERSON)) for rule in theirs),
        "cel": match_cel,
    }


def agreed(groups: list[Group]) -> int:
    """How many match, by every engine. Raises ``AssertionError`` where they differ."""
    found = {name: match() for name, match in matchers(groups).items()}
    if len(set(found.values())) != 1:
        raise AssertionError(f"The engines disagree: {found}")
    return found["ours"]


def measure(*, quick: bool) -> list[Figure]:
    """Medians of interleaved rounds, as ratios."""
    groups = rules_make(100, seed=7)
    matched = agreed(groups)
    engines = matchers(groups)
    taken: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(30 if quick else 200):
        for name, match in engines.items():
            start = time.perf_counter()
            match()
            taken[name].append(time.perf_counter() - start)
    median = {name: statistics.median(times) for name, times in taken.items()}
    note = f"ours {median['ours'] * 1e6:.0f} µs, {matched} of 100 match"
    return [
        Figure(
            name="one person × 100 rules, against zen-engine",
            value=median["ours"] / median["zen"],
            goal=0.25,
            unit="×",
            note=f"{note}; zen {median['zen'] * 1e6:.0f} µs",
        ),
        Figure(
            name="one person × 100 rules, against cel-rust (shared context)",
            value=median["ours"] / median["cel"],
            goal=0.6,
            unit="×",
            note=f"cel {median['cel'] * 1e6:.0f} µs",
        ),
    ]
