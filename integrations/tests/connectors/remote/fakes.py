"""A scripted Remote on loopback, a bare transport to it, and a clock that only sleeping moves."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import requests

from integrations.connectors.base import ConnectionSettings, HttpResponse
from integrations.connectors.remote.client import RemoteClient
from integrations.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

COMPANY = "11111111-1111-4111-8111-111111111111"
TOKEN = "ra_test_0123456789"
Reply = tuple[int, dict[str, str], bytes | None]
"""Status, headers, body; a body of ``None`` cuts the connection."""


class Clock:
    """Seconds that pass only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.naps.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


class FakeRemote:
    """Answers as the documented API; ``fault`` may answer instead, by path, page and attempt."""

    def __init__(self, people: list[Any]) -> None:
        self.people = people
        self.lists: dict[str, list[Any]] = {
            "offboardings": [],
            "direct_offboardings": [],
            "termination_requests": [],
            "company_managers": [],
            "legal_entities": [],
        }
        self.headers: dict[str, str] = {}
        self.calls: list[tuple[str, dict[str, str]]] = []
        self.fault: Callable[[str, dict[str, str], int], Reply | None] = lambda *_: None
        self.missing: set[str] = set()
        self.company_id = COMPANY
        self.url = ""

    def answer(self, path: str, query: dict[str, str]) -> Reply:
        attempt = self.calls.count((path, query))
        self.calls.append((path, query))
        found = self.fault(path, query, attempt)
        if found is not None:
            return found
        if path in self.missing:
            return self.reply(404, {"message": "Not Found"})
        return self.truth(path, query)

    def truth(self, path: str, query: dict[str, str]) -> Reply:
        if path == "/v1/identity/current":
            user = {"id": "u", "name": "Ada Admin", "email": "ada@acme.test", "status": "active"}
            company = {"id": self.company_id, "name": "Acme"}
            return self.reply(201, {"data": {"company": company, "user": user}})
        if path == "/v1/employments/bulk":
            size, at = int(query["limit"]), int(query.get("cursor") or 0)
            end = at + size
            cursor = str(end) if end < len(self.people) else None
            return self.reply(200, {"data": self.people[at:end], "next_cursor": cursor})
        if path == "/v1/employments":
            return self.numbered("employments", self.people, query)
        if path.startswith("/v1/employments/"):
            for person in self.people:
                if person["id"] == path.rsplit("/", 1)[1]:
                    return self.reply(200, {"data": {"employment": person}})
            return self.reply(404, {"message": "Employment not found"})
        name = path.rsplit("/", 1)[1].replace("-", "_").removeprefix("cor_")
        return self.numbered(name, self.lists[name], query)

    def numbered(self, name: str, rows: list[Any], query: dict[str, str]) -> Reply:
        page, size = int(query["page"]), int(query["page_size"])
        data = {
            name: rows[(page - 1) * size : page * size],
            "current_page": page,
            "total_pages": -(-len(rows) // size),
            "total_count": len(rows),
        }
        return self.reply(200, {"data": data})

    def reply(self, status: int, body: Any, **headers: str) -> Reply:
        return status, {**self.headers, **headers}, json.dumps(body).encode()


@contextmanager
def serve(remote: FakeRemote) -> Iterator[FakeRemote]:
    """Put ``remote`` behind a real socket."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            status, headers, body = remote.answer(parts.path, query)
            if body is None:
                self.close_connection = True
                return
            head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n"
            head += "".join(f"{name.replace('_', '-')}: {v}\r\n" for name, v in headers.items())
            self.wfile.write(f"{head}\r\n".encode() + body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.disable_nagle_algorithm = True  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    remote.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield remote
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class BareTransport:
    """The transport's contract over requests, without its safety."""

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.trust_env = False

    def request(self, method: str, url: str, **options: Any) -> HttpResponse:
        assert method == "GET"
        assert options["headers"]["Authorization"] == f"Bearer {TOKEN}"
        try:
            answer = self.session.get(
                url,
                headers=options["headers"],
                params=options["params"],
                timeout=options["timeout"],
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise TransientError("Remote broke off before answering.") from error
        return HttpResponse(
            status=answer.status_code,
            headers={name.lower(): value for name, value in answer.headers.items()},
            body=answer.content,
            url=url,
        )


class WideTransport(BareTransport):
    """One that serves a second thread too."""

    @contextmanager
    def aside(self) -> Iterator[BareTransport]:
        yield BareTransport()


def client_for(
    remote: FakeRemote,
    *,
    clock: Clock | None = None,
    deadline: float = 1800.0,
    known: str = "",
    wide: bool = False,
) -> RemoteClient:
    clock = clock or Clock()
    return RemoteClient(
        ConnectionSettings(
            key="remote",
            config={},
            secrets={},
            account={"company_id": known} if known else {},
        ),
        WideTransport() if wide else BareTransport(),
        base_url=remote.url,
        api_token=TOKEN,
        deadline=deadline,
        sleep=clock.sleep,
        monotonic=clock.monotonic,
    )


def person(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A full record as the bulk list gives it."""
    return {
        "id": f"55555555-5555-4555-8555-{number:012}",
        "short_id": f"P{number:05}",
        "company_id": COMPANY,
        "full_name": f"Person {number}",
        "work_email": f"person{number}@acme.test",
        "personal_email": f"p{number}@home.test",
        "login_email": f"p{number}@home.test",
        "job_title": "Engineer",
        "department": "Platform",
        "department_id": "d-1",
        "country": {"code": "PRT", "alpha_2_code": "PT", "name": "Portugal"},
        "type": "employee",
        "employment_model": "eor",
        "contractor_type": None,
        "status": "active",
        "employment_lifecycle_stage": "onboarded",
        "user_status": "active",
        "provisional_start_date": "2024-03-01",
        "seniority_date": None,
        "probation_period_end_date": "2024-06-01",
        "expiration_date": None,
        "termination_date": None,
        "engaged_by_legal_entity_id": "e-1",
        "bill_to_legal_entity_id": "e-1",
        "manager": "Mona Manager",
        "manager_email": "mona@acme.test",
        "manager_employment_id": "m-1",
        "manager_id": "u-1",
        "basic_information": {
            "name": f"Person {number}",
            "work_email": f"person{number}@acme.test",
        },
        "personal_details": {"preferred_name": "Pat", "birthdate": "1990-02-28"},
        "contract_details": {
            "contract_duration_type": "indefinite",
            "contract_end_date": None,
            "work_schedule": "full_time",
            "experience_level": "Level 4 - Mid level - works on their own",
            "annual_gross_salary": 987_654_321,
            "service_duration": {},
        },
        "address_details": {"address": "SECRET STREET 1"},
        "bank_account_details": [{"iban": "SECRETIBAN"}],
        "files": None,
        **changes,
    }
