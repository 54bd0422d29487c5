"""What a shipping partner tells of a shipment: signed, each word once, in whatever order it comes.

A report never takes a shipment back: who hears of “shipped” after “delivered” writes it into the
history and leaves the shipment where it is.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.dateparse import parse_datetime

from integrations.answers import parse_json
from integrations.connectors.base import SignedCaller
from integrations.errors import IntegrationError
from integrations.services import client_for, connection_by_key
from workflows.callbacks import Taken
from workflows.models import Shipment, ShipmentEvent, Task
from workflows.shipment_states import moved_tell, state_values
from workflows.tasks_by_hand import task_open

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.models import Connection

State = Shipment.State
_BEFORE = (State.ASKED, State.ADDRESS_RECEIVED)
_OUT = (*_BEFORE, State.ORDERED, State.SHIPPED)
_WITH = (State.ORDERED, State.SHIPPED, State.DELIVERED, State.PROBLEM, State.RETURN_ASKED)
FROM: Mapping[str, tuple[str, ...]] = {
    State.ORDERED: (*_BEFORE, State.PROBLEM),
    State.SHIPPED: (*_BEFORE, State.ORDERED, State.PROBLEM),
    State.DELIVERED: (*_OUT, State.PROBLEM),
    State.PROBLEM: (*_OUT, State.DELIVERED, State.RETURN_ASKED),
    State.RETURNED: (*_WITH, State.LOST),
    State.LOST: _WITH,
    State.CANCELLED: (*_BEFORE, State.ORDERED, State.PROBLEM),
}
"""What may be reported, and what it was before: a partner may skip states, never go back."""
TROUBLE = (State.PROBLEM, State.LOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One word of a partner, as it was understood. ``at``: of when it is (UTC)."""

    state: str
    at: datetime
    name: str
    """Digest of the report's id: what comes again with it is the same report."""
    tracking: str = ""
    message: str = ""


def report_address(connection: Connection) -> str:
    """Where a partner reports to; whoever knows it still has to sign."""
    return settings.SITE_URL.rstrip("/") + reverse("equipment-report", args=[connection.key])


def report_take(key: str, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Taken:
    """Take in one report for the connection ``key`` at ``now`` (the machine's clock, UTC).

    Verified before it is parsed. A shipment that is not this connection's is unknown.
    """
    connection = connection_by_key(key)
    client = _caller(connection)
    if connection is None or client is None:
        return Taken.UNKNOWN
    if not client.is_genuine(body, headers):
        return Taken.NOT_GENUINE
    try:
        said = parse_json(body)
    except IntegrationError:
        return Taken.MALFORMED
    report = _report(said, headers, now=now)
    if report is None:
        return Taken.MALFORMED
    shipment = _shipment(said, connection)
    if shipment is None:
        return Taken.UNKNOWN
    return report_follow(shipment, report, by_label=connection.name, now=now)


def _caller(connection: Connection | None) -> SignedCaller | None:
    if connection is None:
        return None
    try:
        client = client_for(connection)
    except IntegrationError:
        return None
    return client if isinstance(client, SignedCaller) else None


def _report(said: Any, headers: Mapping[str, str], *, now: datetime) -> Report | None:
    if not isinstance(said, dict):
        return None
    state, told = said.get("state"), said.get("at")
    if not isinstance(state, str) or state.lower() not in FROM:
        return None
    at = _moment(told) if told is not None else now
    if at is None:
        return None
    return Report(
        state=state.lower(),
        # A clock that runs ahead must not make everything later look old.
        at=min(at, now),
        name=hashlib.sha256(headers.get("webhook-id", "").encode()).hexdigest(),
        tracking=_words(said.get("tracking"), 200),
        message=_words(said.get("message"), 500),
    )


def _moment(told: Any) -> datetime | None:
    try:
        found = parse_datetime(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return found.astimezone(UTC) if found is not None and found.tzinfo is not None else None


def _words(told: Any, most: int) -> str:
    return " ".join(told.split())[:most] if isinstance(told, str) else ""


def _shipment(said: Mapping[str, Any], connection: Connection) -> Shipment | None:
    """By our number, or by the key under which it was ordered; only what goes through it."""
    rows = Shipment.objects.filter(connection=connection).select_related("person", "step")
    number, key = said.get("shipment"), said.get("idempotency_key")
    if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**63:
        return rows.filter(pk=number).first()
    return rows.filter(key=key).first() if isinstance(key, str) and key else None


def report_follow(shipment: Shipment, report: Report, *, by_label: str, now: datetime) -> Taken:
    """Write a report into the history, once, and follow it where it is news."""
    moves = Shipment.objects.filter(pk=shipment.pk, state__in=FROM[report.state]).filter(
        Q(reported_at__isnull=True) | Q(reported_at__lte=report.at)
    )
    values = state_values(report.state, at=report.at, tracking=report.tracking)
    try:
        with transaction.atomic():
            event = ShipmentEvent.objects.create(
                shipment=shipment,
                state=report.state,
                text=report.message,
                by_label=by_label[:200],
                at=report.at,
                message_hash=report.name,
            )
            if moves.update(**values, reported_at=report.at):
                shipment.refresh_from_db()
                _moved(shipment, report, by_label=by_label, now=now)
            else:
                _not_moved(shipment, report, event)
    except IntegrityError:
        return Taken.REPEATED
    return Taken.ACCEPTED


def _moved(shipment: Shipment, report: Report, *, by_label: str, now: datetime) -> None:
    moved_tell(shipment, by_label=by_label, now=now)
    done = f"{by_label} reports it as {shipment.get_state_display().lower()}."
    Task.objects.filter(
        settles__shipment=shipment.pk, settles__state=report.state, status=Task.Status.OPEN
    ).update(status=Task.Status.CANCELLED, done_at=now, done_by_label=by_label[:200], comment=done)
    if report.state in TROUBLE:
        what = "is lost" if report.state == State.LOST else "has a problem"
        task_open(
            key=f"report:{shipment.pk}:{report.name[:16]}",
            title=f"{shipment.bundle_name} for {shipment.person} {what}",
            body=(
                f"{by_label} says: {report.message or 'nothing more'}\n"
                f"Everything about it: {settings.SITE_URL}/equipment/{shipment.pk}/"
            ),
            role="it",
            subject=shipment.person,
            settles={"shipment": shipment.pk},
            now=now,
        )


def _not_moved(shipment: Shipment, report: Report, event: ShipmentEvent) -> None:
    """It stays where it is; what is new in the report is kept all the same."""
    shipment.refresh_from_db()
    if shipment.state != report.state:
        stays = shipment.get_state_display().lower()
        event.text = f"{report.message} Came late: it stays “{stays}”.".strip()
        event.save(update_fields=["text"])
    if report.tracking and not shipment.tracking:
        Shipment.objects.filter(pk=shipment.pk, tracking="").update(tracking=report.tracking)
