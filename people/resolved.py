"""One person's values as they should be, and what is wrong with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from people.choices import Problem
from people.managers import ManagerClaim

_PROBLEMS = tuple(Problem.values)


@dataclass(slots=True, kw_only=True)
class Resolved:
    """One person's values as they should be. The manager is still a claim."""

    values: dict[str, Any]
    sources: dict[str, str]
    claim: ManagerClaim
    today: date
    flags: dict[tuple[str, str], None] = field(default_factory=dict)
    """Data problems with their sentences, in order; a problem may be blank (only a remark)."""
    quiet: frozenset[str] = frozenset()
    primaries: frozenset[tuple[str, str]] = frozenset()
    two_live: bool = False

    def flag(self, problem: str, note: str) -> None:
        """Report a data problem with its sentence."""
        self.flags[(str(problem), note)] = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Each problem once, in the vocabulary's order."""
        if not self.flags:
            return ()
        found = {problem for problem, _ in self.flags}
        return tuple(problem for problem in _PROBLEMS if problem in found)

    @property
    def notes(self) -> tuple[str, ...]:
        """Each sentence once."""
        return tuple(dict.fromkeys(note for _, note in self.flags if note))
