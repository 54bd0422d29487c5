"""A restored backup holds up everything destructive: said on every page, and mailed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.urls import reverse

from siit_remote.roles import HR_ADMIN, OWNER
from siit_remote.staleness import Alert, roles_mail
from workflows.models import RecoveryHold
from workflows.recovery import GOES_ON, PERMISSION, recovery_open, recovery_words

if TYPE_CHECKING:
    from datetime import datetime

CONCERNED: Final = (OWNER, HR_ADMIN)
"""Roles that may end it, and are mailed."""


def restored_alerts(user: Any) -> list[Alert]:
    """What ``user`` is told on every page; nothing for who may not see runs."""
    if not user.has_perm("workflows.view_run"):
        return []
    hold = recovery_open()
    if hold is None:
        return []
    page = reverse("recovery")
    action = "Compare and let it go on" if user.has_perm(PERMISSION) else "See what is held"
    words = f"{recovery_words(hold)} {GOES_ON}"
    return [
        Alert(tone="danger", icon="shield-alert", words=words, url=page, action=action, place=page)
    ]


def restored_report() -> int:
    """Mail those who may end an open hold, once; how many could be reached.

    Who could not be reached at all is tried again in the next pass.
    """
    hold = RecoveryHold.objects.filter(closed_at=None, mailed_to=0).first()
    if hold is None:
        return 0
    text = (
        f"{recovery_words(hold)}\n\n"
        f"{GOES_ON} Everything else goes on: syncs, messages, approvals.\n\n"
        f"Sync, compare, and let it go on:\n{settings.SITE_URL}{reverse('recovery')}\n"
    )
    reached = roles_mail(
        CONCERNED,
        subject="A backup was restored: nothing is taken from anybody until you look",
        text=text,
        # A row's number may have been given before, in what the restored database does not know.
        key=f"restored:{_stamp(hold.opened_at)}",
    )
    RecoveryHold.objects.filter(pk=hold.pk, opened_at=hold.opened_at).update(mailed_to=reached)
    return reached


def _stamp(at: datetime) -> str:
    return f"{at:%Y%m%dT%H%M%S}"
