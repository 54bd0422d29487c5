"""`/_control/`: the simulator's own endpoints, for whoever drives it from another process."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from integrations.simulator.answers import Answer, message
from integrations.simulator.changes import UnknownEmploymentError
from integrations.simulator.vocabulary import Record

if TYPE_CHECKING:
    from integrations.simulator.routes import Request
    from integrations.simulator.server import Simulator

PREFIX = "/_control/"
Verb = Callable[["Simulator", Record], Any]


def _set_token(simulator: "Simulator", body: Record) -> None:
    simulator.set_token(body["token"])


def _settings(simulator: "Simulator", body: Record) -> None:
    simulator.configure(**body)


def _requests(simulator: "Simulator", body: Record) -> list[Record]:
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


def control(simulator: "Simulator", request: "Request") -> Answer:
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
