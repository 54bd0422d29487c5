"""A full refresh over HTTP: what is asked, what is complete, and every fault at every place."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from integrations.connectors.base import CONNECTORS
from integrations.connectors.remote.projecting import BACKLOG
from integrations.errors import (
    ConfigError,
    IncompleteError,
    PermanentError,
    TransientError,
    UnauthorizedError,
)
from integrations.tests.connectors.remote.fakes import (
    COMPANY,
    Clock,
    FakeRemote,
    Reply,
    client_for,
    person,
    serve,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from integrations.connectors.base import Feed

TODAY = date(2026, 5, 10)
BULK = "/v1/employments/bulk"
LISTS = [
    "/v2/offboardings",
    "/v1/direct-offboardings",
    "/v1/contractors/cor-termination-requests",
    "/v1/company-managers",
    "/v1/companies/11111111-1111-4111-8111-111111111111/legal-entities",
]
OPTIONAL = LISTS[1:3]


@pytest.fixture
def remote() -> Iterator[FakeRemote]:
    with serve(FakeRemote([person(number) for number in range(250)])) as found:
        yield found


def fetch(remote: FakeRemote, *, clock: Clock | None = None, **options: Any) -> Feed:
    client = client_for(remote, clock=clock, **options)
    return client.fetch_people(today=TODAY, progress=lambda _: None)


def paths(remote: FakeRemote) -> list[str]:
    return [path for path, _ in remote.calls]


def test_fetch_asks_one_request_per_hundred_and_five(remote: FakeRemote) -> None:
    feed = fetch(remote)
    assert CONNECTORS.get("remote") is not None
    assert len(feed.records) == 250
    assert len({record.external_id for record in feed.records}) == 250
    assert paths(remote) == ["/v1/identity/current", LISTS[4], *LISTS[:4], BULK, BULK, BULK]
    assert feed.requests == len(remote.calls) == 3 + 5 + 1
    assert remote.calls[2][1] == {
        "include_confidential": "true",
        "page": "1",
        "page_size": "100",
    }


def test_fetch_joins_the_small_lists(remote: FakeRemote) -> None:
    remote.lists["legal_entities"] = [{"id": "e-1", "name": "Acme SAS", "country_code": "FRA"}]
    remote.lists["company_managers"] = [
        {"user_id": "u-1", "user_email": "own@acme.test", "role": "owner"},
        {"user_id": "u-1", "user_email": "own@acme.test", "role": "people_manager"},
    ]
    remote.lists["offboardings"] = [
        {
            "id": f"o-{number}",
            "employment_id": person(number)["id"],
            "type": "resignation",
            "status": "in_review",
            "termination_date": "2026-06-30",
        }
        for number in range(120)
    ]
    feed = fetch(remote)
    assert sum(record.end_date == date(2026, 6, 30) for record in feed.records) == 120
    assert {record.legal_entity for record in feed.records} == {"Acme SAS"}
    assert {record.manager_user_email for record in feed.records} == {"own@acme.test"}
    assert feed.entities == ({"id": "e-1", "name": "Acme SAS", "country": "FRA"},)
    assert paths(remote).count("/v2/offboardings") == 2


def test_fetch_nobody_is_a_complete_answer(remote: FakeRemote) -> None:
    remote.people = []
    assert not fetch(remote).records


def test_fetch_unreadable_rows_are_skipped_with_reason(remote: FakeRemote) -> None:
    remote.people[3:5] = [None, person(4, id=None)]
    feed = fetch(remote)
    assert len(feed.records) == 248
    assert [bool(skipped.reason) for skipped in feed.skipped] == [True, True]


FAULTS: dict[str, Reply] = {
    "500": (500, {}, b"oops"),
    "502-html": (502, {}, b"<html>Bad gateway</html>"),
    "html": (200, {"Content-Type": "text/html"}, b"<html>maintenance</html>"),
    "half": (200, {}, b'{"data": [{"id": "x'),
    "deep": (200, {}, b"[" * 100_000),
    "null": (200, {}, b"null"),
    "wrong-shape": (200, {}, b'{"data": {}, "next_cursor": 7}'),
    "no-content": (204, {}, b""),
    "cut": (0, {}, None),
}


# The first request, and one in the middle of the people; the others with the slower tests.
POSITIONS = [
    place if place in (0, 7) else pytest.param(place, marks=pytest.mark.slow) for place in range(9)
]


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("kind", FAULTS)
def test_fetch_passing_fault_is_asked_again_at_the_same_place(
    remote: FakeRemote, kind: str, position: int
) -> None:
    where = ["/v1/identity/current", *LISTS, BULK, BULK, BULK][position]
    cursor = {7: "100", 8: "200"}.get(position)

    def fault(path: str, query: dict[str, str], attempt: int) -> Reply | None:
        hit = path == where and query.get("cursor") == cursor and attempt < 4
        return FAULTS[kind] if hit else None

    remote.fault = fault
    clock = Clock()
    feed = fetch(remote, clock=clock)
    assert len(feed.records) == 250
    assert feed.requests == 9 + 4
    assert len(clock.naps) == 4
    assert sum(clock.naps) <= 2 + 4 + 8 + 16


@pytest.mark.parametrize("kind", FAULTS)
def test_fetch_lasting_fault_ends_with_endpoint_and_page(remote: FakeRemote, kind: str) -> None:
    remote.fault = lambda path, query, _: FAULTS[kind] if query.get("cursor") == "100" else None
    with pytest.raises(TransientError, match="people in bulk, page 2 in 5 attempts"):
        fetch(remote)
    assert len(remote.calls) == 6 + 1 + 5


@pytest.mark.parametrize("page", [1, 2, 3])
def test_fetch_token_revoked_midway_stops_at_once(remote: FakeRemote, page: int) -> None:
    remote.people = [person(number) for number in range(250)]
    cursor = {1: None, 2: "100", 3: "200"}[page]
    remote.fault = lambda path, query, _: (
        remote.reply(401, {"message": "Unauthorized"})
        if path == BULK and query.get("cursor") == cursor
        else None
    )
    with pytest.raises(UnauthorizedError, match="Unauthorized: the API token was revoked"):
        fetch(remote)
    assert len(remote.calls) == 6 + page


@pytest.mark.parametrize("where", [LISTS[0], LISTS[3], LISTS[4]])
def test_fetch_missing_scope_is_named(remote: FakeRemote, where: str) -> None:
    remote.fault = lambda path, *_: remote.reply(403, {}) if path == where else None
    with pytest.raises(UnauthorizedError, match=r"scope \w+:read is missing"):
        fetch(remote)


@pytest.mark.parametrize("where", OPTIONAL)
def test_fetch_optional_list_may_be_missing(remote: FakeRemote, where: str) -> None:
    remote.missing.add(where)
    assert len(fetch(remote).records) == 250


@pytest.mark.parametrize(
    ("where", "changes"),
    [
        (OPTIONAL[0], {"type": "global_payroll_employee"}),
        (OPTIONAL[1], {"type": "contractor", "contractor_type": "cor"}),
    ],
)
def test_fetch_refused_list_matters_only_for_those_in_it(
    remote: FakeRemote, where: str, changes: dict[str, Any]
) -> None:
    remote.fault = lambda path, *_: remote.reply(403, {}) if path == where else None
    assert len(fetch(remote).records) == 250
    remote.people[200] = person(200, **changes)
    with pytest.raises(UnauthorizedError, match="does not let this API token read"):
        fetch(remote)


def test_fetch_older_offboardings_serve_where_the_newer_are_missing(remote: FakeRemote) -> None:
    remote.missing.add("/v2/offboardings")
    remote.lists["offboardings"] = [
        {
            "id": "o",
            "employment_id": person(7)["id"],
            "type": "termination",
            "status": "done",
            "termination_date": "2026-06-30",
        }
    ]
    found = {record.external_id: record for record in fetch(remote).records}
    assert found[person(7)["id"]].end_date == date(2026, 6, 30)
    remote.missing.add("/v1/offboardings")
    with pytest.raises(PermanentError, match="offboardings"):
        fetch(remote)


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_fetch_without_bulk_reads_one_by_one(remote: FakeRemote, status: int) -> None:
    remote.people = [person(number) for number in range(103)]
    remote.fault = lambda path, *_: (
        remote.reply(status, {"message": "Employment not found"}) if path == BULK else None
    )
    feed = fetch(remote)
    assert len(feed.records) == 103
    assert feed.requests == 1 + 5 + 1 + 2 + 103
    assert remote.calls[-1][1] == {"exclude_files": "true"}


def test_fetch_worker_gone_between_list_and_show_is_skipped(remote: FakeRemote) -> None:
    remote.people = [person(number) for number in range(3)]
    gone = person(1)["id"]
    remote.missing |= {BULK, f"/v1/employments/{gone}"}
    feed = fetch(remote)
    assert len(feed.records) == 2
    assert [skipped.external_id for skipped in feed.skipped] == [gone]


OTHER = "22222222-2222-4222-8222-222222222222"


def test_fetch_of_a_known_company_does_not_ask_whose_token_it_is(remote: FakeRemote) -> None:
    feed = fetch(remote, known=remote.company_id)
    assert feed.requests == 3 + 5
    assert "/v1/identity/current" not in paths(remote)


def test_fetch_other_company_is_refused_by_its_first_page(remote: FakeRemote) -> None:
    remote.people = [person(number) for number in range(1_500)]
    with pytest.raises(ConfigError, match="another company"):
        fetch(remote, known=OTHER)
    assert paths(remote).count(BULK) <= BACKLOG + 2


@pytest.mark.parametrize("status", [403, 404])
def test_fetch_refusal_of_the_companys_own_list_names_the_foreign_token(
    remote: FakeRemote, status: int
) -> None:
    entities = f"/v1/companies/{OTHER}/legal-entities"
    remote.fault = lambda path, *_: remote.reply(status, {}) if path == entities else None
    with pytest.raises(ConfigError, match="another company"):
        fetch(remote, known=OTHER)
    assert paths(remote) == [entities, "/v1/identity/current"]


@pytest.mark.parametrize("silent", [None, "", 7])
def test_fetch_worker_who_names_no_company_makes_us_ask(remote: FakeRemote, silent: object) -> None:
    remote.people[240] = person(240, company_id=silent)
    remote.company_id = OTHER
    with pytest.raises(ConfigError, match="another company"):
        fetch(remote, known=COMPANY)
    assert paths(remote)[-1] == "/v1/identity/current"


def test_fetch_of_nobody_makes_us_ask(remote: FakeRemote) -> None:
    remote.people.clear()
    remote.company_id = OTHER
    with pytest.raises(ConfigError, match="another company"):
        fetch(remote, known=COMPANY)


def test_fetch_token_without_company_is_refused(remote: FakeRemote) -> None:
    remote.fault = lambda *_: remote.reply(201, {"data": {"client_id": "c"}})
    with pytest.raises(ConfigError, match="names no company"):
        fetch(remote)


def test_fetch_row_of_another_company_is_refused(remote: FakeRemote) -> None:
    remote.people[240] = person(240, company_id="22222222-2222-4222-8222-222222222222")
    with pytest.raises(ConfigError, match="another company"):
        fetch(remote, known=remote.company_id)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_fetch_repeated_cursor_is_incomplete(remote: FakeRemote, first: int) -> None:
    def fault(path: str, query: dict[str, str], _: int) -> Reply | None:
        if path != BULK or int(query.get("cursor") or 0) < 100 * (first - 1):
            return None
        return remote.reply(200, {"data": remote.people[:100], "next_cursor": "100"})

    remote.fault = fault
    with pytest.raises(IncompleteError, match="repeated the cursor '100'"):
        fetch(remote)
    assert len(remote.calls) < 12


def test_fetch_empty_page_with_a_cursor_is_incomplete(remote: FakeRemote) -> None:
    remote.fault = lambda path, query, _: (
        remote.reply(200, {"data": [], "next_cursor": "200"})
        if query.get("cursor") == "100"
        else None
    )
    with pytest.raises(IncompleteError, match="empty page"):
        fetch(remote)


@pytest.mark.parametrize("page", [0, 1])
@pytest.mark.parametrize("dropped", [1, 50, 100])
def test_fetch_short_page_is_asked_again(remote: FakeRemote, page: int, dropped: int) -> None:
    def fault(path: str, query: dict[str, str], attempt: int) -> Reply | None:
        at = int(query.get("cursor") or 0)
        if path != BULK or at != page * 100 or attempt:
            return None
        rows = remote.people[at : at + 100 - dropped]
        return remote.reply(200, {"data": rows, "next_cursor": str(at + 100)})

    remote.fault = fault
    assert len(fetch(remote).records) == 250


def test_fetch_server_with_smaller_pages_is_believed(remote: FakeRemote) -> None:
    def fault(path: str, query: dict[str, str], _: int) -> Reply | None:
        if path != BULK:
            return None
        at = int(query.get("cursor") or 0)
        cursor = str(at + 50) if at < 200 else None
        return remote.reply(200, {"data": remote.people[at : at + 50], "next_cursor": cursor})

    remote.fault = fault
    feed = fetch(remote)
    assert len(feed.records) == 250
    assert feed.requests == 6 + 5 + 1


def test_fetch_worker_on_two_pages_is_one(remote: FakeRemote) -> None:
    remote.people[120] = remote.people[99]
    assert len(fetch(remote).records) == 249


def test_fetch_cursor_refused_midway_is_incomplete(remote: FakeRemote) -> None:
    remote.fault = lambda path, query, _: (
        remote.reply(422, {"errors": {"cursor": ["is invalid"]}})
        if query.get("cursor") == "200"
        else None
    )
    with pytest.raises(IncompleteError, match="page 3"):
        fetch(remote)


def rows(count: int) -> list[Any]:
    return [{"id": f"o-{number}", "employment_id": f"p-{number}"} for number in range(count)]


@pytest.mark.parametrize("page", ["1", "2", "3"])
@pytest.mark.parametrize("change", ["drop", "fewer", "shift", "pages", "number"])
@pytest.mark.parametrize("lasting", [False, True])
def test_fetch_list_that_moves_is_read_again_or_refused(
    remote: FakeRemote, page: str, change: str, lasting: bool
) -> None:
    remote.lists["offboardings"] = rows(250)

    def fault(path: str, query: dict[str, str], attempt: int) -> Reply | None:
        if path != "/v2/offboardings" or query["page"] != page or (attempt and not lasting):
            return None
        at = (int(page) - 1) * 100
        data: dict[str, Any] = {
            "offboardings": rows(250)[at : at + 100],
            "current_page": int(page),
            "total_pages": 3,
            "total_count": 250,
        }
        match change:
            case "drop":
                data["offboardings"] = data["offboardings"][:-7]
            case "fewer":
                data["total_count"] = 243
            case "shift":
                data["offboardings"] = rows(250)[max(at - 1, 0) : at + 99]
            case "pages":
                data["total_pages"] = 4
            case _:
                data["current_page"] = 9
        return remote.reply(200, {"data": data})

    remote.fault = fault
    # A row met twice and none missed, as on the last page, is no contradiction.
    if lasting and not (change == "shift" and page == "3"):
        with pytest.raises(IncompleteError, match="offboardings contradicts itself"):
            fetch(remote)
        assert BULK not in paths(remote)
    else:
        assert len(fetch(remote).records) == 250


@pytest.mark.parametrize(
    "counts",
    [
        {"total_count": None},
        {"total_count": "3"},
        {"total_pages": -1},
        {"current_page": True},
        {"total_pages": 10**9},
        {"total_count": 5},
    ],
)
def test_fetch_list_without_sound_counts_is_refused(
    remote: FakeRemote, counts: dict[str, Any]
) -> None:
    data = {"current_page": 1, "total_pages": 1, "total_count": 0, "company_managers": []}
    remote.fault = lambda path, *_: (
        remote.reply(200, {"data": data | counts}) if path == "/v1/company-managers" else None
    )
    with pytest.raises(TransientError, match="company managers"):
        fetch(remote)


def test_fetch_redirect_is_a_permanent_refusal(remote: FakeRemote) -> None:
    remote.fault = lambda path, *_: (302, {"Location": "/elsewhere"}, b"")
    with pytest.raises(PermanentError, match="redirects are not followed"):
        fetch(remote)
    assert len(remote.calls) == 1


def test_fetch_feed_holds_nothing_private(remote: FakeRemote) -> None:
    said: list[str] = []
    feed = client_for(remote).fetch_people(today=TODAY, progress=said.append)
    text = repr(feed) + "".join(said)
    assert "SECRET" not in text
    assert "987654321" not in text
    assert "home.test" not in text
    assert said[-1] == "Read 250 people"
