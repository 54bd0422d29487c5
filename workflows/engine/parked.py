"""Runs that wait for a connection: woken as soon as it may be called again.

While it may not, they cost nothing: no attempt, no row. When one call may try it, the most urgent
run is that call; when it works, all go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from integrations.circuits import Reach, connections_reach
from workflows.models import Run, StepRun

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

BATCH = 100
"""So many of one connection at a time: should it fail again, the rest was not disturbed."""
_PARKED = (Run.Status.WAITING, Run.Status.HELD)


def parked_wake(*, now: datetime, without: Collection[int] = ()) -> int:
    """Let runs go on whose connection may be called at ``now``. Returns how many were woken.

    ``without`` names runs that this pass has moved as far as they go.
    """
    parked = Run.objects.filter(status__in=_PARKED).exclude(awaits="")
    keys = list(parked.order_by().values_list("awaits", flat=True).distinct())
    reaches = connections_reach(keys, now=now)
    woken = 0
    for key in sorted(keys):
        if reaches[key] is Reach.SHUT:
            continue
        rows = parked.filter(awaits=key).exclude(pk__in=without).order_by("lane", "due_at", "pk")
        limit = 1 if reaches[key] is Reach.PROBE else BATCH
        woken += _wake(list(rows.values_list("pk", flat=True)[:limit]), key, now=now)
    return woken


def _wake(ids: list[int], key: str, *, now: datetime) -> int:
    with transaction.atomic():
        StepRun.objects.filter(
            run_id__in=ids, status=StepRun.Status.RETRYING, retry_at__gt=now
        ).update(retry_at=now)
        return Run.objects.filter(pk__in=ids, status__in=_PARKED, awaits=key).update(
            awaits="", wake_at=now
        )
