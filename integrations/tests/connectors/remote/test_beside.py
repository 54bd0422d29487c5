"""The small lists are read by a second thread while people arrive; faults on either side."""

from __future__ import annotations

import threading
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from integrations.connectors.remote.projecting import BACKLOG
from integrations.errors import IntegrationError, TransientError, UnauthorizedError
from integrations.tests.connectors.remote.fakes import (
    Clock,
    FakeRemote,
    Reply,
    client_for,
    person,
    serve,
)
from integrations.tests.connectors.remote.test_fetch import BULK, LISTS, OPTIONAL, TODAY, paths

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integrations.connectors.base import Feed

BESIDE = LISTS[:4]


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with serve(FakeRemote([person(number) for number in range(1_250)])) as found:
        yield found


def fetch(remote: FakeRemote, *, said: list[str] | None = None, wide: bool = True) -> Feed:
    client = client_for(remote, clock=Clock(), wide=wide)
    words = said if said is not None else []
    return client.fetch_people(today=TODAY, progress=words.append)


def waits(remote: FakeRemote, *, where: str, for_path: str) -> threading.Event:
    """Answers at ``where`` only once ``for_path`` has been asked for; set if it never was."""
    asked, missed = threading.Event(), threading.Event()

    def fault(path: str, query: dict[str, str], _: int) -> Reply | None:
        if path == for_path:
            asked.set()
        if path == where and not asked.wait(10):
            missed.set()
        return None

    remote.fault = fault
    return missed


def test_people_are_asked_for_while_the_small_lists_are_on_their_way(remote: FakeRemote) -> None:
    missed = waits(remote, where=LISTS[0], for_path=BULK)
    feed = fetch(remote)
    assert not missed.is_set()
    assert len(feed.records) == 1_250
    assert feed.requests == len(remote.calls) == 13 + 5 + 1
    # Whose token it is, is settled before anything else is asked.
    assert paths(remote)[:2] == ["/v1/identity/current", LISTS[4]]


def test_feed_is_the_same_as_without_a_second_thread(remote: FakeRemote) -> None:
    remote.lists["legal_entities"] = [{"id": "e-1", "name": "Acme SAS", "country_code": "FRA"}]
    remote.lists["company_managers"] = [{"user_id": "u-1", "user_email": "own@acme.test"}]
    remote.lists["offboardings"] = [
        {
            "id": f"o-{number}",
            "employment_id": person(number)["id"],
            "type": "resignation",
            "status": "in_review",
            "termination_date": "2026-06-30",
        }
        for number in range(0, 1_250, 7)
    ]
    beside, after = fetch(remote), fetch(remote, wide=False)
    assert [record.to_data() for record in beside.records] == [
        record.to_data() for record in after.records
    ]
    assert sum(record.end_date == date(2026, 6, 30) for record in beside.records) == 179
    assert (beside.entities, beside.skipped, beside.requests) == (
        after.entities,
        after.skipped,
        after.requests,
    )


@pytest.mark.parametrize("where", [LISTS[0], LISTS[3]])
@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        ((401, {}, b"{}"), UnauthorizedError, "revoked"),
        ((403, {}, b"{}"), UnauthorizedError, "scope"),
        ((500, {}, b""), TransientError, "in 5 attempts"),
        ((200, {}, b"[]"), TransientError, "in 5 attempts"),
    ],
)
def test_fault_of_a_small_list_ends_the_reading_of_people(
    remote: FakeRemote, where: str, answer: Reply, error: type[IntegrationError], words: str
) -> None:
    remote.people = [person(number) for number in range(4_000)]
    remote.fault = lambda path, *_: answer if path == where else None
    with pytest.raises(error, match=words):
        fetch(remote)
    assert paths(remote).count(BULK) < 40
    assert "projecting" not in " ".join(thread.name for thread in threading.enumerate())


@pytest.mark.parametrize("where", BESIDE)
def test_passing_fault_of_a_small_list_is_asked_again(remote: FakeRemote, where: str) -> None:
    remote.fault = lambda path, query, attempt: (
        (503, {}, b"") if path == where and attempt < 4 else None
    )
    feed = fetch(remote)
    assert len(feed.records) == 1_250
    assert feed.requests == len(remote.calls) == 13 + 5 + 1 + 4


def test_fault_of_the_people_ends_the_reading_of_the_small_lists(remote: FakeRemote) -> None:
    """A list that would be asked for again and again is not, once nobody wants it."""
    asked = threading.Event()

    def fault(path: str, query: dict[str, str], _: int) -> Reply | None:
        if path == BULK:
            assert asked.wait(10)
            return 401, {}, b"{}"
        if path == LISTS[0]:
            asked.set()
            return 500, {}, b""
        return None

    remote.fault = fault
    with pytest.raises(UnauthorizedError):
        fetch(remote)
    assert not set(paths(remote)) & set(BESIDE[1:])


def test_refused_token_is_tried_once(remote: FakeRemote) -> None:
    remote.fault = lambda *_: (401, {}, b"{}")
    with pytest.raises(UnauthorizedError):
        fetch(remote)
    assert len(remote.calls) == 1


def test_what_a_list_lacks_is_said(remote: FakeRemote) -> None:
    remote.missing |= {"/v2/offboardings", OPTIONAL[0]}
    remote.fault = lambda path, *_: (403, {}, b"{}") if path == OPTIONAL[1] else None
    threads: set[int] = set()
    client = client_for(remote, clock=Clock(), wide=True)
    said: list[str] = []

    def progress(words: str) -> None:
        threads.add(threading.get_ident())
        said.append(words)

    client.fetch_people(today=TODAY, progress=progress)
    assert "Remote offers only its older list of offboardings; reading that" in said
    assert "This account has no direct offboardings" in said
    assert "This token may not read terminations of contractors of record" in said
    assert "Read 1250 people" in said
    assert threads == {threading.get_ident()}


def test_slow_small_lists_hold_the_reading_back(remote: FakeRemote) -> None:
    """So that pages do not gather in memory."""
    remote.people = [person(number) for number in range(3_000)]
    last = threading.Event()
    most: list[int] = []

    def fault(path: str, query: dict[str, str], _: int) -> Reply | None:
        if path == BULK and paths(remote).count(BULK) == BACKLOG + 1:
            last.set()
        if path == LISTS[3]:
            assert last.wait(10)
            time.sleep(0.2)
            most.append(paths(remote).count(BULK))
        return None

    remote.fault = fault
    feed: Any = fetch(remote)
    assert len(feed.records) == 3_000
    assert most == [BACKLOG + 1]
