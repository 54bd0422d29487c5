"""When each live workflow starts next, for the list of workflows: remembered for a quarter hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import cache

from workflows.forecasting import coming_runs
from workflows.models import Workflow

_KEPT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Next:
    """The first start to come (UTC), where it happens, and how many come within 90 days."""

    due_at: datetime
    timezone: str
    count: int


def next_runs_known(*, now: datetime) -> Mapping[str, Next]:
    """Key of a live workflow → its next start; one that nobody can foretell is left out.

    By the forecast's own answer. What was published since is looked for at once.
    """
    live = Workflow.objects.filter(status=Workflow.Status.LIVE).order_by("pk")
    versions = hash(tuple(live.values_list("pk", "live_version_id")))
    key = f"siit:next-runs:{versions}"
    kept: tuple[datetime, dict[str, Next]] | None = cache.get(key)
    if kept is not None and now - _KEPT <= kept[0] <= now:
        return {name: found for name, found in kept[1].items() if found.due_at > now}
    rows = coming_runs(now=now)
    counts = Counter(row.workflow for row in rows)
    found: dict[str, Next] = {}
    for row in rows:
        # Soonest first: the first one stays.
        if row.workflow not in found:
            found[row.workflow] = Next(row.due_at, row.timezone, counts[row.workflow])
    cache.set(key, (now, found), timeout=int(_KEPT.total_seconds()))
    return found
