"""Changes at the company, the webhooks they fire, and the control endpoints."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from integrations.simulator.changes import UnknownEmploymentError
from integrations.simulator.company import Company, build_company
from integrations.simulator.webhooks import sign
from integrations.tests.simulator.conftest import TODAY, Peer

KEY = "testsigningkey0123456789ab"


@dataclass
class Mailbox:
    """A receiver of webhooks and what it received."""

    url: str = ""
    status: int = 200
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.received]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    box = Mailbox()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            box.received.append((dict(self.headers), body))
            self.send_response(box.status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    box.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield box
    server.shutdown()
    server.server_close()


@pytest.fixture
def wired(make_peer: Callable[..., Peer], company: Company, mailbox: Mailbox) -> Peer:
    return make_peer(company, webhook_url=mailbox.url, signing_key=KEY)


def fired(peer: Peer, mailbox: Mailbox) -> list[str]:
    peer.simulator.webhooks.flush()
    return sorted(body["event_type"] for body in mailbox.bodies)


def key_of(peer: Peer, work_email: str) -> str:
    (row,) = peer.simulator.find(work_email)
    return str(row["id"])


def test_signature_matches_the_known_vector() -> None:
    body = (
        b'{"event_type":"employment.updated","company_id":"11111111-1111-4111-8111-111111111111",'
        b'"employment_id":"55555555-5555-4555-8555-555555555501"}'
    )
    assert sign(body, key=KEY, timestamp_ms=1700000000000) == (
        "6d20c33c1567bf9e0cefae366cfb66ecc7ec51009c853fd43b8dfa0440884aa8"
    )


def test_delivery_is_flat_and_signed(wired: Peer, mailbox: Mailbox, company: Company) -> None:
    key = key_of(wired, "employee@acme.test")
    wired.simulator.update(key, job_title="Senior Software Engineer")
    assert fired(wired, mailbox) == ["employment.updated"]
    headers, body = mailbox.received[0]
    timestamp = int(headers["X-Remote-Timestamp"])
    assert headers["X-Remote-Signature"] == sign(body, key=KEY, timestamp_ms=timestamp)
    assert timestamp > 1_600_000_000_000
    assert json.loads(body) == {
        "event_type": "employment.updated",
        "company_id": company.id,
        "employment_id": key,
    }


@pytest.mark.parametrize(
    ("fields", "event"),
    [
        ({"work_email": "new@acme.test"}, "employment.work_email.updated"),
        ({"department": "Sales"}, "employment.details.updated"),
        ({"start_date": date(2026, 4, 1)}, "employment.start_date.changed"),
        ({"status": "archived"}, "employment.status.updated"),
        ({"birthdate": date(1990, 1, 2)}, "employment.personal_information.updated"),
    ],
)
def test_update_fires_the_fitting_event(
    wired: Peer, mailbox: Mailbox, fields: dict[str, Any], event: str
) -> None:
    wired.simulator.update(key_of(wired, "employee@acme.test"), **fields)
    assert event in fired(wired, mailbox)


def test_update_without_change_is_silent(wired: Peer, mailbox: Mailbox) -> None:
    row = wired.simulator.find("employee@acme.test")[0]
    wired.simulator.update(row["id"], job_title=row["job_title"])
    assert fired(wired, mailbox) == []


def test_one_event_names_the_worker_by_slug(wired: Peer, mailbox: Mailbox) -> None:
    key = key_of(wired, "employee@acme.test")
    wired.simulator.update(key, administrative_details={"language": "pt"})
    wired.simulator.webhooks.flush()
    assert mailbox.bodies[0]["employment_slug"] == key
    assert "employment_id" not in mailbox.bodies[0]


def test_hire_appears_everywhere(wired: Peer, mailbox: Mailbox) -> None:
    record = wired.simulator.hire(
        full_name="Ada Nkemelu",
        work_email="ada@acme.test",
        country="FRA",
        kind="payroll",
        department="Sales",
        job_title="Account Executive",
        start_date=date(2026, 4, 1),
        birthdate="1990-05-06",
        manager="manager@acme.test",
    )
    shown = wired.get(f"/v1/employments/{record['id']}").json()["data"]["employment"]
    assert shown["full_name"] == "Ada Nkemelu"
    assert shown["provisional_start_date"] == "2026-04-01"
    assert shown["personal_details"]["birthdate"] == "1990-05-06"
    assert shown["manager_employment_id"] == key_of(wired, "manager@acme.test")
    assert shown["country"]["code"] == "FRA"
    assert wired.get("/v1/employments/bulk", limit=100).json()["data"][-1]["id"] == record["id"]
    assert fired(wired, mailbox) == ["employment.onboarding.completed"]


@pytest.mark.parametrize("kind", ["termination", "resignation"])
def test_termination_is_listed_moved_and_cancelled(
    wired: Peer, mailbox: Mailbox, kind: str
) -> None:
    key = key_of(wired, "employee@acme.test")
    for day in ("2026-04-10", "2026-04-20"):
        wired.simulator.terminate(key, day, kind=kind)
        rows = wired.get("/v2/offboardings", employment_id=key).json()["data"]["offboardings"]
        assert [row["termination_date"] for row in rows] == [day]
    shown = wired.get(f"/v1/employments/{key}").json()["data"]["employment"]
    assert (shown["status"], shown["termination_date"]) == ("offboarding", "2026-04-20")
    wired.simulator.webhooks.flush()
    submitted = [b for b in mailbox.bodies if b["event_type"] == "offboarding.submitted"]
    assert submitted[0]["offboarding_id"] == rows[0]["id"]
    wired.simulator.cancel_termination(key)
    shown = wired.get(f"/v1/employments/{key}").json()["data"]["employment"]
    assert (shown["status"], shown["termination_date"]) == ("active", None)
    rows = wired.get("/v1/offboardings", employment_id=key).json()["data"]["offboardings"]
    assert [row["status"] for row in rows] == ["canceled"]
    assert "offboarding.deleted" in fired(wired, mailbox)


def test_termination_takes_the_usual_kind_of_the_worker(peer: Peer, company: Company) -> None:
    direct = key_of(peer, "it-lead@acme.test")
    peer.simulator.terminate(direct, "2026-05-31", last_working_day="2026-05-15")
    row = company.endings.direct[direct]
    assert (row["last_working_day"], row["termination_date"]) == ("2026-05-15", "2026-05-31")
    rows = company.employments.values()
    standard = next(r["id"] for r in rows if r["contractor_type"] == "standard")
    record = peer.simulator.terminate(standard, "2026-06-30")
    duration = record["contract_details"]["service_duration"]
    assert (duration["expiration_date"], record["status"]) == ("2026-06-30", "active")
    cor = next(r["id"] for r in rows if r["contractor_type"] == "cor")
    assert peer.simulator.terminate(cor, "2026-07-01")["expiration_date"] == "2026-07-01"
    assert company.endings.cor[cor]["termination_date"] == "2026-07-01"


def test_unknown_ending_changes_nothing(peer: Peer) -> None:
    key = key_of(peer, "employee@acme.test")
    with pytest.raises(ValueError, match="unknown kind"):
        peer.simulator.terminate(key, "2026-05-31", kind="abduction")
    assert peer.simulator.get(key)["status"] == "active"


def test_archive_completes_the_ending(wired: Peer, mailbox: Mailbox, company: Company) -> None:
    key = key_of(wired, "employee@acme.test")
    wired.simulator.terminate(key, "2026-03-20", kind="termination")
    record = wired.simulator.archive(key)
    assert (record["status"], record["user_status"]) == ("archived", "inactive")
    assert company.endings.offboardings_v2[key]["status"] == "completed"
    assert {"offboarding.completed", "employment.user_status.deactivated"} <= set(
        fired(wired, mailbox)
    )


def test_removed_employment_is_gone(wired: Peer, mailbox: Mailbox) -> None:
    key = key_of(wired, "employee@acme.test")
    wired.simulator.remove(key)
    assert wired.get(f"/v1/employments/{key}").status_code == 404
    assert wired.get("/v1/employments").json()["data"]["total_count"] == 39
    assert fired(wired, mailbox) == ["employment.hard_deleted"]
    with pytest.raises(UnknownEmploymentError):
        wired.simulator.remove(key)


def test_custom_value_replaces_the_made_up_one(peer: Peer) -> None:
    key = key_of(peer, "employee@acme.test")
    peer.simulator.set_custom_value(key, "Cost centre", "CC-7")
    rows = peer.get(f"/v1/employments/{key}/custom-fields").json()["data"]["custom_field_values"]
    assert {row["name"]: row["value"] for row in rows}["Cost centre"] == "CC-7"


def test_subscription_lives_over_http(peer: Peer, mailbox: Mailbox, company: Company) -> None:
    wish = {"url": mailbox.url, "subscribed_events": ["employment.updated"]}
    made = peer.send("POST", "/v1/webhook-callbacks", wish).json()["data"]["webhook_callback"]
    assert made["signing_key"]
    path = f"/v1/webhook-callbacks/{made['id']}"
    (listed,) = peer.get(f"/v1/companies/{company.id}/webhook-callbacks").json()["data"]
    assert listed["id"] == made["id"]
    assert "signing_key" not in listed
    key = key_of(peer, "employee@acme.test")
    peer.simulator.update(key, department="Sales")
    assert fired(peer, mailbox) == []
    peer.send("PATCH", path, {"subscribed_events": ["employment.details.updated"]})
    peer.simulator.update(key, department="IT")
    assert fired(peer, mailbox) == ["employment.details.updated"]
    assert peer.send("DELETE", path).status_code == 200
    assert peer.send("DELETE", path).status_code == 404
    peer.simulator.update(key, department="Sales")
    assert fired(peer, mailbox) == ["employment.details.updated"]


@pytest.mark.parametrize(
    "wish",
    [
        {},
        {"url": "ftp://x", "subscribe_to_all_events": True},
        {"url": "https://x"},
        {"url": "https://x", "subscribed_events": ["a.b"]},
        {"url": "https://x", "subscribed_events": [], "subscribe_to_all_events": True},
    ],
)
def test_bad_subscription_is_refused(peer: Peer, wish: dict[str, Any]) -> None:
    assert peer.send("POST", "/v1/webhook-callbacks", wish).status_code == 422


def test_strict_company_refuses_newer_events(make_peer: Callable[..., Peer]) -> None:
    peer = make_peer(build_company(8, 1, TODAY, strict=True))
    wish = {"url": "https://x", "subscribed_events": ["employment.hard_deleted"]}
    assert peer.send("POST", "/v1/webhook-callbacks", wish).status_code == 422


def test_history_and_replay(wired: Peer, mailbox: Mailbox) -> None:
    mailbox.status = 500
    wired.simulator.update(key_of(wired, "employee@acme.test"), job_title="Baker")
    wired.simulator.webhooks.flush()
    path = "/v1/webhook-events"
    data = wired.get(path, successfully_delivered="false").json()["data"]
    (event,) = data["webhook_events"]
    assert event["event_type"] == "employment.updated"
    mailbox.status = 204
    assert wired.send("POST", f"{path}/replay", {"ids": [event["id"]]}).status_code == 200
    assert fired(wired, mailbox) == ["employment.updated", "employment.updated"]
    assert wired.get(path, successfully_delivered="false").json()["data"]["total_count"] == 0
    span = {"after": "2020-01-01T00:00:00Z", "before": "2099-01-01T00:00:00Z"}
    wired.send("POST", f"{path}/replay", span)
    assert len(fired(wired, mailbox)) == 3
    assert wired.send("POST", f"{path}/replay", {}).status_code == 422


def test_receiver_that_is_away_is_not_delivered(make_peer: Callable[..., Peer]) -> None:
    peer = make_peer(build_company(8, 1, TODAY), webhook_url="http://127.0.0.1:1/hook")
    peer.simulator.update(key_of(peer, "employee@acme.test"), job_title="Baker")
    peer.simulator.webhooks.flush()
    assert [delivery.status for delivery in peer.simulator.webhooks.deliveries] == [None]


def test_sandbox_trigger_fires_without_a_change(wired: Peer, mailbox: Mailbox) -> None:
    path = "/v1/sandbox/webhook-callbacks/trigger"
    wish = {"event_type": "employment.updated", "employment_id": key_of(wired, "it-lead@acme.test")}
    assert wired.send("POST", path, wish).status_code == 200
    assert fired(wired, mailbox) == ["employment.updated"]
    assert wired.send("POST", path, {}).status_code == 422
    wish["employment_id"] = "nobody"
    assert wired.send("POST", path, wish).status_code == 404


def test_control_drives_it_without_a_token(peer: Peer) -> None:
    peer.session.headers.pop("Authorization")
    hired = peer.send(
        "POST", "/_control/hire", {"full_name": "Ada Nkemelu", "start_date": "2026-04-01"}
    ).json()["data"]
    key = hired["id"]
    found = peer.get("/_control/find", work_email="ADA.nkemelu@acme.test").json()["data"]
    assert [row["id"] for row in found] == [key]
    body = {"employment_id": key, "job_title": "Baker"}
    assert peer.send("POST", "/_control/update", body).json()["data"]["job_title"] == "Baker"
    body = {"employment_id": key, "date": "2026-09-01", "kind": "resignation"}
    assert peer.send("POST", "/_control/terminate", body).status_code == 200
    for verb in ("cancel-termination", "archive", "remove"):
        body = {"employment_id": key}
        assert peer.send("POST", f"/_control/{verb}", body).status_code == 200
    assert peer.send("POST", "/_control/archive", {"employment_id": key}).status_code == 404
    assert peer.send("POST", "/_control/archive", {}).status_code == 422
    assert peer.send("POST", "/_control/fly", {}).status_code == 404
    assert peer.simulator.requests == []


def test_control_scripts_faults_settings_and_token(peer: Peer) -> None:
    peer.send("POST", "/_control/faults", {"path_prefix": "/v1", "status": 503, "times": None})
    assert peer.get("/v1/employments").status_code == 503
    peer.send("DELETE", "/_control/faults")
    assert peer.get("/v1/employments").status_code == 200
    bad = {"path_prefix": "/v1", "kind": "earthquake"}
    assert peer.send("POST", "/_control/faults", bad).status_code == 422
    logged = peer.get("/_control/requests").json()["data"]
    assert [row["status"] for row in logged] == [503, 200]
    peer.send("POST", "/_control/settings", {"bulk": False})
    assert peer.get("/v1/employments/bulk").status_code == 404
    peer.send("POST", "/_control/revoke-token", {})
    assert peer.get("/v1/employments").status_code == 401
    peer.send("POST", "/_control/set-token", {"token": "ra_test_new"})
    peer.session.headers["Authorization"] = "Bearer ra_test_new"
    assert peer.get("/v1/employments").status_code == 200


def test_body_that_is_no_object_is_refused(peer: Peer) -> None:
    assert peer.send("POST", "/v1/webhook-callbacks", [1]).status_code == 400
