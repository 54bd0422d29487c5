"""The endpoints over real HTTP."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from integrations.simulator.company import Company, build_company
from integrations.tests.simulator.conftest import TODAY, Peer


def pages(peer: Peer, path: str, name: str, **query: object) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    page = 1
    while True:
        data = peer.get(path, page=page, **query).json()["data"]
        rows += data[name]
        if page >= data["total_pages"]:
            assert len(rows) == data["total_count"]
            return rows
        page += 1


def bulk(peer: Peer, limit: int) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    query: dict[str, object] = {"limit": limit}
    while True:
        answer = peer.get("/v1/employments/bulk", **query).json()
        assert set(answer) == {"data", "next_cursor"}
        rows += answer["data"]
        if answer["next_cursor"] is None:
            return rows
        query["cursor"] = answer["next_cursor"]


def test_identity_answers_201_with_company_and_user(peer: Peer, company: Company) -> None:
    answer = peer.get("/v1/identity/current")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert data["company"] == {"id": company.id, "name": "Acme"}
    assert set(data["user"]) == {"id", "name", "email", "status"}


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic ra_test_simulator", "Bearer "])
def test_wrong_token_is_unauthorized(peer: Peer, header: str) -> None:
    peer.session.headers["Authorization"] = header
    answer = peer.get("/v1/identity/current")
    assert (answer.status_code, answer.json()) == (401, {"message": "Unauthorized"})
    assert "x-ratelimit-remaining" not in answer.headers


def test_revoked_token_is_unauthorized_until_another_is_set(peer: Peer) -> None:
    peer.simulator.revoke_token()
    assert peer.get("/v1/employments").status_code == 401
    peer.simulator.set_token("ra_test_other")
    assert peer.get("/v1/employments").status_code == 401
    peer.session.headers["Authorization"] = "Bearer ra_test_other"
    assert peer.get("/v1/employments").status_code == 200


def test_employments_are_paged_and_light(peer: Peer, company: Company) -> None:
    rows = pages(peer, "/v1/employments", "employments")
    assert [row["id"] for row in rows] == list(company.employments)
    assert {len(row) for row in rows} == {17}
    assert "provisional_start_date" not in rows[0]


@pytest.mark.parametrize(
    "query", [{"page_size": 101}, {"page_size": 0}, {"page": 0}, {"page": "abc"}]
)
def test_page_out_of_range_is_refused(peer: Peer, query: dict[str, object]) -> None:
    answer = peer.get("/v1/employments", **query)
    assert answer.status_code == 422
    assert set(answer.json()["errors"]) == set(query)


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("status", "archived", "status"),
        ("employment_type", "contractor", "type"),
        ("employment_model", "eor", "employment_model"),
    ],
)
def test_filter_narrows_the_list(
    peer: Peer, company: Company, name: str, value: str, key: str
) -> None:
    rows = pages(peer, "/v1/employments", "employments", **{name: value})
    wanted = [r["id"] for r in company.employments.values() if r[key] == value]
    assert [row["id"] for row in rows] == wanted
    assert wanted


def test_filter_by_email_and_short_id_finds_one(peer: Peer, company: Company) -> None:
    wanted = list(company.employments.values())[5]
    for query in ({"email": wanted["login_email"]}, {"short_id": wanted["short_id"]}):
        rows = pages(peer, "/v1/employments", "employments", **query)
        assert [row["id"] for row in rows] == [wanted["id"]]


def test_filter_takes_status_lists_and_incomplete(peer: Peer) -> None:
    rows = pages(peer, "/v1/employments", "employments", status="offboarding,pre_hire")
    assert {row["status"] for row in rows} == {"offboarding", "pre_hire"}
    rows = pages(peer, "/v1/employments", "employments", status="incomplete")
    assert "onboarded" not in {row["employment_lifecycle_stage"] for row in rows}
    assert rows


def test_unknown_model_filter_is_refused(peer: Peer) -> None:
    assert peer.get("/v1/employments", employment_model="contractor").status_code == 422


@pytest.mark.parametrize("limit", [7, 40, 100])
def test_bulk_walks_everybody_once(peer: Peer, company: Company, limit: int) -> None:
    rows = bulk(peer, limit)
    assert [row["id"] for row in rows] == list(company.employments)
    assert {row["files"] for row in rows} == {None}
    assert "termination_date" not in rows[0]


@pytest.mark.parametrize("query", [{"limit": 101}, {"cursor": "%%%"}, {"cursor": "e30="}])
def test_bulk_refuses_a_bad_limit_or_cursor(peer: Peer, query: dict[str, object]) -> None:
    assert peer.get("/v1/employments/bulk", **query).status_code == 400


def test_bulk_can_be_switched_off(make_peer: Callable[..., Peer], company: Company) -> None:
    peer = make_peer(company, bulk=False)
    assert peer.get("/v1/employments/bulk").status_code == 404
    assert peer.get("/v1/employments").status_code == 200


def test_employment_shows_the_termination_date(peer: Peer, company: Company) -> None:
    row = next(r for r in company.endings.offboardings_v2.values() if not r["confidential"])
    shown = peer.get(f"/v1/employments/{row['employment_id']}").json()["data"]["employment"]
    assert shown["termination_date"] == row["termination_date"]


def test_unknown_employment_and_path_are_not_found(peer: Peer) -> None:
    answer = peer.get("/v1/employments/nobody")
    assert (answer.status_code, answer.json()) == (404, {"message": "Employment not found"})
    answer = peer.get("/v1/legal-entities")
    assert (answer.status_code, answer.json()) == (404, {"message": "Not Found"})


def test_details_of_one_employment(peer: Peer, company: Company) -> None:
    key = list(company.employments)[5]
    values = peer.get(f"/v1/employments/{key}/custom-fields").json()["data"]["custom_field_values"]
    assert {value["name"] for value in values} >= {"T-shirt size", "Cost centre"}
    job = peer.get(f"/v1/employments/{key}/job").json()["data"]
    assert job["label"] == "Software Engineer"
    assert job["job_level"]["label"] == "Mid"
    answer = peer.get("/v1/employment-contracts", employment_id=key, only_active="true").json()
    assert [row["status"] for row in answer["data"]["employment_contracts"]] == ["active"]
    assert peer.get("/v1/employment-contracts").status_code == 422


def test_organisation_lists(peer: Peer, company: Company) -> None:
    rows = pages(peer, f"/v1/companies/{company.id}/legal-entities", "legal_entities")
    assert [row["name"] for row in rows if row["is_default"]] == ["Acme Inc."]
    assert {row["country_code"] for row in rows} >= {"USA", "FRA", "DEU", "GBR", "JPN"}
    assert peer.get("/v1/companies/other/legal-entities").status_code == 404
    answer = peer.get("/v1/company-departments", company_id=company.id).json()
    assert answer["total_count"] == len(answer["data"]["company_departments"])
    assert peer.get("/v1/company-departments").status_code == 422
    roles = {row["role"] for row in pages(peer, "/v1/company-managers", "company_managers")}
    assert roles == {"owner", "admin"}


def test_custom_fields_lose_their_wrapper_unless_strict(
    make_peer: Callable[..., Peer], company: Company
) -> None:
    assert "custom_fields" in make_peer(company).get("/v1/custom-fields").json()
    strict = make_peer(build_company(8, 1, TODAY, strict=True))
    assert "custom_fields" in strict.get("/v1/custom-fields").json()["data"]


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_confidential_offboardings_are_hidden(peer: Peer, version: str) -> None:
    path = f"/{version}/offboardings"
    shown = pages(peer, path, "offboardings")
    everything = pages(peer, path, "offboardings", include_confidential="true")
    hidden = [row for row in everything if row not in shown]
    assert hidden
    assert all(row["confidential"] for row in hidden)
    answer = peer.get(f"{path}/{hidden[0]['id']}").json()
    assert answer["data"]["offboarding"] == hidden[0]


def test_ending_lists_of_other_workers(peer: Peer) -> None:
    assert pages(peer, "/v1/direct-offboardings", "direct_offboardings")
    path = "/v1/contractors/cor-termination-requests"
    rows = pages(peer, path, "termination_requests", status="initiated")
    assert rows[0]["termination_date"] < rows[0]["employment_deactivation_date"]
    key = rows[0]["employment_id"]
    assert pages(peer, path, "termination_requests", employment_id=key) == [rows[0]]


def test_rate_limit_counts_down_and_recovers(
    make_peer: Callable[..., Peer], company: Company
) -> None:
    peer = make_peer(company, rate_limit=3, rate_window=0.4)
    answers = [peer.get("/v1/identity/current") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
    assert [a.headers["x-ratelimit-remaining"] for a in answers] == ["2", "1", "0", "0"]
    assert [a.headers["x-ratelimit-count"] for a in answers] == ["1", "2", "3", "3"]
    wait_ms = int(answers[-1].headers["x-ratelimit-reset"])
    assert 0 < wait_ms <= 400
    time.sleep(wait_ms / 1000 + 0.02)
    assert peer.get("/v1/identity/current").status_code == 201


def test_requests_are_logged(peer: Peer) -> None:
    peer.get("/v1/employments", page=2)
    peer.get("/nowhere")
    logged = [(r.method, r.path, r.query, r.status) for r in peer.simulator.requests]
    assert logged == [
        ("GET", "/v1/employments", {"page": "2"}, 200),
        ("GET", "/nowhere", {}, 404),
    ]
    peer.simulator.clear_requests()
    assert peer.simulator.requests == []


def test_latency_delays_each_answer(make_peer: Callable[..., Peer], company: Company) -> None:
    peer = make_peer(company, latency=0.1)
    started = time.perf_counter()
    peer.get("/v1/identity/current")
    assert time.perf_counter() - started >= 0.1


def test_stopping_closes_open_connections(peer: Peer) -> None:
    peer.get("/v1/identity/current")
    base_url = peer.simulator.base_url
    started = time.perf_counter()
    peer.simulator.stop()
    assert time.perf_counter() - started < 2
    with pytest.raises(requests.ConnectionError):
        peer.session.get(base_url + "/v1/identity/current", timeout=2)
    peer.simulator.stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_runs_and_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    token_file = tmp_path / "token"
    token_file.write_text("ra_test_from_file\n")
    command = [sys.executable, "-m", "integrations.simulator", "--size", "8", "--strict"]
    with subprocess.Popen(
        [*command, "--token-file", str(token_file)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        base_url = json.loads(process.stdout.readline())["base_url"]
        headers = {"Authorization": "Bearer ra_test_from_file"}
        answer = requests.get(base_url + "/v1/employments", headers=headers, timeout=5)
        assert answer.json()["data"]["total_count"] == 8
        process.send_signal(number)
        assert process.wait(timeout=5) == 0


def test_importing_the_simulator_leaves_django_alone() -> None:
    code = (
        "import sys, integrations.simulator.__main__ as m;"
        "print([n for n in sys.modules if n.startswith(('django', 'requests'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
