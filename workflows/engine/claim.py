"""Take one run for this process, and give it back. A dead holder's run is taken over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F, Q

from siit_remote.lib import clock, lease
from workflows.engine import crash
from workflows.models import Run

LEASE = timedelta(minutes=10)
"""Longer than any one action may take; renewed before every step. By the machine's clock."""
_FRESH = timedelta(seconds=5)
"""A lease so young is not renewed: most runs are over before."""

_FIRST, _PAGE = 4, 100
"""How many are looked at: mostly the first can be taken, unless other engines are at work."""
_READY = Q(status__in=[Run.Status.QUEUED, Run.Status.WAITING, Run.Status.HELD])


def claim_next(*, now: datetime, after: set[int]) -> Run | None:
    """The next run with something to do at ``now``, now ours; ``None`` when there is none.

    ``after`` names runs this pass has already moved as far as they go, without having ended them.
    """
    candidates = Run.objects.filter(
        (_READY & Q(wake_at__isnull=False, wake_at__lte=now)) | Q(status=Run.Status.RUNNING)
    ).only("status", "fence", "lease_until", "lease_holder", "started_at")
    passed, size = set(after), _FIRST
    # Page by page, each read to its end: writing while a result is still open fails at once on
    # SQLite when another engine has written meanwhile.
    while page := list(candidates.exclude(pk__in=passed).order_by("lane", "due_at", "pk")[:size]):
        size = _PAGE
        for run in page:
            passed.add(run.pk)
            if run.status == Run.Status.RUNNING and not _abandoned(run):
                continue
            if _take(run, now=now):
                crash.point("claim.after_commit")
                whole = Run.objects.select_related("workflow", "version")
                return whole.defer("workflow__draft").get(pk=run.pk)
    return None


def _abandoned(run: Run) -> bool:
    expired = run.lease_until is None or run.lease_until <= clock.system_now()
    return expired or lease.is_dead(run.lease_holder)


def _take(run: Run, *, now: datetime) -> bool:
    moment = clock.system_now()
    taken = Run.objects.filter(pk=run.pk, status=run.status, fence=run.fence).update(
        status=Run.Status.RUNNING,
        fence=F("fence") + 1,
        lease_holder=lease.holder(),
        lease_until=moment + LEASE,
        wake_at=None,
        awaits="",
        reason="",
        started_at=run.started_at or now,
    )
    return taken == 1


def renew(run: Run) -> bool:
    """Lengthen our lease. False when somebody else has taken the run over.

    What is written afterwards is fenced in any case: this only spares what could not be written.
    """
    until = clock.system_now() + LEASE
    if run.lease_until is not None and until - run.lease_until < _FRESH:
        return True
    ours = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, fence=run.fence)
    run.lease_until = until
    return bool(ours.update(lease_until=until))


def is_outranked(run: Run, *, now: datetime) -> bool:
    """Whether work of a higher lane waits for a worker at ``now``."""
    return (
        run.lane > Run.Lane.URGENT
        and Run.objects.filter(_READY, lane__lt=run.lane, wake_at__lte=now).exists()
    )


def settle(run: Run, *, status: str, **values: object) -> bool:
    """End our hold on the run in ``status``. False when it is no longer ours (fencing)."""
    updated = Run.objects.filter(pk=run.pk, status=Run.Status.RUNNING, fence=run.fence).update(
        status=status, lease_holder="", lease_until=None, **values
    )
    return updated == 1
