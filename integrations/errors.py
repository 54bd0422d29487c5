"""The taxonomy of what goes wrong outside; each class decides how the engine goes on."""

from __future__ import annotations


class IntegrationError(Exception):
    """Base. ``message`` says what happened and what a person should do; it holds no secret."""

    code = "error"

    def __init__(
        self,
        message: str,
        *,
        request_id: str = "",
        status: int | None = None,
        connection: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.request_id = request_id
        self.status = status
        self.connection = connection
        """Key of the connection it happened at, where that is known."""


class ConfigError(IntegrationError):
    """Our own settings are wrong or incomplete: retrying changes nothing until an admin acts."""

    code = "config"


class UnauthorizedError(IntegrationError):
    """The credential was refused (401/403): stop this connection's work at once and hold it."""

    code = "unauthorized"


class NeedsAttentionError(UnauthorizedError):
    """Nobody was asked: the connection was stopped before and waits for somebody to mend it."""


class RateLimitedError(IntegrationError):
    """Too many requests; ``retry_after`` seconds, where the target told us."""

    code = "rate_limited"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        request_id: str = "",
        status: int | None = 429,
        connection: str = "",
    ) -> None:
        super().__init__(message, request_id=request_id, status=status, connection=connection)
        self.retry_after = retry_after


class TransientError(IntegrationError):
    """Down, slow or broken for the moment: nothing reached the target, or it can be asked again."""

    code = "transient"


class CircuitOpenError(TransientError):
    """The target failed so often that it is left alone for a while; nothing was sent."""

    code = "circuit_open"


class PermanentError(IntegrationError):
    """The target refuses this very request: retrying the same changes nothing."""

    code = "permanent"


class RecipientRefusedError(PermanentError):
    """A message cannot reach this very recipient this way: tell them the next way instead."""


class NotAvailableError(PermanentError):
    """The target has no such function (a plan without the API): do it the next way instead."""

    code = "not_available"


class UncertainError(IntegrationError):
    """The request left us and no answer came: the effect may or may not have happened."""

    code = "uncertain"


class IncompleteError(TransientError):
    """A feed that contradicts itself (counts, cursors): nothing of it may be applied."""

    code = "incomplete"
