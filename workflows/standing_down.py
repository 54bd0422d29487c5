"""Who has left or cannot sign in holds nothing up: their questions and tasks move at once."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from people.choices import PersonStatus
from siit_remote.lib.bell import ring
from workflows.approvers.people import addresses_switched_off
from workflows.engine.wake import run_wake
from workflows.models import Approval
from workflows.tasks_watch import tasks_move_from_gone

ENGINE = "siit_remote.tasks.run_due"


def gone_stand_down(*, now: datetime) -> int:
    """Let the engine look at every approval of somebody who is gone; give their tasks back.

    The engine asks whoever comes next and writes to both. Returns how many runs were woken. It
    costs one query where nobody is gone, so that each pass of the engine begins with it.
    """
    gone = Q(approver__status=PersonStatus.ENDED) | Q(
        approver__work_email__in=addresses_switched_off()
    )
    rows = Approval.objects.filter(gone, status__in=Approval.OPEN)
    runs = set(rows.values_list("step__run_id", flat=True))
    woken = sum(run_wake(pk, at=now) for pk in sorted(runs))
    tasks_move_from_gone(now=now)
    return woken


def account_stands_down(*, now: datetime) -> None:
    """An account was switched off just now: look at once instead of at the next pass."""
    gone_stand_down(now=now)
    ring(ENGINE)
