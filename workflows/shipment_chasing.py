"""What nobody has heard of any more: equipment that neither arrives nor comes back."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from workflows.models import Shipment, Task
from workflows.tasks_by_hand import task_open

AFTER = timedelta(days=14)
"""Since the last word of a shipment that is on its way."""
_AT_ONCE = 200
State = Shipment.State
_ASKS: dict[str, tuple[str, str, str]] = {
    State.ORDERED: ("Ask where {} is", "was ordered and has not arrived", State.DELIVERED),
    State.SHIPPED: ("Ask where {} is", "was shipped and has not arrived", State.DELIVERED),
    State.RETURN_ASKED: ("Get {} back", "was asked back and has not come", State.RETURNED),
}
"""State → what to do, why, and what it is when that is done."""


def shipments_chase(*, now: datetime) -> int:
    """Open a task for IT, once for each such state, unless somebody has one for it already."""
    rows = Shipment.objects.filter(state__in=_ASKS, state_at__lte=now - AFTER)
    found = list(rows.select_related("person").order_by("state_at", "pk")[:_AT_ONCE])
    keys = {row.pk: f"chase:{row.pk}:{row.state}" for row in found}
    asked = set(Task.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    at_it = {
        int(task.settles["shipment"])
        for task in Task.objects.filter(
            status=Task.Status.OPEN, settles__shipment__in=[row.pk for row in found]
        )
    }
    late = [row for row in found if keys[row.pk] not in asked and row.pk not in at_it]
    for row in late:
        title, why, settles = _ASKS[row.state]
        task_open(
            key=keys[row.pk],
            title=title.format(f"the {row.bundle_name} of {row.person}"),
            body=(
                f"It {why}; the last word is of {row.state_at:%-d %b %Y}.\n"
                f"Everything about it: {settings.SITE_URL}/equipment/{row.pk}/"
            ),
            role="it",
            subject=row.person,
            settles={"shipment": row.pk, "state": settles},
            now=now,
        )
    return len(late)
