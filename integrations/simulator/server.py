"""The simulator itself: a company, its endpoints, its faults, on a port of this machine."""

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from types import TracebackType
from typing import Any, Self

from integrations.simulator.answers import Answer, message
from integrations.simulator.changes import Changes
from integrations.simulator.company import Company
from integrations.simulator.control import PREFIX, control
from integrations.simulator.faults import Fault, FaultBook, spoil
from integrations.simulator.limits import RateLimit
from integrations.simulator.routes import Request, Routes
from integrations.simulator.vocabulary import Record
from integrations.simulator.webhooks import Webhooks
from integrations.simulator.wire import Wire

DEFAULT_TOKEN = "ra_test_simulator"  # noqa: S105 - opens nothing but this simulator


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request as answered; `status` is 0 where no answer was given."""

    method: str
    path: str
    query: dict[str, str]
    status: int


class Simulator:
    """A stateful Remote for one company. Every method is thread safe.

    `latency` is in seconds per answer; `rate_limit` in requests per `rate_window` seconds;
    `webhook_url` is subscribed to all events from the start, signed with `signing_key`.
    """

    def __init__(
        self,
        company: Company,
        *,
        token: str = DEFAULT_TOKEN,
        latency: float = 0.0,
        rate_limit: int | None = None,
        rate_window: float = 60.0,
        webhook_url: str | None = None,
        signing_key: str | None = None,
        bulk: bool = True,
        port: int = 0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.company = company
        self.stopping = threading.Event()
        self.webhooks = Webhooks(
            company_id=company.id, clock=clock, know_newer_events=not company.strict
        )
        self._changes = Changes(company, fire=self.webhooks.fire, clock=clock)
        self._routes = Routes(self._changes, self.webhooks)
        self._routes.bulk = bulk
        self._token: str | None = token
        self._latency = latency
        self._limit = RateLimit(limit=rate_limit, window=rate_window, clock=time.monotonic)
        self._faults = FaultBook()
        self._log: list[LoggedRequest] = []
        self._port = port
        self._wire: Wire | None = None
        self._thread: threading.Thread | None = None
        self.signing_key: str | None = None
        if webhook_url is not None:
            wish = {"url": webhook_url, "subscribe_to_all_events": True}
            row = self.webhooks.subscribe(wish, signing_key=signing_key)
            self.signing_key = row["signing_key"]

    # -- life ------------------------------------------------------------------------------

    def start(self) -> str:
        """Listen on 127.0.0.1 and return the base URL. Raises OSError when the port is taken."""
        self._wire = Wire(("127.0.0.1", self._port), self)
        self.stopping.clear()
        self.webhooks.start()
        self._thread = threading.Thread(
            target=self._wire.serve_forever, args=(0.05,), name="simulator", daemon=True
        )
        self._thread.start()
        return self.base_url

    def stop(self) -> None:
        """Close every connection and free the port. Stopping twice is fine."""
        if self._wire is None or self._thread is None:
            return
        self.stopping.set()
        self._wire.shutdown()
        self._wire.server_close()
        self._wire.close_connections()
        self._thread.join()
        self.webhooks.stop()
        self._wire = self._thread = None

    @property
    def base_url(self) -> str:
        if self._wire is None:
            raise RuntimeError("the simulator is not started")
        return f"http://127.0.0.1:{self._wire.server_port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- what happens at the company -------------------------------------------------------

    def find(self, work_email: str) -> list[Record]:
        return self._changes.find(work_email)

    def get(self, employment_id: str) -> Record:
        return self._changes.get(employment_id)

    def hire(self, **fields: Any) -> Record:
        return self._changes.hire(**fields)

    def update(self, employment_id: str, **fields: Any) -> Record:
        return self._changes.update(employment_id, **fields)

    def set_custom_value(self, employment_id: str, name: str, value: object) -> None:
        self._changes.set_custom_value(employment_id, name, value)

    def terminate(
        self,
        employment_id: str,
        end: date | str,
        *,
        kind: str = "auto",
        last_working_day: date | str | None = None,
    ) -> Record:
        return self._changes.terminate(
            employment_id, end, kind=kind, last_working_day=last_working_day
        )

    def cancel_termination(self, employment_id: str) -> Record:
        return self._changes.cancel_termination(employment_id)

    def archive(self, employment_id: str) -> Record:
        return self._changes.archive(employment_id)

    def remove(self, employment_id: str) -> None:
        self._changes.remove(employment_id)

    # -- the service -----------------------------------------------------------------------

    @property
    def token(self) -> str | None:
        """The token that is accepted now; None after it was revoked."""
        return self._token

    def set_token(self, token: str) -> None:
        self._token = token

    def revoke_token(self) -> None:
        self._token = None

    def configure(
        self,
        *,
        latency: float | None = None,
        bulk: bool | None = None,
        rate_limit: int | None = None,
    ) -> None:
        """Change settings while running; what is not given stays."""
        self._latency = self._latency if latency is None else latency
        self._routes.bulk = self._routes.bulk if bulk is None else bulk
        self._limit.limit = self._limit.limit if rate_limit is None else rate_limit

    def fault(self, path_prefix: str, **script: Any) -> None:
        """Script a fault; the keys are those of `faults.Fault`. Raises ValueError, TypeError."""
        self._faults.add(Fault(path_prefix, **script))

    def clear_faults(self) -> None:
        self._faults.clear()

    @property
    def requests(self) -> list[LoggedRequest]:
        """What was asked since the start or `clear_requests`, without control requests."""
        return list(self._log)

    def clear_requests(self) -> None:
        self._log.clear()

    # -- asked by the wire -----------------------------------------------------------------

    def reply(
        self, request: Request, *, authorization: str, loopback: bool
    ) -> tuple[Answer, Fault | None]:
        """The answer to one request, and the fault that spoils its bytes."""
        if request.path.startswith(PREFIX):
            return (control(self, request) if loopback else message(404, "Not Found")), None
        if self._latency:
            self.stopping.wait(self._latency)
        if not self._admitted(authorization):
            return message(401, "Unauthorized"), None
        verdict = self._limit.spend()
        if not verdict.allowed:
            return replace(message(429, "Too many requests"), headers=verdict.headers), None
        answer = self._routes.answer(request)
        fault = self._faults.take(method=request.method, path=request.path, page=answer.page)
        if fault is not None:
            answer = spoil(answer, fault, cursor=request.query.get("cursor"))
        return replace(answer, headers=verdict.headers | answer.headers), fault

    def log(self, request: Request, status: int) -> None:
        if not request.path.startswith(PREFIX):
            self._log.append(LoggedRequest(request.method, request.path, request.query, status))

    def _admitted(self, authorization: str) -> bool:
        given = authorization.removeprefix("Bearer ").encode()
        token = self._token
        return (
            token is not None
            and authorization.startswith("Bearer ")
            and hmac.compare_digest(given, token.encode())
        )
