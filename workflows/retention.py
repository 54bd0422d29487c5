"""What grows with every call is forgotten after a while; what proves that somebody left stays.

Runs, steps, attempts, access and the audit are the ledger and stay for good. Forgotten are calls to
other systems, news of mails, and syncs of single people, once older than the workspace says; and
sessions that have expired. Safe to call at any time and any number of times.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef

from integrations.freshness import PARTIAL
from integrations.models import Delivery, MailEvent, SyncRun
from people.defaults import workspace_get
from siit_remote.audit.services import record
from workflows.access.evidence import proving
from workflows.models import Run

if TYPE_CHECKING:
    from django.db.models import QuerySet

AT_ONCE = 2_000
"""Rows of one transaction, so that nobody waits for a lock."""
BATCHES = 50
"""Batches of one pass and kind; what is left goes the next day."""


def old_forget(*, now: datetime) -> dict[str, int]:
    """Forget what is older than the setting at ``now`` (UTC); how many rows of each went."""
    before = now - timedelta(days=workspace_get().calls_kept_days)
    gone = {
        "calls": _delete(lambda: calls_to_forget(before=before)),
        "mail_news": _delete(lambda: MailEvent.objects.filter(received_at__lt=before)),
        "syncs_of_few": _delete(lambda: _single_syncs(before=before)),
    }
    if any(gone.values()):
        record("calls.forgotten", object_type="workspace", detail={**gone, "before": str(before)})
    return {**gone, "sessions": _delete(lambda: Session.objects.filter(expire_date__lt=now))}


def calls_to_forget(*, before: datetime) -> QuerySet[Delivery]:
    """Calls made before ``before``, without those that prove a leaving or belong to an open run."""
    of_run = Run.objects.filter(pk=OuterRef("run_id"))
    return Delivery.objects.filter(started_at__lt=before).exclude(
        Exists(of_run.filter(proving())) | Exists(of_run.exclude(status__in=Run.ENDED))
    )


def _single_syncs(*, before: datetime) -> QuerySet[SyncRun]:
    settled = (SyncRun.Status.APPLIED, SyncRun.Status.FAILED, SyncRun.Status.DISCARDED)
    return SyncRun.objects.filter(trigger__in=PARTIAL, status__in=settled, started_at__lt=before)


def _delete(rows: Callable[[], QuerySet[Any]]) -> int:
    gone = 0
    for _ in range(BATCHES):
        pks = list(rows().order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        if not pks:
            break
        gone += rows().model._default_manager.filter(pk__in=pks).delete()[0]
    return gone
