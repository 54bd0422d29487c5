"""A figure beside its goal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured number; ``goal`` is the most it should be."""

    name: str
    value: float
    goal: float
    unit: str
    note: str = ""

    @property
    def reached(self) -> bool:
        """Whether the goal holds."""
        return self.value <= self.goal

    def line(self) -> str:
        """One row of the table."""
        mark = "ok  " if self.reached else "OVER"
        return (
            f"{mark} {self.name:<70} {self.value:>9.3f} {self.unit:<3} ≤ {self.goal:g}  {self.note}"
        )

    def to_data(self) -> dict[str, Any]:
        """As ``--json`` prints it."""
        return {**asdict(self), "reached": self.reached}
