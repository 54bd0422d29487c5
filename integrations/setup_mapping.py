"""Worker Type → Employment Type inside a review: changed, and the review judged again by it.

A small company is judged while the page waits. A large one is judged by the worker: until then the
review shows that it is being worked out, and cannot be finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.models import SyncRun
from integrations.setup_review import (
    review_feed,
    review_judge,
    review_shown,
    review_waiting,
)
from integrations.sync_lease import SyncRefusedError
from people.type_mapping import mapping_clean, types_with
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from integrations.setup_summary import Reviewed

JUDGE = "integrations.setup_tasks.judge_one"
AT_ONCE = 1_000
"""So many workers are judged within a page; more take longer than a page may."""
_JUDGING_FOR = timedelta(minutes=10)
"""After that the worker is taken for dead, and the review stands as it was."""


def review_mapping_set(
    run: SyncRun, *, mapping: Mapping[str, str], new_type: str = "", now: datetime
) -> bool:
    """Change the mapping of the review; the directory's own stays as it is.

    ``mapping``: worker type → key of an employment type, blank for none. ``new_type``: name of
    an employment type to offer as well. True when the review follows already, False when the
    worker was rung for it. Raises :class:`SyncRefusedError` when the review was decided.
    """
    with transaction.atomic():
        row = review_waiting(run)
        types = types_with(row.review["types"], new_type)
        wanted = {
            "types": types,
            "mapping": mapping_clean(mapping, types=types),
            "since": now.isoformat(),
        }
        # Without its fingerprint nobody can finish what is about to change.
        row.review = {**row.review, "wanted": wanted, "fingerprint": "", "accepted": ""}
        row.progress = f"Working out {row.seen} workers by the new mapping"
        row.save(update_fields=["review", "progress"])
        large = len(row.held_records) > AT_ONCE
        if large:
            ring(JUDGE, row.connection_id)
    return not large and review_rejudge(row, now=now)


def review_rejudge(run: SyncRun, *, now: datetime) -> bool:
    """Judge the review by the mapping that is wanted. False when nothing is, or not this any more.

    The judging happens outside a transaction, so that nobody else waits for it.
    """
    row = SyncRun.objects.select_related("connection").get(pk=run.pk)
    wanted = row.review.get("wanted")
    if not wanted:
        return False
    _, found = review_judge(row.connection, row, review_feed(row), mapping=wanted["mapping"])
    return _store(row, wanted, found)


def _store(run: SyncRun, wanted: Mapping[str, Any], found: Reviewed) -> bool:
    with transaction.atomic():
        try:
            row = review_waiting(run)
        except SyncRefusedError:
            return False
        if row.review.get("wanted") != wanted:
            return False  # somebody changed it again meanwhile; that is judged by its own bell
        kept = {key: value for key, value in row.review.items() if key != "wanted"}
        row.review = {
            **kept,
            "types": wanted["types"],
            "mapping": wanted["mapping"],
            **review_shown(found),
            "accepted": "",
        }
        row.progress = ""
        row.save(update_fields=["review", "progress"])
    return True


def judging_since(run: SyncRun, *, now: datetime) -> datetime | None:
    """Since when the worker judges the review anew; ``None`` when it does not, or gave up."""
    wanted = run.review.get("wanted")
    if not wanted:
        return None
    since = datetime.fromisoformat(wanted["since"])
    return since if now - since < _JUDGING_FOR else None
