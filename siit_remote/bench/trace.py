"""One person against 100 workflows with every reason, beside zen-engine's graph with its trace."""

from __future__ import annotations

import json

import zen

from siit_remote.bench.figures import Figure
from siit_remote.bench.rules import PERSON, TODAY, as_zen, rules_make
from siit_remote.bench.stopwatch import alternate
from workflows.conditions.evaluate import TRUE, compile_group
from workflows.conditions.trace import trace
from workflows.conditions.tree import Group

WORKFLOWS = 100


def graph_of(groups: list[Group]) -> str:
    """A decision of zen-engine with one expression for each workflow."""
    expressions = [
        {"id": f"e{number}", "key": f"w{number}", "value": as_zen(group)}
        for number, group in enumerate(groups)
    ]
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in"},
        {
            "id": "all",
            "type": "expressionNode",
            "name": "all",
            "content": {"expressions": expressions},
        },
        {"id": "out", "type": "outputNode", "name": "out"},
    ]
    edges = [
        {"id": "1", "sourceId": "in", "targetId": "all", "type": "edge"},
        {"id": "2", "sourceId": "all", "targetId": "out", "type": "edge"},
    ]
    return json.dumps({"contentType": "application/vnd.gorules.decision", "nodes": nodes,
                       "edges": edges})  # fmt: skip


def measure(*, quick: bool) -> list[Figure]:
    """All three find the same matches before any is timed."""
    groups = rules_make(WORKFLOWS, seed=7)
    tests = [compile_group(group) for group in groups]
    decision = zen.ZenEngine().create_decision(graph_of(groups))
    facts = {f"person.{name}": value for name, value in PERSON.items()}

    def ours() -> int:
        return sum(trace(group, facts, TODAY).result is TRUE for group in groups)

    def bare() -> int:
        return sum(test(facts, TODAY) is TRUE for test in tests)

    def theirs() -> int:
        answer = decision.evaluate(PERSON, {"trace": True})
        if not answer.get("trace"):
            raise SystemExit("zen-engine gave no trace.")
        return sum(map(bool, answer["result"].values()))

    if not ours() == bare() == theirs():
        raise SystemExit(f"They disagree: {ours()}, {bare()}, {theirs()}")
    traced, plain, peer = alternate(20 if quick else 100, ours, bare, theirs)
    return [
        Figure(
            name=f"one person × {WORKFLOWS} workflows with the full trace, against zen with trace",
            value=traced / peer,
            goal=1.0,
            unit="×",
            note=f"{traced * 1e3:.2f} ms, zen {peer * 1e3:.2f} ms, no trace {plain * 1e3:.2f} ms",
        )
    ]
