"""Remote's webhook subscriptions: create, delete, what did not arrive, once more.

https://developer.remote.com/docs/webhooks
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from integrations.connectors.base import Subscribed, Undelivered
from integrations.connectors.remote.answers import (
    MalformedAnswer,
    NotFoundError,
    RefusedError,
    error_of,
    read_json,
)
from integrations.connectors.remote.payloads import Fields, Findings
from integrations.errors import PermanentError, RateLimitedError, TransientError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from integrations.connectors.base import HttpResponse, Transport

_SECONDS = 20.0
_SHOWN = 100
SAFE_EVENTS = (
    "employment.updated",
    "employment.details.updated",
    "employment.status.updated",
    "employment.start_date.changed",
    "employment.work_email.updated",
    "employment.personal_information.updated",
    "employment.onboarding.completed",
    "employment.onboarding.cancelled",
    "employment.user_status.deactivated",
    "employment_basic_information.updated",
    "employment_contract.active_contract_updated",
    "contract.termination_date_reached",
    "offboarding.submitted",
    "offboarding.review_started",
    "offboarding.submitted_to_payroll",
    "offboarding.completed",
    "offboarding.deleted",
)
"""Events about people that every account knows."""
EVENTS = (
    *SAFE_EVENTS,
    "employment.hard_deleted",
    "employment.contractor_of_record_termination.initiated",
    "employment.contractor_of_record_termination.executed",
    "employment.contractor_of_record_termination.cancelled",
    "custom_field.value_updated",
)
"""The same and newer names, which some accounts refuse."""


class RemoteSubscriptions:
    """The webhook endpoints of one account. Calls once; nothing is tried again by itself."""

    def __init__(self, transport: Transport, *, base_url: str, api_token: str) -> None:
        self._transport = transport
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {api_token}", "Accept": "application/json"}

    def create(self, url: str) -> Subscribed:
        """https://developer.remote.com/reference/post_create_webhook_callback"""
        try:
            return self._create(url, EVENTS)
        except RefusedError:
            return self._create(url, SAFE_EVENTS)

    def _create(self, url: str, events: Sequence[str]) -> Subscribed:
        body = {"url": url, "subscribed_events": list(events)}
        data = self._data(self._call("POST", "/v1/webhook-callbacks", json=body))
        row = Fields(data.get("webhook_callback", data), Findings())
        external_id, key = row.identifier("id"), row.text("signing_key", 500)
        if not external_id or not key:
            raise PermanentError("Remote answered the subscription without an id or a signing key.")
        return Subscribed(external_id=external_id, signing_key=key, events=tuple(events))

    def delete(self, external_id: str) -> None:
        """https://developer.remote.com/reference/delete_delete_webhook_callback"""
        try:
            self._call("DELETE", f"/v1/webhook-callbacks/{quote(external_id, safe='')}")
        except NotFoundError:
            return

    def undelivered(self) -> tuple[Undelivered, ...]:
        """https://developer.remote.com/reference/get_index_webhook_event"""
        params = {"successfully_delivered": "false", "order": "desc", "page_size": str(_SHOWN)}
        data = self._data(self._call("GET", "/v1/webhook-events", params=params))
        rows = data.get("webhook_events")
        if not isinstance(rows, list):
            raise PermanentError("Remote answered the list of events without events.")
        found = [Fields(row, Findings()) for row in rows]
        return tuple(
            Undelivered(
                id=row.identifier("id"),
                event_type=row.text("event_type", 100),
                at=row.text("last_triggered_at", 40),
            )
            for row in found
            if row.identifier("id")
        )

    def replay(self, ids: Sequence[str]) -> None:
        """https://developer.remote.com/reference/post_replay_webhook_event"""
        self._call("POST", "/v1/webhook-events/replay", json={"ids": list(ids)})

    def _call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
    ) -> HttpResponse:
        answer = self._transport.request(
            method,
            f"{self._base_url}{path}",
            headers=self._headers,
            params=params,
            json=json,
            timeout=_SECONDS,
        )
        if 200 <= answer.status < 300:
            return answer
        if answer.status == 429:
            raise RateLimitedError("Remote asks for a pause: try again in a minute.")
        if answer.status == 408 or answer.status >= 500:
            raise TransientError(
                f"Remote answered {answer.status}: try again in a minute.", status=answer.status
            )
        raise error_of(answer, what="webhooks", scope="webhook:write")

    def _data(self, answer: HttpResponse) -> dict[str, Any]:
        try:
            body = read_json(answer.body)
        except MalformedAnswer as error:
            raise TransientError("Remote's answer about webhooks cannot be read.") from error
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise TransientError("Remote's answer about webhooks cannot be read.")
        return data
