"""The picture of a workflow: boxes in a column, lanes beside each other, lines between. Pure.

Numbers are pixels of the drawing, counted from its upper left corner. Colours are the style
sheet's: the drawing only names its parts.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from workflows.designer.plan import PlanLane, PlanStep

WIDTH, ROOM, GAP, LINE, PAD = 236, 28, 34, 17, 12
_LETTERS_A_LINE = 30
_MOST_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle with lines of text; the first ones are its title."""

    x: int
    y: int
    height: int
    kind: str
    title: tuple[tuple[int, str], ...]
    words: tuple[tuple[int, str], ...]
    width: int = WIDTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """The name of a lane, above its first step."""

    x: int
    y: int
    text: str


@dataclass(slots=True)
class Picture:
    """Everything to draw."""

    width: int = 0
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    """Paths as SVG writes them."""


def picture_of(when: str, who: str, steps: Sequence[PlanStep]) -> Picture:
    """Draw a workflow: when it starts, for whom, then its steps."""
    picture = Picture(width=_width(steps) + 2 * PAD)
    middle = picture.width // 2
    y = _box(picture, middle, PAD, "when", "When", when)
    y = _line(picture, middle, y)
    y = _box(picture, middle, y, "who", "Only if", who)
    y = _column(picture, steps, middle, y)
    picture.height = y + PAD
    return picture


def _width(steps: Sequence[PlanStep]) -> int:
    return max((WIDTH, *(_lanes_width(step.lanes) for step in steps)))


def _lanes_width(lanes: Sequence[PlanLane]) -> int:
    return sum(_width(lane.steps) for lane in lanes) + ROOM * max(len(lanes) - 1, 0)


def _column(picture: Picture, steps: Sequence[PlanStep], middle: int, y: int) -> int:
    for step in steps:
        y = _line(picture, middle, y)
        kind = "off" if step.disabled else "takes" if step.destructive else step.kind
        words = ". ".join(part for part in (step.words, step.who and f"Only if {step.who}") if part)
        y = _box(picture, middle, y, kind, f"{step.number}  {step.title}", words)
        if step.lanes:
            y = _lanes(picture, step.lanes, middle, y)
    return y


def _lanes(picture: Picture, lanes: Sequence[PlanLane], middle: int, y: int) -> int:
    left = middle - _lanes_width(lanes) // 2
    fork, ends = y + GAP // 2, []
    for lane in lanes:
        width = _width(lane.steps)
        x = left + width // 2
        picture.lines.append(f"M{middle} {y}V{fork}H{x}V{fork + GAP // 2}")
        text = textwrap.shorten(f"{lane.label}: {lane.who}" if lane.who else lane.label, 44,
                                placeholder=" …")  # fmt: skip
        picture.labels.append(Label(x=x, y=fork + GAP // 2 + 12, text=text))
        ends.append((x, _column(picture, lane.steps, x, fork + GAP // 2 + 18)))
        left += width + ROOM
    bottom = max(end for _, end in ends) + GAP // 2
    for x, end in ends:
        picture.lines.append(f"M{x} {end}V{bottom}H{middle}")
    return bottom


def _line(picture: Picture, middle: int, y: int) -> int:
    picture.lines.append(f"M{middle} {y}V{y + GAP}")
    return y + GAP


def _box(picture: Picture, middle: int, y: int, kind: str, title: str, words: str) -> int:
    heads, texts = _wrapped(title), _wrapped(words)
    height = 2 * PAD + LINE * (len(heads) + len(texts)) - 4
    at = y + PAD + LINE - 5
    picture.boxes.append(
        Box(
            x=middle - WIDTH // 2,
            y=y,
            height=height,
            kind=kind,
            title=tuple((at + LINE * index, text) for index, text in enumerate(heads)),
            words=tuple(
                (at + LINE * (len(heads) + index), text) for index, text in enumerate(texts)
            ),
        )
    )
    return y + height


def _wrapped(text: str) -> list[str]:
    lines = textwrap.wrap(text, _LETTERS_A_LINE)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"{lines[_MOST_LINES - 1][: _LETTERS_A_LINE - 2]} …"]
    return lines
