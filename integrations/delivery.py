"""The delivery log: one row for each attempt to reach an outside system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.errors import UncertainError
from integrations.models import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable

    from integrations.transport import Attempt


def delivery_recorder(connection_id: int | None) -> Callable[[Attempt], None]:
    """What writes the attempts of one connection."""

    def write(attempt: Attempt) -> None:
        failed_status = attempt.status_code is not None and attempt.status_code >= 400
        outcome = Delivery.Outcome.FAILED if failed_status or attempt.error else Delivery.Outcome.OK
        if isinstance(attempt.error, UncertainError):
            outcome = Delivery.Outcome.UNCERTAIN
        Delivery.objects.create(
            connection_id=connection_id,
            idempotency_key=attempt.idempotency_key,
            operation=attempt.operation,
            target=attempt.target,
            started_at=attempt.started_at,
            milliseconds=attempt.milliseconds,
            outcome=outcome,
            status_code=attempt.status_code,
            request_id=attempt.request_id,
            error_code=attempt.error.code if attempt.error else "",
            error=attempt.error.message if attempt.error else "",
        )

    return write
