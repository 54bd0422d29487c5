"""`/_control/`: the simulator's own endpoints, for whoever drives it from another process."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from integrations.simulator.answers import Answer, message
from integrations.simulator.changes import UnknownEmploymentError
from integrations.simulator.routes import Request
from integrations.simulator.vocabulary import Record

PREFIX = "/_control/"


class Asked(Protocol):
    """One request as the simulator answered it."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def query(self) -> dict[str, str]: ...
    @property
    def status(self) -> int: ...


class Controlled(Protocol):
    """What can be done to a simulator from outside."""

    @property
    def requests(self) -> Sequence[Asked]: ...
    def find(self, work_email: str) -> list[Record]: ...
    def hire(self, **fields: Any) -> Record: ...
    def update(self, employment_id: str, **fields: Any) -> Record: ...
    def terminate(
        self,
        employment_id: str,
        end: str,
        *,
        kind: str = "auto",
        last_working_day: str | None = None,
    ) -> Record: ...
    def cancel_termination(self, employment_id: str) -> Record: ...
    def archive(self, employment_id: str) -> Record: ...
    def remove(self, employment_id: str) -> None: ...
    def set_custom_value(self, employment_id: str, name: str, value: object) -> None: ...
    def set_token(self, token: str) -> None: ...
    def revoke_token(self) -> None: ...
    def configure(
        self,
        *,
        latency: float | None = None,
        bulk: bool | None = None,
        rate_limit: int | None = None,
    ) -> None: ...
    def fault(self, path_prefix: str, **script: Any) -> None: ...
    def clear_faults(self) -> None: ...
    def clear_requests(self) -> None: ...


Verb = Callable[[Controlled, Record], Any]


def _set_token(simulator: Controlled, body: Record) -> None:
    simulator.set_token(body["token"])


def _settings(simulator: Controlled, body: Record) -> None:
    simulator.configure(**body)


def _requests(simulator: Controlled, body: Record) -> list[Record]:
    return [
        {"method": r.method, "path": r.path, "query": r.query, "status": r.status}
        for r in simulator.requests
    ]


_POST: dict[str, Verb] = {
    "hire": lambda simulator, body: simulator.hire(**body),
    "update": lambda simulator, body: simulator.update(body.pop("employment_id"), **body),
    "terminate": lambda simulator, body: simulator.terminate(
        body.pop("employment_id"), body.pop("date"), **body
    ),
    "cancel-termination": lambda simulator, body: simulator.cancel_termination(**body),
    "archive": lambda simulator, body: simulator.archive(**body),
    "remove": lambda simulator, body: simulator.remove(**body),
    "custom-value": lambda simulator, body: simulator.set_custom_value(**body),
    "revoke-token": lambda simulator, body: simulator.revoke_token(),
    "set-token": _set_token,
    "settings": _settings,
    "faults": lambda simulator, body: simulator.fault(**body),
}
_GET: dict[str, Verb] = {
    "find": lambda simulator, body: simulator.find(body["work_email"]),
    "requests": _requests,
}
_DELETE: dict[str, Verb] = {
    "faults": lambda simulator, body: simulator.clear_faults(),
    "requests": lambda simulator, body: simulator.clear_requests(),
}
_VERBS = {"POST": _POST, "GET": _GET, "DELETE": _DELETE}


def control(simulator: Controlled, request: Request) -> Answer:
    """Run one control verb: 200 with its result, 404 for what is unknown, 422 for bad input."""
    verb = _VERBS.get(request.method, {}).get(request.path.removeprefix(PREFIX))
    if verb is None:
        return message(404, "Not Found")
    try:
        result = verb(simulator, dict(request.body) | dict(request.query))
    except UnknownEmploymentError as error:
        return message(404, f"Employment not found: {error}")
    except (KeyError, TypeError, ValueError) as error:
        return message(422, f"{type(error).__name__}: {error}")
    return Answer(200, {"data": result})
