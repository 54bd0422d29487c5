"""Projection beside the reading: in order, a few pages behind at most, errors as they were."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from integrations.connectors.remote.projecting import BACKLOG, project_beside

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_pages_are_projected_in_order_in_one_other_thread() -> None:
    seen: list[tuple[int, int]] = []
    project_beside(
        ([number] for number in range(9)),
        lambda page: seen.append((page[0], threading.get_ident())),
    )
    assert [number for number, _ in seen] == list(range(9))
    assert {thread for _, thread in seen} != {threading.get_ident()}
    assert len({thread for _, thread in seen}) == 1


def test_reading_is_a_few_pages_ahead_at_most() -> None:
    read: list[int] = []
    ahead: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(3 * BACKLOG):
            read.append(number)
            yield [number]

    project_beside(pages(), lambda page: ahead.append(len(read) - page[0]))
    assert len(ahead) == 3 * BACKLOG
    assert max(ahead) <= BACKLOG + 2


def test_what_comes_first_runs_beside_the_reading_and_ends_before_any_projection() -> None:
    read, order = threading.Event(), []

    def pages() -> Iterator[list[int]]:
        yield [0]
        read.set()
        yield [1]

    def first() -> None:
        assert read.wait(5)
        order.append(-1)

    project_beside(pages(), order.extend, first=first)
    assert order == [-1, 0, 1]


def test_error_of_what_comes_first_ends_the_reading_and_nothing_is_projected() -> None:
    read: list[int] = []
    seen: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(10 * BACKLOG):
            read.append(number)
            yield [number]

    def first() -> None:
        raise LookupError("managers")

    with pytest.raises(LookupError, match="managers"):
        project_beside(pages(), seen.extend, first=first)
    assert len(read) <= BACKLOG + 2
    assert seen == []


def test_error_of_the_projection_is_raised_as_it_was_and_ends_the_reading() -> None:
    read: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(10 * BACKLOG):
            read.append(number)
            yield [number]

    def project(page: list[int]) -> None:
        if page == [3]:
            raise LookupError("page 3")

    with pytest.raises(LookupError, match="page 3"):
        project_beside(pages(), project)
    assert len(read) <= 3 + BACKLOG + 2


def test_error_of_the_reading_is_raised_once_the_other_thread_is_at_rest() -> None:
    seen: list[int] = []

    def pages() -> Iterator[list[int]]:
        yield [0]
        yield [1]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        project_beside(pages(), lambda page: seen.extend(page))
    assert seen in ([], [0], [0, 1])
    assert "projecting" not in " ".join(thread.name for thread in threading.enumerate())


def test_no_page_is_no_work() -> None:
    def project(page: list[int]) -> None:
        raise AssertionError(page)

    assert project_beside(iter(()), project) is None  # type: ignore[func-returns-value]
