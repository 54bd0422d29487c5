"""Tags that bring work about a person into pages of lower rooms, which do not know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django import template
from django.contrib import admin
from django.urls import reverse

from integrations.connectors.base import CONNECTORS
from integrations.models import Account, AppAccess, Connection, SyncRun
from people.choices import PersonStatus
from people.identity import fields_hidden_from
from people.list_query import TAB, VIEW
from people.models import Person
from people.tabs import TABS, counts
from workflows import about_people
from workflows.category_rights import rights_of
from workflows.equipment_seen import shipments_of
from workflows.models import Run, Shipment, Workflow
from workflows.uses import workflows_using
from workflows.views.rights import runs_open, runs_opening

register = template.Library()


@register.simple_tag
def runs_about(person: Person, user: Any) -> list[Run]:
    """The person's latest runs, for who may see runs."""
    if not user.has_perm("workflows.view_run"):
        return []
    found = person.runs.select_related("workflow", "version")
    return list(runs_open(user, found)[:20])


@register.simple_tag
def runs_open_to(rows: Iterable[Mapping[str, Any]], user: Any) -> set[int]:
    """Which of the runs that ``rows`` name under "run" the user may open."""
    return runs_opening(user, {int(row["run"]) for row in rows if row["run"]})


@register.simple_tag
def applications_of(person: Person) -> list[AppAccess]:
    """Applications the person has or had."""
    return list(person.accesses.select_related("application"))


@register.simple_tag
def workflows_touching(worker_type: str, employment_type: str, user: Any) -> list[Workflow]:
    """Workflows that ask for the worker type, or for the employment type it becomes."""
    rights = rights_of(user)
    if not rights.anywhere("view"):
        return []
    found = {
        workflow.pk: workflow
        for field, value in (
            ("person.worker_type", worker_type),
            ("person.employment_type", employment_type),
        )
        if value
        for workflow in workflows_using(field, value)
        if rights.may("view", workflow.category)
    }
    return sorted(found.values(), key=lambda workflow: workflow.name)


@register.simple_tag
def accounts_of(person: Person) -> list[Account]:
    """What the person is called at connections."""
    return list(person.accounts.select_related("connection"))


@register.simple_tag
def equipment_of(person: Person, user: Any) -> list[Shipment]:
    """What was sent to the person or asked back, for who may see shipments."""
    return shipments_of(person, user)


@register.simple_tag
def workflows_for(person: Person, user: Any, now: datetime) -> list[about_people.Answer]:
    """Which workflows will run for the person, which not, and why."""
    rights = rights_of(user)
    if not rights.anywhere("view"):
        return []
    found = about_people.answers_for(person, now=now, hidden=fields_hidden_from(user))
    return [answer for answer in found if rights.may("view", answer.workflow.category)]


@register.simple_tag
def last_good_sync() -> SyncRun | None:
    """The newest sync that was applied, of any connection."""
    return (
        SyncRun.objects.filter(status=SyncRun.Status.APPLIED)
        .select_related("connection")
        .only("finished_at", "connection__name")
        .first()
    )


@register.simple_tag
def people_source() -> Connection | None:
    """The connection that people come from, where its set-up is finished."""
    kinds = [connector.key for connector in CONNECTORS if connector.category == "HRIS"]
    return (
        Connection.objects.filter(connector__in=kinds, finished_at__isnull=False)
        .exclude(status=Connection.Status.DISCONNECTED)
        .order_by("pk")
        .first()
    )


@register.simple_tag
def problem_count(user: Any) -> int | None:
    """How many people have data problems, for who sees everybody; ``None`` for others."""
    if not user.has_perm("people.view_person"):
        return None
    _, problems = counts(Person.objects.all())
    return problems


@register.simple_tag
def people_tabs(cl: Any, views: Any = ()) -> list[dict[str, Any]]:
    """Tabs above the list of people: where they stand, then the saved ``views``.

    A status tab keeps the list's other filters; a view brings its own.
    """
    by_status, problems = cl.counts_by_status
    chosen = cl.params.get(VIEW, "")
    shown = []
    for tab in TABS:
        number = tab.count(by_status, problems)
        current = not chosen and cl.tab.key == tab.key
        if tab.key == PersonStatus.EXTERNAL and not number and not current:
            continue
        url = cl.get_query_string({TAB: tab.key}, remove=["p", VIEW])
        shown.append({"label": tab.label, "count": number, "url": url, "current": current})
    for view in views:
        query = f"{view.query}&" if view.query else ""
        shown.append(
            {
                "label": view.name,
                "count": None,
                "url": f"?{query}{VIEW}={view.pk}",
                "current": chosen == str(view.pk),
                "icon": "users-round" if view.shared else "star",
                "hint": f"Shared by {view.owner}" if view.shared else "Yours alone",
            }
        )
    return shown


@register.simple_tag
def change_url(obj: Any, user: Any) -> str:
    """The record's page in the site admin, for staff who may change it."""
    meta = obj._meta
    if not (user.is_staff and user.has_perm(f"{meta.app_label}.change_{meta.model_name}")):
        return ""
    if not admin.site.is_registered(type(obj)):
        return ""
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[obj.pk])
