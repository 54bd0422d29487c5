"""Talking to Okta's management API: tokens, errors, pages, and when to come back.

https://developer.okta.com/docs/reference/core-okta-api/ (SSWS token, Link header),
https://developer.okta.com/docs/reference/error-codes/ and
https://developer.okta.com/docs/reference/rl-best-practices/ (X-Rate-Limit-Reset, epoch seconds).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from integrations.answers import parse_json, raise_for_status, retry_after_seconds
from integrations.errors import (
    ConfigError,
    IncompleteError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
)
from siit_remote.lib import clock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from integrations.connectors.base import HttpResponse, Transport

Resource = dict[str, Any]

_PAGE = "200"
_MAX_PAGES = 5_000
_PAGE_BYTES = 16_000_000
_LONGEST_WAIT = 3600.0
_NEXT = re.compile(r'<([^<>]+)>\s*;\s*rel="next"')
_CODE = re.compile(r"E\d{7}")
# Of the refusals with 403, those that are about the token and not about this very request.
_NO_RIGHT = frozenset({"E0000005", "E0000006", "E0000011", "E0000015"})


class NotOktaError(PermanentError):
    """“Not found”, not said by Okta: something before it, or a function that it does not have."""


class OktaSession:
    """Requests to one organisation with one API token."""

    def __init__(self, transport: Transport, *, base_url: str, token: str) -> None:
        if not base_url or not token:
            raise ConfigError("The Okta connection needs its base_url and its API token.")
        self._transport = transport
        self._base = base_url.rstrip("/")
        self._headers = {"Authorization": f"SSWS {token}", "Accept": "application/json"}

    @property
    def host(self) -> str:
        """The organisation's host."""
        return urlsplit(self._base).hostname or self._base

    def _address(self, *parts: str) -> str:
        return "/".join((self._base, "api/v1", *(quote(part, safe="") for part in parts)))

    def get(self, *parts: str, what: str, params: Mapping[str, str] | None = None) -> Any:
        """Read one thing. Raises ``IntegrationError``."""
        return self._read(self._address(*parts), what=what, params=params)[0]

    def find(self, *parts: str, what: str) -> Resource | None:
        """Read one object; ``None`` when Okta itself says that it does not exist."""
        try:
            found = self.get(*parts, what=what)
        except NotOktaError:
            raise
        except PermanentError as error:
            if error.status == 404:
                return None
            raise
        if not isinstance(found, dict):
            raise TransientError(f"The answer is no object while {what}.")
        return found

    def send(
        self,
        method: str,
        *parts: str,
        what: str,
        idempotency_key: str,
        params: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Resource:
        """Change something; ``{}`` where the answer holds nothing (204)."""
        answer = self._transport.request(
            method,
            self._address(*parts),
            headers=self._headers,
            params=params,
            json=body,
            idempotency_key=idempotency_key,
        )
        _raise_for(answer, what=what)
        try:
            value = parse_json(answer.body) if answer.body.strip() else {}
        except TransientError:
            # Success was said; the caller reads back anyway.
            return {}
        return value if isinstance(value, dict) else {}

    def pages(
        self, *parts: str, what: str, params: Mapping[str, str] | None = None
    ) -> Iterator[list[Resource]]:
        """Page through a list by its ``Link`` headers, on our own origin only."""
        url, asked = self._address(*parts), {"limit": _PAGE, **(params or {})}
        seen = {url}
        for number in range(_MAX_PAGES):
            rows, answer = self._read(url, what=what, params=None if number else asked)
            if not isinstance(rows, list):
                raise IncompleteError(f"The list is no list while {what}.")
            yield [one for one in rows if isinstance(one, dict) and id_of(one)]
            found = _NEXT.search(answer.headers.get("link", ""))
            if found is None:
                return
            url = found[1]
            if url in seen or not self._is_ours(url):
                raise IncompleteError(f"The list does not go on as it should while {what}.")
            seen.add(url)
        raise IncompleteError(f"The list did not end while {what}.")

    def _read(
        self, url: str, *, what: str, params: Mapping[str, str] | None
    ) -> tuple[Any, HttpResponse]:
        answer = self._transport.request(
            "GET", url, headers=self._headers, params=params, max_bytes=_PAGE_BYTES
        )
        _raise_for(answer, what=what)
        return parse_json(answer.body), answer

    def _is_ours(self, url: str) -> bool:
        try:
            ours, theirs = urlsplit(self._base), urlsplit(url)
            return (ours.scheme, ours.hostname, ours.port) == (
                theirs.scheme,
                theirs.hostname,
                theirs.port,
            )
        except ValueError:
            return False


def id_of(resource: Mapping[str, Any]) -> str:
    """The id as text; ``""`` where there is none."""
    value = resource.get("id")
    return value if isinstance(value, str) else ""


def _raise_for(answer: HttpResponse, *, what: str) -> None:
    """The fitting error; Okta's own code decides where it says more than the status."""
    if 200 <= answer.status < 300:
        return
    code = _code_of(answer)
    request_id = answer.headers.get("x-okta-request-id", "")[:120]
    if answer.status == 429 or code == "E0000047":
        raise RateLimitedError(
            f"Okta asks us to slow down while {what}.",
            retry_after=_seconds_to_wait(answer),
            request_id=request_id,
        )
    shown = f" ({code})" if code else ""
    if answer.status == 403 and code and code not in _NO_RIGHT:
        # “Not in this status”, “active already”: about this account, not about our token.
        raise PermanentError(f"Okta refused {what}{shown}.", request_id=request_id, status=403)
    if answer.status in {401, 403}:
        raise UnauthorizedError(
            f"Okta refused the API token{shown} while {what}. Make one as an administrator who may "
            "manage users, groups and applications, then enter it here.",
            request_id=request_id,
            status=answer.status,
        )
    if answer.status == 400:
        raise PermanentError(f"Okta refused {what}{shown}.", request_id=request_id, status=400)
    if answer.status == 404 and not code:
        raise NotOktaError(
            f"“Not found” while {what}, but not in Okta's own words: check the organisation's "
            "address, and what stands between it and here.",
            request_id=request_id,
            status=404,
        )
    raise_for_status(answer, what=what)


def _code_of(answer: HttpResponse) -> str:
    try:
        value = parse_json(answer.body) if answer.body.strip() else None
    except TransientError:
        return ""
    code = value.get("errorCode") if isinstance(value, dict) else None
    return code if isinstance(code, str) and _CODE.fullmatch(code) else ""


def _seconds_to_wait(answer: HttpResponse) -> float | None:
    """Until the limit is reset; Okta names the moment, the standard header the seconds."""
    moment = answer.headers.get("x-rate-limit-reset", "")
    if moment.isdecimal() and len(moment) <= 12:
        left = int(moment) - clock.system_now().timestamp()
        return min(max(left, 1.0), _LONGEST_WAIT)
    return retry_after_seconds(answer.headers.get("retry-after", ""))
