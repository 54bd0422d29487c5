"""The entries of the sidebar: only what the signed-in person may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.urls import NoReverseMatch, reverse

from workflows.access.owning import SEE_LIST, applications_owned
from workflows.calendar_feed import RIGHTS
from workflows.category_rights import rights_of
from workflows.views.leaver import RIGHTS as LEAVERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One place in the sidebar. ``allowed`` decides on the user; ``under`` are path prefixes."""

    label: str
    icon: str
    url_name: str
    allowed: Callable[[Any], bool]
    under: tuple[str, ...]
    badge: str = ""
    setting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry ready to be shown."""

    label: str
    icon: str
    url: str
    current: bool
    badge: str


def _has(permission: str) -> Callable[[Any], bool]:
    return lambda user: bool(user.has_perm(permission))


def _right(right: str) -> Callable[[Any], bool]:
    return lambda user: rights_of(user).anywhere(right)


def _looks_after_applications(user: Any) -> bool:
    return bool(user.has_perms(SEE_LIST)) or applications_owned(user).exists()


def _anybody(user: Any) -> bool:
    return bool(user.is_authenticated)


def _staff_with(permission: str) -> Callable[[Any], bool]:
    return lambda user: bool(user.is_staff and user.has_perm(permission))


ENTRIES: tuple[Entry, ...] = (
    Entry(label="People", icon="users", url_name="people", allowed=_anybody,
          under=("/people/", "/admin/people/person/")),
    Entry(label="Applications", icon="app-window", url_name="applications",
          allowed=_looks_after_applications,
          under=("/applications/", "/new-application/", "/application-rule/", "/access/")),
    Entry(label="Leavers", icon="log-out", url_name="leavers",
          allowed=lambda user: bool(user.has_perms(LEAVERS)), under=("/leavers/",)),
    Entry(label="Workflows", icon="workflow", url_name="workflows",
          allowed=_right("view"),
          under=("/workflows/", "/new-workflow/", "/import-workflow/")),
    Entry(label="Forecast", icon="calendar-days", url_name="forecast",
          allowed=lambda user: bool(user.has_perms(RIGHTS)), under=("/forecast/",)),
    Entry(label="Runs", icon="circle-play", url_name="runs",
          allowed=_has("workflows.view_run"), under=("/runs/",)),
    Entry(label="Gaps", icon="split", url_name="gaps",
          allowed=_has("workflows.view_workflow"), under=("/gaps/",)),
    Entry(label="Held", icon="hand", url_name="holds",
          allowed=_right("release"), under=("/held/",), badge="held"),
    Entry(label="Approvals", icon="inbox", url_name="approvals", allowed=_anybody,
          under=("/approvals/", "/delegations/"), badge="approvals"),
    Entry(label="Tasks", icon="list-checks", url_name="tasks", allowed=_anybody,
          under=("/tasks/",), badge="tasks"),
    Entry(label="Equipment", icon="laptop", url_name="equipment",
          allowed=_has("workflows.view_shipment"), under=("/equipment/",)),
    Entry(label="Requests", icon="send", url_name="requests", allowed=_anybody,
          under=("/requests/", "/services/")),
    Entry(label="Activity", icon="history", url_name="activity",
          allowed=_has("audit.view_auditentry"), under=("/activity/",)),
    Entry(label="Integrations", icon="plug", url_name="integrations", setting=True,
          allowed=_has("integrations.view_connection"), under=("/settings/integrations/",)),
    Entry(label="Fields", icon="table", url_name="fields", setting=True,
          allowed=_has("people.change_fieldpolicy"), under=("/settings/fields/",)),
    Entry(label="Approvers", icon="gavel", url_name="policies", setting=True,
          allowed=_has("workflows.view_approverpolicy"), under=("/policies/", "/entity-leads/")),
    Entry(label="Messages", icon="mail", url_name="message-templates", setting=True,
          allowed=_has("workflows.view_messagetemplate"), under=("/messages/",)),
    Entry(label="Limits", icon="shield-alert", url_name="limits", setting=True,
          allowed=_has("people.change_workspace"), under=("/settings/limits/",)),
    Entry(label="Categories", icon="folder", url_name="category-rights", setting=True,
          allowed=_has("workflows.view_categoryrights"), under=("/settings/categories/",)),
    Entry(label="Entities", icon="building-2", url_name="entities", setting=True,
          allowed=_has("people.view_team"),
          under=("/people/teams/", "/people/entities/", "/people/locations/",
                 "/people/employment-types/", "/admin/people/legalentity/",
                 "/admin/people/team/", "/admin/people/employmenttype/",
                 "/admin/people/workertypemapping/")),
    Entry(label="Roles & access", icon="shield", url_name="admin:auth_user_changelist",
          setting=True, allowed=_staff_with("auth.view_user"), under=("/admin/auth/",)),
    Entry(label="Site admin", icon="settings", url_name="admin:index", setting=True,
          allowed=lambda user: bool(user.is_staff), under=("/admin/",)),
)  # fmt: skip


def _url(name: str) -> str:
    """The address, or nothing for an admin page that is not registered."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def links(request: HttpRequest, *, counts: dict[str, int]) -> dict[str, list[Link]]:
    """``main`` and ``settings`` entries; the longest matching prefix is the current place."""
    shown = [
        (entry, url)
        for entry in ENTRIES
        if entry.allowed(request.user) and (url := _url(entry.url_name))
    ]
    matches = [
        (len(prefix), entry.label)
        for entry, _ in shown
        for prefix in entry.under
        if request.path.startswith(prefix)
    ]
    current = max(matches)[1] if matches else ""
    result: dict[str, list[Link]] = {"main": [], "settings": []}
    for entry, url in shown:
        number = counts.get(entry.badge, 0)
        result["settings" if entry.setting else "main"].append(
            Link(
                label=entry.label,
                icon=entry.icon,
                url=url,
                current=entry.label == current,
                badge="99+" if number > 99 else str(number or ""),
            )
        )
    return result
