"""Projection beside the reading: in order, at most one page behind, errors as they were."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from integrations.connectors.remote.projecting import project_beside

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


def test_reading_is_at_most_one_page_ahead() -> None:
    read: list[int] = []
    ahead: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(6):
            read.append(number)
            yield [number]

    project_beside(pages(), lambda page: ahead.append(len(read) - page[0]))
    assert len(ahead) == 6
    assert max(ahead) <= 3


def test_error_of_the_projection_is_raised_as_it_was_and_ends_the_reading() -> None:
    read: list[int] = []

    def pages() -> Iterator[list[int]]:
        for number in range(50):
            read.append(number)
            yield [number]

    def project(page: list[int]) -> None:
        if page == [3]:
            raise LookupError("page 3")

    with pytest.raises(LookupError, match="page 3"):
        project_beside(pages(), project)
    assert len(read) <= 5


def test_error_of_the_reading_is_raised_after_what_was_read_is_projected() -> None:
    seen: list[int] = []

    def pages() -> Iterator[list[int]]:
        yield [0]
        yield [1]
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        project_beside(pages(), lambda page: seen.extend(page))
    assert seen == [0, 1]


def test_no_page_is_no_work() -> None:
    def project(page: list[int]) -> None:
        raise AssertionError(page)

    assert project_beside(iter(()), project) is None  # type: ignore[func-returns-value]
