"""What an endpoint's answer means: a place in its JSON, and the values that say so.

``/status = done, completed`` · ``/status != running`` · ``/error exists`` · ``/error missing``
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.problems import Problem

DONE, LATER, FAILED = "done", "later", "failed"
MEANINGS = (FAILED, LATER, DONE)
"""In the order in which they are asked: an error is believed before a success."""
_RULE = re.compile(
    r"(?P<at>/\S*)\s+(?:(?P<op>exists|missing)|(?P<cmp>!?=)\s*(?P<values>\S.*))", re.DOTALL
)
_LONGEST = 300
_EXPECTED = "Expected a place and its values, as “/status = done, completed” or “/error exists”."


class _Missing:
    """Nothing stands at the place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One place (RFC 6901) and what must stand there."""

    pointer: tuple[str, ...]
    op: str
    values: frozenset[str] = frozenset()

    def holds(self, document: Any) -> bool:
        """Whether ``document`` says so."""
        found = _at(document, self.pointer)
        missing = isinstance(found, _Missing) or found is None
        if self.op in ("exists", "missing"):
            return missing == (self.op == "missing")
        said = not missing and _word(found) in self.values
        return said if self.op == "=" else not missing and not said


def rule_parse(text: str) -> Rule | None:
    """The rule that ``text`` writes; ``None`` where it writes none."""
    match = _RULE.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if match is None:
        return None
    pointer = tuple(
        part.replace("~1", "/").replace("~0", "~") for part in match["at"].split("/")[1:]
    )
    values = frozenset(
        filter(None, (value.strip().casefold() for value in (match["values"] or "").split(",")))
    )
    if match["cmp"] and not values:
        return None
    return Rule(pointer=pointer, op=match["op"] or match["cmp"], values=values)


def rules_problems(rules: object, path: str) -> list[Problem]:
    """What is wrong with the rules of a step."""
    if not isinstance(rules, Mapping):
        return []
    return [
        Problem(f"{path}.{name}", _EXPECTED)
        for name, text in rules.items()
        if name in MEANINGS and (not isinstance(text, str) or rule_parse(text) is None)
    ]


def meaning_of(rules: Mapping[str, Any], document: Any) -> str:
    """``failed``, ``later`` or ``done``; empty where no rule holds."""
    for name in MEANINGS:
        text = rules.get(name)
        rule = rule_parse(str(text)) if text else None
        if rule is not None and rule.holds(document):
            return name
    return ""


def _at(document: Any, pointer: tuple[str, ...]) -> Any:
    found = document
    for part in pointer:
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isascii() and part.isdigit() and len(part) < 7:
            index = int(part)
            found = found[index] if index < len(found) else _Missing()
        else:
            return _Missing()
    return found


def _word(value: Any) -> str:
    """A scalar as people write it; anything else is no word that a rule could name."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).casefold() if isinstance(value, str | int | float) else "\0"
