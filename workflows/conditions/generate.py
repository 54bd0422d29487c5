"""A condition as one Python function, for the many who are asked in a row.

The source is made of fixed lines alone; what a person wrote (fields, values) is put in afterwards
as constants of the syntax tree and never read as source. Closures (:mod:`.evaluate`) say the same,
slower: they serve what is rare, and the trace.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from workflows.conditions.values import Wanted, fold, text_of

MAX_DEPTH = 12
"""Python nests twenty blocks at most, and each group is one."""
_MOST_TEXTS = 50_000
_TEXT_TYPES = frozenset({"text", "choice", "reference"})
_TESTS = {
    "is": "t == {want}",
    "is_not": "t != {want}",
    "in": "t in {want}",
    "not_in": "t not in {want}",
    "contains": "{want} in t",
    "not_contains": "{want} not in t",
    "starts_with": "t.startswith({want})",
    "ends_with": "t.endswith({want})",
}


_FOLDED: dict[Any, str] = {None: ""}
"""Text → its folded form, worked out once: people share most of their values."""


def _look(value: Any) -> str:
    """A fact as folded text, remembered where it is a text."""
    if value.__class__ is not str:
        return text_of(value)
    if len(_FOLDED) >= _MOST_TEXTS:
        _FOLDED.clear()
        _FOLDED[None] = ""
    found = _FOLDED[value] = fold(value)
    return found


class Writer:
    """Collects the lines of one function and what they refer to."""

    def __init__(self, **shared: Any) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"FOLDED": _FOLDED, "LOOK": _look, **shared}
        self._indent = 1
        self._count = 0

    def name(self, value: Any) -> str:
        """A name that stands for ``value`` in the function."""
        self._count += 1
        name = f"n{self._count}"
        self.names[name] = value
        return name

    def line(self, text: str) -> None:
        """One line at the present depth."""
        self.lines.append("    " * self._indent + text)

    def group(self, combinator: str, members: list[Callable[[str], None]]) -> str:
        """Kleene's and / or over ``members``; returns the variable that holds the answer."""
        self._count += 1
        answer = f"r{self._count}"
        self.line(f"{answer} = {'TRUE' if combinator == 'and' else 'FALSE'}")
        self.line("while True:")
        self._indent += 1
        for member in members:
            member(answer)
        self.line("break")
        self._indent -= 1
        return answer

    def text_rule(self, want: Wanted, *, answer: str, combinator: str) -> None:
        """A comparison of text, in place."""
        several = want.operator in ("in", "not_in")
        wanted = self.name(frozenset(want.values) if several else want.first)
        test = _TESTS[want.operator].format(want=wanted)
        self.line(f"v = get({self.name(want.spec.key)})")
        # A dict of nothing but texts finds no number; what cannot be a key is no text either.
        self.line("try: t = FOLDED[v]")
        self.line("except (KeyError, TypeError): t = LOOK(v)")
        self.line(f"if not t: {answer} = UNKNOWN")
        if combinator == "and":
            self.line(f"elif not ({test}):")
            self.line(f"    {answer} = FALSE")
        else:
            self.line(f"elif {test}:")
            self.line(f"    {answer} = TRUE")
        self.line("    break")

    def settle(self, inner: str, *, answer: str, combinator: str) -> None:
        """Take the answer of a member that stands in the variable ``inner``."""
        decisive = "FALSE" if combinator == "and" else "TRUE"
        self.line(f"if {inner} is {decisive}:")
        self.line(f"    {answer} = {decisive}")
        self.line("    break")
        self.line(f"if {inner} is UNKNOWN: {answer} = UNKNOWN")

    def function(self, answer: str) -> Callable[..., Any]:
        """The finished function of (facts, today)."""
        # Names that are parameters are found faster than those of a module.
        given = {name: value for name, value in self.names.items() if not _constant(value)}
        head = f"def run(facts, today, {', '.join(f'{name}={name}' for name in given)}):"
        body = "\n".join([head, "    get = facts.get", *self.lines, f"    return {answer}"])
        tree = ast.fix_missing_locations(_PutIn(self.names).visit(ast.parse(body)))
        names = dict(given)
        exec(compile(tree, "<condition>", "exec"), names)  # noqa: S102 - fixed lines alone
        run: Callable[..., Any] = names["run"]
        return run


def _constant(value: Any) -> bool:
    return isinstance(value, str | frozenset)


class _PutIn(ast.NodeTransformer):
    """Replaces the names of texts and sets by the values themselves."""

    def __init__(self, names: dict[str, Any]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """A constant for a name that stands for one."""
        value = self.names.get(node.id)
        return ast.Constant(value) if _constant(value) else node


def inlined(want: Wanted) -> bool:
    """Whether a rule is written in place rather than called."""
    return want.spec.type in _TEXT_TYPES and want.operator in _TESTS
