"""The delivery log: one row for each attempt to reach an outside system."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.answers import code_of_status
from integrations.errors import UncertainError
from integrations.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from integrations.transport import Attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """What calls are made for. ``words`` name no person: who that is, permissions decide."""

    words: str
    run_id: int | None = None
    person_id: int | None = None
    attempt: int = 1
    """Which try of the same thing it is."""
    key: str = ""
    """The step's key, by which calls that send none of their own (reads) are found at it."""


_NOTHING = Purpose(words="")
_purpose: ContextVar[Purpose] = ContextVar("purpose_of_calls", default=_NOTHING)


@contextmanager
def calling_for(purpose: Purpose) -> Iterator[None]:
    """Everything called inside is written down as called for ``purpose``."""
    token = _purpose.set(purpose)
    try:
        yield
    finally:
        _purpose.reset(token)


def delivery_recorder(connection_id: int | None) -> Callable[[Attempt], None]:
    """What writes the attempts of one connection."""

    def write(attempt: Attempt) -> None:
        failed_status = attempt.status_code is not None and attempt.status_code >= 400
        outcome = Delivery.Outcome.FAILED if failed_status or attempt.error else Delivery.Outcome.OK
        if isinstance(attempt.error, UncertainError):
            outcome = Delivery.Outcome.UNCERTAIN
        purpose = _purpose.get()
        Delivery.objects.create(
            connection_id=connection_id,
            idempotency_key=attempt.idempotency_key or purpose.key,
            operation=attempt.operation,
            target=attempt.target,
            purpose=purpose.words[:120],
            run_id=purpose.run_id,
            person_id=purpose.person_id,
            attempt=purpose.attempt,
            started_at=attempt.started_at,
            milliseconds=attempt.milliseconds,
            outcome=outcome,
            status_code=attempt.status_code,
            request_id=attempt.request_id,
            error_code=attempt.error.code if attempt.error else code_of_status(attempt.status_code),
            error=attempt.error.message if attempt.error else "",
        )

    return write
