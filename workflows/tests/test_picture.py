"""The picture of a workflow: every step is in it once, nothing overlaps, nothing sticks out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from hypothesis import given, settings

from workflows.designer.picture import Box, Picture, picture_of
from workflows.designer.plan import PlanStep, plan_of
from workflows.document.shape import WorkflowDocument
from workflows.tests.strategies import documents
from workflows.vocabulary import VOCABULARY


def _all(steps: tuple[PlanStep, ...]) -> Iterator[PlanStep]:
    for step in steps:
        yield step
        for lane in step.lanes:
            yield from _all(lane.steps)


def _apart(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    return beside or one.y + one.height <= other.y or other.y + other.height <= one.y


def _drawn(document: WorkflowDocument) -> tuple[Picture, tuple[PlanStep, ...]]:
    steps = plan_of(document, VOCABULARY)
    return picture_of("On the end date at 18:00", "worker type is Contractor", steps), steps


@settings(max_examples=40, deadline=None)
@given(documents())
def test_every_step_is_drawn_once_and_nothing_overlaps(document: WorkflowDocument) -> None:
    picture, steps = _drawn(document)
    assert len(picture.boxes) == len(list(_all(steps))) + 2
    assert len(list(_all(steps))) == sum(1 for _ in document.walk())
    assert all(_apart(one, other) for one, other in combinations(picture.boxes, 2))
    for box in picture.boxes:
        assert box.x >= 0 and box.x + box.width <= picture.width
        assert box.y >= 0 and box.y + box.height <= picture.height
        assert all(box.y < y <= box.y + box.height for y, _ in (*box.title, *box.words))
