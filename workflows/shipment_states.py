"""Where a shipment may go next, and writing down that it went there. One update decides."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.engine.wake import run_wake
from workflows.models import Shipment, ShipmentEvent

ENGINE = "siit_remote.tasks.run_due"
State = Shipment.State

NEXT: dict[str, tuple[str, ...]] = {
    State.ASKED: (State.ADDRESS_RECEIVED, State.ORDERED, State.SHIPPED, State.PROBLEM,
                  State.CANCELLED),
    State.ADDRESS_RECEIVED: (State.ORDERED, State.SHIPPED, State.PROBLEM, State.CANCELLED),
    State.ORDERED: (State.SHIPPED, State.DELIVERED, State.PROBLEM, State.RETURN_ASKED,
                    State.CANCELLED),
    State.SHIPPED: (State.DELIVERED, State.PROBLEM, State.RETURN_ASKED, State.LOST),
    State.DELIVERED: (State.RETURN_ASKED, State.PROBLEM, State.LOST),
    State.PROBLEM: (State.ORDERED, State.SHIPPED, State.DELIVERED, State.RETURN_ASKED,
                    State.RETURNED, State.LOST, State.CANCELLED),
    State.RETURN_ASKED: (State.RETURNED, State.PROBLEM, State.LOST),
    State.RETURNED: (),
    State.LOST: (State.RETURNED,),
    State.CANCELLED: (),
}  # fmt: skip
_NEEDS_WORDS = (State.PROBLEM, State.LOST, State.CANCELLED)


class ShipmentRefusedError(Exception):
    """The shipment was not changed; the message says why, in words."""


def shipment_move(
    shipment_id: int,
    to: str,
    *,
    text: str = "",
    tracking: str = "",
    by_label: str,
    now: datetime,
    actor: Any = None,
) -> Shipment:
    """Write down that a shipment is in another state; a run that waits for it is woken.

    Raises :class:`ShipmentRefusedError` where it cannot go there, or words are missing.
    """
    if to in _NEEDS_WORDS and not text.strip():
        raise ShipmentRefusedError("Say in a few words what happened.")
    sources = [state for state, targets in NEXT.items() if to in targets]
    values = state_values(to, at=now, tracking=tracking)
    with transaction.atomic():
        changed = Shipment.objects.filter(pk=shipment_id, state__in=sources).update(**values)
        found = Shipment.objects.select_related("person", "step", "connection").get(pk=shipment_id)
        if not changed:
            was = found.get_state_display().lower()
            raise ShipmentRefusedError(
                f"It is “{was}” and cannot become “{State(to).label.lower()}” from there."
            )
        event_add(found, text.strip(), by_label=by_label, now=now)
        moved_tell(found, by_label=by_label, now=now, actor=actor)
    return found


def state_values(to: str, *, at: datetime, tracking: str = "") -> dict[str, Any]:
    """What changes of a shipment that comes into the state ``to``."""
    values: dict[str, Any] = {"state": to, "state_at": at}
    if tracking.strip():
        values["tracking"] = tracking.strip()[:200]
    if to != State.ADDRESS_RECEIVED:
        values |= {"order_at": None}
    if to not in (State.ASKED, State.RETURN_ASKED):
        values |= {"link_nonce": "", "link_until": None}
    return values


def moved_tell(shipment: Shipment, *, by_label: str, now: datetime, actor: Any = None) -> None:
    """Write into the activity that it is in another state, and wake a run that waits for it."""
    record(
        "shipment.moved",
        actor=actor,
        actor_label=by_label,
        object_type="shipment",
        object_key=str(shipment.pk),
        object_label=shipment.bundle_name,
        detail={"state": shipment.state},
    )
    if shipment.step is not None:
        run_wake(shipment.step.run_id, at=now)
        ring(ENGINE)


def event_add(shipment: Shipment, text: str, *, by_label: str = "", now: datetime) -> None:
    """One more line of its history."""
    ShipmentEvent.objects.create(
        shipment=shipment, state=shipment.state, text=text[:2000], by_label=by_label[:200], at=now
    )


def shipment_settle(shipment_id: int, to: str, *, text: str, by_label: str, now: datetime) -> bool:
    """What a finished task says about a shipment; False where it is there or past it already."""
    try:
        shipment_move(shipment_id, to, text=text, by_label=by_label, now=now)
    except ShipmentRefusedError:
        return False
    return True
