"""Equipment from the first question to its return: asked, ordered, looked after."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from integrations.connectors.base import SignedCaller
from integrations.delivery import Purpose, calling_for
from integrations.errors import (
    IntegrationError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.models import Bundle, Connection
from integrations.services import client_for, connection_mark_unauthorized
from people.defaults import workspace_get
from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib import clock
from workflows.models import Shipment, ShipmentEvent, StepRun, Task
from workflows.reaching import reachable_address_of
from workflows.shipment_address import addresses_erase, link_send
from workflows.shipment_chasing import shipments_chase
from workflows.shipment_reports import report_address
from workflows.shipment_states import event_add, shipment_move, shipment_settle
from workflows.tasks_by_hand import task_open

State = Shipment.State
SYSTEM = "the system"
_REMIND_DAYS = 3
_MOST_LINKS = 3
_MOST_TRIES = 12
_FIRST_PAUSE = timedelta(minutes=5)
_LONGEST_PAUSE = timedelta(hours=6)
_MENDED = timedelta(minutes=15)
"""Until a connection with a refused credential is looked at again."""


def bundle_fits(bundle: Bundle, person: Person) -> str:
    """Why the bundle is not for this person; empty where it is."""
    if not bundle.active:
        return f"{bundle} is not offered any more."
    if bundle.countries and person.country not in bundle.countries:
        return f"{bundle} is not sent to {person}'s country."
    if bundle.employment_types and person.employment_type not in bundle.employment_types:
        return f"{bundle} is not for this employment type."
    return ""


def shipment_ask(
    *,
    key: str,
    person: Person,
    bundle_key: str,
    bundle: Bundle | None,
    connection: Connection | None,
    step: StepRun | None,
    note: str,
    wants_address: bool,
    now: datetime,
    state: str = State.ASKED,
) -> Shipment:
    """Begin the shipment for this cause, or give the one that is there already."""
    with transaction.atomic():
        found, made = Shipment.objects.get_or_create(
            key=key[:80],
            defaults={
                "person": person,
                "bundle_key": bundle_key,
                "bundle_name": bundle.name if bundle else bundle_key,
                "items": bundle.items if bundle else [],
                "connection": connection,
                "step": step,
                "note": note,
                "state": state,
                "state_at": now,
                "created_at": now,
                "wants_address": wants_address,
            },
        )
        if made:
            event_add(found, "", by_label=SYSTEM, now=now)
            record(
                "shipment.asked",
                object_type="shipment",
                object_key=str(found.pk),
                object_label=found.bundle_name,
                detail={"person": person.pk},
            )
    return found


def shipment_page(shipment: Shipment) -> str:
    """Its page, absolute: tasks lead there instead of holding an address."""
    return f"{settings.SITE_URL}/equipment/{shipment.pk}/"


def address_ask(shipment: Shipment, *, now: datetime) -> str:
    """Mail the form where the worker can be reached; else HR gets a task. What was done."""
    found = reachable_address_of(shipment.person, now=now)
    if found and link_send(shipment, to=found.to, by_label=SYSTEM, now=now):
        return f"{shipment.person} was asked where to send it."
    task_open(
        key=f"address:{shipment.pk}",
        title=f"Ask {shipment.person} where to send the {shipment.bundle_name}",
        body=(
            "No private address is known to which the form could be mailed. Send it from the "
            f"shipment's page:\n{shipment_page(shipment)}"
        ),
        role="hr",
        subject=shipment.person,
        settles={"shipment": shipment.pk},
        now=now,
    )
    return "HR was asked to send the form for the address."


def person_facts(person: Person) -> dict[str, str]:
    """What a shipping partner learns beside the address."""
    return {
        "full_name": person.full_name,
        "work_email": person.work_email,
        "country": person.country,
    }


def _payload(shipment: Shipment) -> Mapping[str, Any]:
    return {
        "event": "equipment.ship",
        "idempotency_key": shipment.key,
        "report_to": report_address(shipment.connection) if shipment.connection else "",
        "shipment": shipment.pk,
        "person": person_facts(shipment.person),
        "bundle": shipment.bundle_key,
        "bundle_name": shipment.bundle_name,
        "items": shipment.items,
        "note": shipment.note,
        "address": shipment.get_address(),
    }


def shipments_watch(*, now: datetime) -> dict[str, int]:
    """Remind of addresses, order, ask after what is overdue, erase what is not needed any more."""
    return {
        "reminded": _remind(now=now),
        "ordered": _order_all(now=now),
        "chased": shipments_chase(now=now),
        "erased": addresses_erase(kept_days=workspace_get().address_kept_days, now=now),
    }


def _remind(*, now: datetime) -> int:
    rows = Shipment.objects.filter(
        state=State.ASKED, wants_address=True, link_sent_at__lte=now - timedelta(days=_REMIND_DAYS)
    ).select_related("person")
    sent = 0
    for row in rows:
        found = reachable_address_of(row.person, now=now)
        if row.links < _MOST_LINKS and found:
            sent += link_send(row, to=found.to, by_label=SYSTEM, now=now)
        else:
            _give_up_asking(row, now=now)
    return sent


def _give_up_asking(row: Shipment, *, now: datetime) -> None:
    """Nobody answers the form: somebody speaks with them."""
    Shipment.objects.filter(pk=row.pk).update(link_sent_at=None)
    task_open(
        key=f"address-late:{row.pk}",
        title=f"{row.person} has not said where to send the {row.bundle_name}",
        body=f"Ask them in person, and send the form again:\n{shipment_page(row)}",
        role="hr",
        subject=row.person,
        now=now,
    )


def _order_all(*, now: datetime) -> int:
    rows = Shipment.objects.filter(state=State.ADDRESS_RECEIVED, order_at__lte=now)
    return sum(_order(row, now=now) for row in rows.select_related("person", "connection", "step"))


def _order(row: Shipment, *, now: datetime) -> bool:
    """One signed call; its key makes a repeat recognisable, so an unknown end is tried again."""
    pause = min(_FIRST_PAUSE * 2**row.order_tries, _LONGEST_PAUSE)
    claimed = Shipment.objects.filter(
        pk=row.pk, state=State.ADDRESS_RECEIVED, order_at=row.order_at
    ).update(order_at=now + pause, order_tries=row.order_tries + 1)
    if not claimed or row.connection is None:
        return False
    try:
        client = client_for(row.connection)
        if not isinstance(client, SignedCaller):
            _order_by_hand(row, f"{row.connection} cannot ship.", now=now)
            return False
        with calling_for(_purpose(row)):
            client.call(_payload(row), idempotency_key=row.key, sent_at=clock.system_now())
    except UnauthorizedError as error:
        connection_mark_unauthorized(row.connection, error.message)
        # A credential is mended by somebody, however long that takes: it is no try that failed.
        Shipment.objects.filter(pk=row.pk, state=State.ADDRESS_RECEIVED).update(
            order_at=now + _MENDED, order_tries=row.order_tries
        )
        _say_why_not(row, error.message, now=now)
        return False
    except (TransientError, RateLimitedError, UncertainError) as error:
        _may_give_up(row, error.message, now=now)
        return False
    except IntegrationError as error:
        _order_by_hand(row, error.message, now=now)
        return False
    # The partner may have told more already while it was answering.
    words = f"Ordered through {row.connection}."
    shipment_settle(row.pk, State.ORDERED, text=words, by_label=SYSTEM, now=now)
    return True


def _may_give_up(row: Shipment, why: str, *, now: datetime) -> None:
    if row.order_tries + 1 >= _MOST_TRIES:
        _order_by_hand(row, why, now=now)
    else:
        _say_why_not(row, why, now=now)


def _say_why_not(row: Shipment, why: str, *, now: datetime) -> None:
    """Once for each reason, however often it is tried."""
    words = f"Not ordered yet, it is tried again: {why}"
    if not ShipmentEvent.objects.filter(shipment=row, text=words).exists():
        event_add(row, words, by_label=SYSTEM, now=now)


def _purpose(row: Shipment) -> Purpose:
    return Purpose(
        words="Order equipment",
        run_id=row.step.run_id if row.step else None,
        person_id=row.person_id,
        attempt=row.order_tries + 1,
    )


def _order_by_hand(row: Shipment, why: str, *, now: datetime) -> None:
    """What no connection can do becomes a task."""
    shipment_move(row.pk, State.PROBLEM, text=why, by_label=SYSTEM, now=now)
    ship_task(row, key=f"order:{row.pk}", why=why, now=now)


def ship_task(row: Shipment, *, key: str, why: str, now: datetime) -> None:
    """IT ships it by hand; the address stands on the shipment's page alone."""
    task_open(
        key=key,
        title=f"Ship {row.bundle_name}: {row.person}",
        body=f"{why}\nThe address stands on its page:\n{shipment_page(row)}",
        checklist=[str(item) for item in row.items],
        role="it",
        subject=row.person,
        settles={"shipment": row.pk, "state": State.SHIPPED},
        now=now,
    )


def shipments_stop(person: Person, *, bundle: str = "", now: datetime) -> list[Shipment]:
    """What has not left yet is not sent any more; tasks for it are taken back."""
    rows = Shipment.objects.filter(person=person, state__in=[State.ASKED, State.ADDRESS_RECEIVED])
    stopped = list(rows.filter(bundle_key=bundle) if bundle else rows)
    why = "Asked back before it had left."
    for row in stopped:
        shipment_move(row.pk, State.CANCELLED, text=why, by_label=SYSTEM, now=now)
        Task.objects.filter(settles__shipment=row.pk, status=Task.Status.OPEN).update(
            status=Task.Status.CANCELLED, done_at=now, comment=why
        )
    return stopped


def equipment_held(person: Person, *, bundle: str = "") -> list[Shipment]:
    """What the person has or is being sent; ``bundle`` (a key): only that."""
    rows = Shipment.objects.filter(person=person, state__in=Shipment.HELD)
    return list((rows.filter(bundle_key=bundle) if bundle else rows).order_by("pk"))
