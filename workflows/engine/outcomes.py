"""What each kind of outside failure means for a step."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from integrations.errors import (
    CircuitOpenError,
    ConfigError,
    IntegrationError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from workflows.nodes import Failed, Retry, Uncertain

if TYPE_CHECKING:
    from workflows.nodes import Outcome


def outcome_of_error(error: IntegrationError) -> Outcome:
    """Hold on bad settings and credentials, retry what may pass, never guess what is unknown."""
    match error:
        case ConfigError():
            return Failed(reason=error.message, hold=True)
        case UnauthorizedError():
            return Failed(reason=error.message, hold=True, awaits=error.connection)
        case RateLimitedError(retry_after=seconds):
            after = timedelta(seconds=seconds) if seconds is not None else None
            return Retry(reason=error.message, after=after, awaits=error.connection)
        case CircuitOpenError():
            return Retry(reason=error.message, awaits=error.connection)
        case TransientError():
            return Retry(reason=error.message)
        case UncertainError():
            return Uncertain(reason=error.message)
        case _:
            return Failed(reason=error.message)
