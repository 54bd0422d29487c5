"""What the schedule does for access: end what is over, remind of what ends, count what differs.

It never takes anything away because of a difference: only what was given until a day, on that day,
by a run that the limits hold like any other.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse

from integrations.connectors.base import OutgoingMessage
from integrations.errors import IntegrationError, UncertainError
from integrations.models import AppAccess, Application
from people.choices import PersonStatus
from people.models import Person
from workflows.access.drift import drift_count
from workflows.access.mending import planned_forget
from workflows.access.runs import TAKE, access_runs_start
from workflows.mail import notice_send
from workflows.services import RefusedError

log = logging.getLogger(__name__)
REMIND_BEFORE = timedelta(days=7)
_ROLE = "it"


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAfter:
    """What one pass did, in numbers."""

    ended: int = 0
    reminded: int = 0
    counted: int = 0
    forgotten: int = 0

    def to_data(self) -> dict[str, int]:
        """As the task queue keeps it."""
        return asdict(self)


def access_look_after(*, now: datetime) -> LookedAfter:
    """One pass at ``now`` (UTC). Safe to call twice, anywhere."""
    return LookedAfter(
        reminded=expiries_remind(now=now),
        ended=expiries_end(now=now),
        forgotten=planned_forget(now=now),
        counted=_drift_count(now=now),
    )


def expiries_end(*, now: datetime) -> int:
    """Start a run for each access whose time is over; returns how many were started."""
    due = AppAccess.objects.filter(
        state=AppAccess.State.GRANTED, expires_at__lte=now
    ).select_related("application")
    started = 0
    for row in due.order_by("expires_at", "pk"):
        assert row.expires_at is not None  # noqa: S101 - narrowed by the filter above
        try:
            runs = access_runs_start(
                {row.person_id: [row.application.key]},
                action=TAKE,
                why=f"It was given until {row.expires_at:%-d %b %Y}.",
                now=now,
                actor=None,
                anchor=f"expiry:{row.pk}:{row.expires_at:%Y%m%d%H%M}",
            )
        except RefusedError as error:
            log.warning("accesses that are over stay: %s", error)
            return started
        started += len(runs)
    return started


def expiries_remind(*, now: datetime) -> int:
    """Tell the owner, once, of what ends within a week; returns how many were told of."""
    soon = AppAccess.objects.filter(
        state=AppAccess.State.GRANTED,
        expires_at__gt=now,
        expires_at__lte=now + REMIND_BEFORE,
        expiry_told_at__isnull=True,
    ).select_related("application__owner", "person")
    told = 0
    for row in soon.order_by("expires_at", "pk"):
        addresses = _told_of(row)
        if not addresses:
            continue
        taken = AppAccess.objects.filter(pk=row.pk, expiry_told_at__isnull=True)
        if not taken.update(expiry_told_at=now):
            continue
        sent = [_remind(row, address) for address in addresses]
        if not any(sent):
            # Nobody heard of it: the next pass tries again.
            AppAccess.objects.filter(pk=row.pk).update(expiry_told_at=None)
        told += any(sent)
    return told


def _told_of(row: AppAccess) -> list[str]:
    owner = row.application.owner
    if owner is not None and owner.is_current:
        return [owner.work_email]
    rows = Person.objects.filter(roles__name=_ROLE).exclude(status=PersonStatus.ENDED)
    return list(rows.order_by("pk").values_list("work_email", flat=True))


def _remind(row: AppAccess, address: str) -> bool:
    assert row.expires_at is not None  # noqa: S101 - only rows with a date are reminded of
    day = f"{row.expires_at:%-d %b %Y}"
    page = f"{settings.SITE_URL.rstrip('/')}{reverse('access', args=[row.pk])}"
    message = OutgoingMessage(
        to=address,
        subject=f"{row.application.name}: access of {row.person} ends on {day}",
        text=f"{row.person} has {row.application.name} until {day}; then it is taken away by "
        f"itself.\nTo let them keep it, change the day: {page}\n",
    )
    try:
        notice_send(message, key=f"expiry:{row.pk}:{day}:{address}")
    except UncertainError:
        # It may have arrived; twice would be worse than perhaps once.
        return True
    except IntegrationError as error:
        log.warning("nobody could be told that access %s ends: %s", row.pk, error.code)
        return False
    return True


def _drift_count(*, now: datetime) -> int:
    rows = Application.objects.filter(active=True).select_related("connection")
    return drift_count(list(rows), now=now)
