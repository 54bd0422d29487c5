"""One GET at a time against Remote: paced, tried again within bounds, answered with JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from integrations.connectors.remote.answers import MalformedAnswer, error_of, read_json
from integrations.errors import TransientError, UncertainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integrations.connectors.base import HttpResponse, Transport
    from integrations.connectors.remote.pacing import Pacer

RETRIES = 4
"""Of one request of a refresh. Somebody who waits for the answer is told sooner."""
_REQUEST_SECONDS = 60.0
_MAX_BYTES = 32_000_000
_PASSING = frozenset({202, 204, 408, 425})
T = TypeVar("T")


class RemoteSession:
    """The requests of one refresh, or of one thread of it. Not for use by two threads."""

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        api_token: str,
        pacer: Pacer,
        retries: int = RETRIES,
    ) -> None:
        self._transport = transport
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {api_token}", "Accept": "application/json"}
        self._pacer = pacer
        self._retries = retries
        self.requests = 0

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str],
        what: str,
        scope: str,
        read: Callable[[Any], T],
    ) -> T:
        """Read one address through ``read``, which raises ``MalformedAnswer`` on a wrong shape.

        ``what`` names the endpoint and page in words. Failures that may pass are tried again with
        the same parameters, 429 until the total deadline. Raises ``UnauthorizedError`` at once on
        401/403, ``PermanentError`` on what asking again does not change, else ``TransientError``.
        """
        failures = refusals = 0
        while True:
            self._pacer.before_request(what)
            answer, trouble = self._once(path, params)
            if answer is not None:
                self._pacer.after_answer(answer.headers)
                if answer.status == 429:
                    refusals += 1
                    self._pacer.after_refusal(answer.headers, nth=refusals, what=what)
                    continue
                if answer.status in {200, 201}:
                    try:
                        return read(read_json(answer.body))
                    except MalformedAnswer as error:
                        trouble = str(error)
                elif answer.status in _PASSING or answer.status >= 500:
                    trouble = f"it answered {answer.status}"
                else:
                    raise error_of(answer, what=what, scope=scope)
            refusals = 0
            failures += 1
            if failures > self._retries or self._pacer.left <= 0:
                attempts = "1 attempt" if failures == 1 else f"{failures} attempts"
                raise TransientError(
                    f"Remote could not deliver {what} in {attempts}: {trouble}. "
                    f"{self._pacer.advice}",
                    request_id=answer.request_id[:120] if answer else "",
                    status=answer.status if answer else None,
                )
            self._pacer.after_failure(nth=failures, what=what)

    def give_up(self) -> None:
        """No further request leaves. The one call that another thread may make."""
        self._pacer.give_up()

    def _once(self, path: str, params: Mapping[str, str]) -> tuple[HttpResponse | None, str]:
        self.requests += 1
        try:
            answer = self._transport.request(
                "GET",
                f"{self._base_url}{path}",
                headers=self._headers,
                params=params,
                timeout=min(_REQUEST_SECONDS, max(self._pacer.left, 1.0)),
                max_bytes=_MAX_BYTES,
            )
        except (TransientError, UncertainError) as error:
            return None, error.message.rstrip(".")
        return answer, ""
