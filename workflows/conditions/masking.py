"""Traces for readers who may not see every field: the answer stays, the value goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from workflows.conditions.trace import TraceNode
from workflows.fields import field_spec

HIDDEN = "hidden"
"""What stands in the place of a value."""


def names_of(hidden: Collection[str]) -> frozenset[str]:
    """Fields of a person (``date_of_birth``) as conditions call them (``person.date_of_birth``)."""
    return frozenset(f"person.{name}" for name in hidden)


def trace_masked(node: TraceNode, hidden: Collection[str]) -> TraceNode:
    """The trace without the values of the ``hidden`` fields of a person."""
    names = names_of(hidden)
    if not names:
        return node
    children = tuple(trace_masked(child, hidden) for child in node.children)
    if node.field not in names:
        return replace(node, children=children)
    spec = field_spec(node.field)
    label = spec.label if spec else node.field
    return replace(node, value=None, actual=HIDDEN, reason=f"{label} is hidden from your role")


def data_masked(node: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """The same for a trace that was stored as plain data."""
    shown = dict(node)
    if shown.get("field") in names_of(hidden):
        shown |= {"value": None, "actual": HIDDEN, "reason": ""}
    if isinstance(shown.get("rules"), list):
        shown["rules"] = [data_masked(child, hidden) for child in shown["rules"]]
    return shown


def data_with_sources(node: Mapping[str, Any], sources: Mapping[str, str]) -> dict[str, Any]:
    """A trace's plain data with ``source`` beside each value that has one."""
    shown = dict(node)
    source = sources.get(str(shown.get("field", "")).removeprefix("person."))
    if source and not shown.get("missing") and shown.get("actual") != HIDDEN:
        shown["source"] = source
    if isinstance(shown.get("rules"), list):
        shown["rules"] = [data_with_sources(child, sources) for child in shown["rules"]]
    return shown


def data_fields(node: Mapping[str, Any]) -> set[str]:
    """Every field that a stored trace looked at."""
    found = {str(node["field"])} if node.get("field") else set()
    for child in node.get("rules") or ():
        found |= data_fields(child)
    return found
