"""How far somebody is from matching: the number of rules that would have to come out otherwise."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import lru_cache

from workflows.conditions.evaluate import Facts, Truth, compile_rule
from workflows.conditions.tree import Group

Distance = Callable[[Facts, date], tuple[int, int]]
"""Rules to change until the answer is true, and until it is false."""
_EMPTY = (1, 1)


def nearness(group: Group, facts: Facts, today: date) -> int:
    """0 for who matches; else how many rules stand between, at the least."""
    return _compiled(group)(facts, today)[0]


@lru_cache(maxsize=512)
def _compiled(group: Group) -> Distance:
    parts = [
        _compiled(rule) if isinstance(rule, Group) else _rule(compile_rule(rule))
        for rule in group.rules
    ]
    every = group.combinator == "and"

    def run(facts: Facts, today: date) -> tuple[int, int]:
        pairs = [part(facts, today) for part in parts]
        if not pairs:
            return _EMPTY
        true = [pair[0] for pair in pairs]
        false = [pair[1] for pair in pairs]
        # All must come out true, or one be made so; to make it false it is the other way about.
        found = (sum(true), min(false)) if every else (min(true), sum(false))
        return (found[1], found[0]) if group.negated else found

    return run


def _rule(test: Callable[[Facts, date], Truth]) -> Distance:
    def run(facts: Facts, today: date) -> tuple[int, int]:
        answer = test(facts, today)
        return (0 if answer is Truth.TRUE else 1), (0 if answer is Truth.FALSE else 1)

    return run
