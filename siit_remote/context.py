"""What the shell of every page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.functional import SimpleLazyObject

from people.identity import person_of
from siit_remote.lib import clock
from siit_remote.navigation import links
from siit_remote.restored import restored_alerts
from siit_remote.roles import role_of
from siit_remote.staleness import Alert, alerts_for
from siit_remote.ways_in import password_allowed
from workflows.holds import holds_open
from workflows.inbox import approvals_waiting_for
from workflows.models import Task
from workflows.tasks_seen import tasks_of

if TYPE_CHECKING:
    from django.http import HttpRequest

THEMES = ("light", "dark", "system")


def _counts(user: Any, person: Any) -> dict[str, int]:
    """What waits for this person: the badges of the sidebar."""
    counts: dict[str, int] = {}
    if user.has_perm("workflows.release_hold"):
        counts["held"] = holds_open().count()
    if not person:
        return counts
    return counts | {
        "approvals": approvals_waiting_for(person, clock.now()).count(),
        "tasks": Task.objects.filter(tasks_of(person), status=Task.Status.OPEN).distinct().count(),
    }


def _alerts(request: HttpRequest) -> list[Alert]:
    """A restored backup and outages, except on the pages that tell of them anyway."""
    found = restored_alerts(request.user) + alerts_for(request.user, now=clock.now())
    home = request.path == "/"
    return [
        alert
        for alert in found
        if not request.path.startswith(alert.place) and (alert.on_home or not home)
    ]


def shell(request: HttpRequest) -> dict[str, Any]:
    """Theme from the cookie the person chose it with; navigation is worked out when shown."""
    theme = request.COOKIES.get("theme", "system")
    context: dict[str, Any] = {"theme": theme if theme in THEMES else "system", "themes": THEMES}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        me: Any = SimpleLazyObject(lambda: person_of(user))
        context["navigation"] = SimpleLazyObject(lambda: links(request, counts=_counts(user, me)))
        context["account_name"] = SimpleLazyObject(
            lambda: me.full_name if me else user.get_full_name() or user.get_username()
        )
        context["alerts"] = SimpleLazyObject(lambda: _alerts(request))
        context["by_password"] = password_allowed()
        context["account_role"] = SimpleLazyObject(lambda: role_of(user))
    return context
