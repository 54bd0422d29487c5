"""Where to send it: a private link for the worker, who may have no account yet.

The link is signed, names one shipment, ends after some days and with the answer, and only shows an
empty form: whoever opens it learns neither a name nor an address.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import F

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError
from siit_remote.audit.services import record
from workflows.mail import notice_send
from workflows.models import Shipment
from workflows.shipment_states import ShipmentRefusedError, event_add

log = logging.getLogger(__name__)
LINK_DAYS = 14
FIELDS = ("name", "line1", "line2", "postcode", "city", "region", "country", "phone")
_SIGNER = signing.Signer(salt="siit.shipment.address", sep=".")
_OPEN = (Shipment.State.ASKED, Shipment.State.RETURN_ASKED)
State = Shipment.State


def link_for(shipment: Shipment, *, now: datetime) -> str:
    """A new address of the form; the one before stops working."""
    nonce = secrets.token_urlsafe(24)
    changed = Shipment.objects.filter(pk=shipment.pk, state__in=_OPEN, wants_address=True).update(
        link_nonce=nonce, link_until=now + timedelta(days=LINK_DAYS)
    )
    if not changed:
        raise ShipmentRefusedError("No address is asked for any more.")
    token = _SIGNER.sign_object([shipment.pk, nonce])
    return f"{settings.SITE_URL}/equipment/address/{token}/"


def shipment_by_link(token: str, *, now: datetime) -> Shipment | None:
    """The shipment whose form this link opens; ``None`` for forged, used and ended links."""
    try:
        pk, nonce = _SIGNER.unsign_object(token)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    found = Shipment.objects.filter(pk=pk, state__in=_OPEN, link_until__gt=now).first()
    if found is None or not found.link_nonce:
        return None
    return found if secrets.compare_digest(found.link_nonce, str(nonce)) else None


def link_send(
    shipment: Shipment, *, to: str, by_label: str, now: datetime, actor: Any = None
) -> bool:
    """Mail a new link. ``to`` is used for this mail and not kept. False where no mail left.

    Raises :class:`ShipmentRefusedError` when no address is asked for any more.
    """
    link = link_for(shipment, now=now)
    message = OutgoingMessage(
        to=to,
        subject="Where should we send your equipment?",
        text=(
            f"Hello,\n\nplease tell us where to send your equipment ({shipment.bundle_name}):\n"
            f"{link}\n\nThe link is for you alone and works for {LINK_DAYS} days. We use the "
            "address for this delivery only and erase it afterwards.\n"
        ),
    )
    try:
        notice_send(message, key=f"address:{shipment.pk}:{now.isoformat()}")
    except IntegrationError as error:
        log.warning("no mail for shipment %s: %s", shipment.pk, error.code)
        return False
    with transaction.atomic():
        Shipment.objects.filter(pk=shipment.pk).update(link_sent_at=now, links=F("links") + 1)
        event_add(shipment, "The form for the address was sent.", by_label=by_label, now=now)
        record(
            "shipment.link_sent",
            actor=actor,
            actor_label=by_label,
            object_type="shipment",
            object_key=str(shipment.pk),
            object_label=shipment.bundle_name,
        )
    return True


def address_give(token: str, address: Mapping[str, str], *, now: datetime) -> Shipment:
    """Keep the worker's answer, once. Raises :class:`ShipmentRefusedError` for a dead link."""
    with transaction.atomic():
        found = shipment_by_link(token, now=now)
        if found is None:
            raise ShipmentRefusedError("This link has been used or has ended.")
        before = found.state
        outward = before == State.ASKED
        found.set_address({name: str(address.get(name, "")).strip() for name in FIELDS})
        values: dict[str, Any] = {
            "address_token": found.address_token,
            "address_at": now,
            "link_nonce": "",
            "link_until": None,
        }
        if outward:
            values |= {"state": State.ADDRESS_RECEIVED, "state_at": now}
            if found.connection_id is not None:
                values["order_at"] = now
        changed = Shipment.objects.filter(
            pk=found.pk, state=before, link_nonce=found.link_nonce
        ).update(**values)
        if not changed:
            raise ShipmentRefusedError("This link has been used or has ended.")
        found.refresh_from_db()
        event_add(found, "The worker gave the address.", by_label="the worker", now=now)
        record(
            "shipment.address_given",
            actor_label="the worker",
            object_type="shipment",
            object_key=str(found.pk),
            object_label=found.bundle_name,
        )
    return found


def addresses_erase(*, kept_days: int, now: datetime) -> int:
    """Erase addresses of what was shipped, returned or ended ``kept_days`` ago. How many."""
    past = [State.SHIPPED, State.DELIVERED, *Shipment.ENDED]
    rows = Shipment.objects.filter(
        state__in=past, state_at__lte=now - timedelta(days=kept_days)
    ).exclude(address_token="")
    with transaction.atomic():
        erased = rows.update(address_token="")
        if erased:
            record("shipment.address_erased", object_type="shipment", detail={"count": erased})
    return erased
