"""Shipments as IT looks at them, and who may see an address."""

from __future__ import annotations

from typing import Any

from django.db.models import Q, QuerySet

from integrations.models import Bundle
from people.models import Person
from workflows.models import Shipment

State = Shipment.State
TABS: tuple[tuple[str, str, Q], ...] = (
    ("open", "On the way", Q(state__in=Shipment.OUTWARD)),
    ("trouble", "Problems", Q(state__in=[State.PROBLEM, State.LOST])),
    ("held", "With people", Q(state=State.DELIVERED)),
    ("back", "Coming back", Q(state=State.RETURN_ASKED)),
    ("all", "All", Q()),
)
SEE, CHANGE, ADDRESS = (
    "workflows.view_shipment",
    "workflows.change_shipment",
    "workflows.see_address",
)


def shipments_shown(
    *, tab: str = "all", text: str = "", bundle: str = "", person: int | None = None
) -> QuerySet[Shipment]:
    """Of one tab, narrowed to words of a name, a bundle or one person; the newest change first."""
    rows = Shipment.objects.select_related("person", "person__team", "connection")
    rows = rows.filter(next((q for key, _, q in TABS if key == tab), Q()))
    for word in text.split():
        rows = rows.filter(
            Q(person__full_name__icontains=word)
            | Q(person__work_email__icontains=word)
            | Q(tracking__icontains=word)
        )
    if bundle:
        rows = rows.filter(bundle_key=bundle)
    if person is not None:
        rows = rows.filter(person_id=person)
    return rows.order_by("-state_at", "-pk")


def shipments_of(person: Person, user: Any) -> list[Shipment]:
    """The person's equipment for who may see shipments; the newest first."""
    return list(Shipment.objects.filter(person=person)[:20]) if user.has_perm(SEE) else []


def bundle_words(bundle: Bundle, types: dict[str, str], countries: dict[str, str]) -> str:
    """For whom a bundle is, in words."""
    who = ", ".join(types.get(key, key) for key in bundle.employment_types) or "everybody"
    where = ", ".join(countries.get(code, code) for code in bundle.countries) or "every country"
    return f"for {who} in {where}"
