"""Every fault, where it was asked for and nowhere else."""

import time

import pytest
import requests

from integrations.tests.simulator.conftest import Peer

LIST = "/v1/employments"
BULK = "/v1/employments/bulk"


@pytest.mark.parametrize("status", [401, 403, 404, 422, 500, 503])
def test_status_fault_answers_once(peer: Peer, status: int) -> None:
    peer.simulator.fault(LIST, status=status, headers={"Retry-After": "7"})
    answer = peer.get(LIST)
    assert (answer.status_code, answer.headers["Retry-After"]) == (status, "7")
    assert "message" in answer.json()
    assert peer.get(LIST).status_code == 200


def test_fault_can_carry_its_own_body(peer: Peer) -> None:
    peer.simulator.fault(LIST, status=422, body={"message": [{"code": "x"}]})
    assert peer.get(LIST).json() == {"message": [{"code": "x"}]}


def test_fault_waits_for_its_page(peer: Peer) -> None:
    peer.simulator.fault(LIST, page=2)
    statuses = [peer.get(LIST, page=page).status_code for page in (1, 2, 2)]
    assert statuses == [200, 500, 200]


def test_fault_waits_for_its_page_of_a_cursor(peer: Peer) -> None:
    peer.simulator.fault(BULK, page=2, times=2)
    first = peer.get(BULK, limit=10)
    cursor = first.json()["next_cursor"]
    statuses = [peer.get(BULK, limit=10, cursor=cursor).status_code for _ in range(3)]
    assert (first.status_code, statuses) == (200, [500, 500, 200])


def test_fault_waits_for_its_request_and_method(peer: Peer) -> None:
    peer.simulator.fault("/v1", method="POST")
    peer.simulator.fault(LIST, after=1)
    assert [peer.get(LIST).status_code for _ in range(3)] == [200, 500, 200]
    assert peer.send("POST", "/v1/webhook-callbacks", {}).status_code == 500


def test_fault_lasts_until_cleared(peer: Peer) -> None:
    peer.simulator.fault("/v1", times=None)
    assert [peer.get(LIST).status_code for _ in range(3)] == [500, 500, 500]
    peer.simulator.clear_faults()
    assert peer.get(LIST).status_code == 200


def test_unknown_fault_kind_is_refused(peer: Peer) -> None:
    with pytest.raises(ValueError, match="unknown fault kind"):
        peer.simulator.fault(LIST, kind="earthquake")


@pytest.mark.parametrize("kind", ["reset", "hang"])
def test_broken_connection_gives_no_answer(peer: Peer, kind: str) -> None:
    peer.simulator.fault(LIST, kind=kind, seconds=0.1)
    with pytest.raises(requests.ConnectionError):
        peer.get(LIST)
    assert peer.simulator.requests[-1].status == 0
    assert peer.get(LIST).status_code == 200


def test_hanging_outlasts_a_timeout(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="hang", seconds=30)
    with pytest.raises(requests.Timeout):
        peer.session.get(peer.simulator.base_url + LIST, timeout=0.2)


def test_truncated_answer_ends_early(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="truncate")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        peer.get(LIST)
    assert peer.get(LIST).status_code == 200


def test_garbage_claims_to_be_json(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="garbage")
    answer = peer.get(LIST)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("application/json")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


@pytest.mark.parametrize("status", [200, 502])
def test_html_fault_has_any_status(peer: Peer, status: int) -> None:
    peer.simulator.fault(LIST, kind="html", status=status)
    answer = peer.get(LIST)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")


def test_slow_answer_arrives_complete(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="slow", seconds=0.3)
    started = time.perf_counter()
    assert len(peer.get(LIST).json()["data"]["employments"]) == 20
    assert time.perf_counter() - started >= 0.25


def test_rate_limit_fault_says_when_to_return(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="ratelimit", seconds=1.5)
    answer = peer.get(LIST)
    assert answer.status_code == 429
    assert answer.headers["x-ratelimit-remaining"] == "0"
    assert answer.headers["x-ratelimit-reset"] == "1500"


def test_empty_fault_empties_page_and_counters(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="empty")
    assert peer.get(LIST).json()["data"] == {
        "employments": [],
        "current_page": 1,
        "total_pages": 0,
        "total_count": 0,
    }
    peer.simulator.fault(BULK, kind="empty")
    assert peer.get(BULK).json() == {"data": [], "next_cursor": None}
    assert len(peer.get(BULK).json()["data"]) == 40


def test_short_page_keeps_its_counters(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="short", rows=3)
    data = peer.get(LIST).json()["data"]
    assert (len(data["employments"]), data["total_count"]) == (17, 40)


def test_wrong_total_disagrees(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="wrong_total", rows=5)
    assert peer.get(LIST).json()["data"]["total_count"] == 45


def test_repeated_cursor_comes_back(peer: Peer) -> None:
    peer.simulator.fault(BULK, kind="repeat_cursor", page=2)
    cursor = peer.get(BULK, limit=10).json()["next_cursor"]
    assert peer.get(BULK, limit=10, cursor=cursor).json()["next_cursor"] == cursor
    assert peer.get(BULK, limit=10, cursor=cursor).json()["next_cursor"] != cursor


def test_duplicate_row_is_on_two_pages(peer: Peer) -> None:
    peer.simulator.fault(LIST, kind="duplicate_row", page=2)
    first = peer.get(LIST, page=1).json()["data"]["employments"]
    second = peer.get(LIST, page=2).json()["data"]["employments"]
    assert second[-1] == first[0]
    assert len(second) == 21
