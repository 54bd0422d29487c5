"""What falls between the workflows: people nobody covers, people two pull at, rules nobody meets,
names that lead nowhere, connections that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Max

from integrations.models import Application, Bundle, Connection
from people.choices import PersonStatus
from people.defaults import workspace_get
from people.models import LegalEntity, Person, Role
from siit_remote.lib import clock
from workflows.gap_collisions import collisions
from workflows.gap_plan import AHEAD, LiveWorkflow, Outlook, outlook_load
from workflows.models import ApproverPolicy, Delegation, Run, Workflow
from workflows.timing import zone_of

UNUSED_AFTER = timedelta(days=90)


class GapKind(StrEnum):
    """Which kind of hole it is."""

    LEAVER = "leaver"
    JOINER = "joiner"
    COLLISION = "collision"
    UNUSED = "unused"
    NOBODY = "nobody"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Link:
    """Where it is mended: words, and the address by its name."""

    words: str
    url_name: str
    args: tuple[str | int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """One thing to look at. ``person``: whom it is about; ``links``: where it is mended."""

    kind: GapKind
    words: str
    person: Person | None = None
    on: date | None = None
    workflow: str = ""
    also: str = ""
    links: tuple[Link, ...] = ()

    @property
    def workflows(self) -> set[str]:
        """Keys of the workflows that its words name."""
        return {key for key in (self.workflow, self.also) if key}


def gaps_find(*, now: datetime) -> list[Gap]:
    """Every gap at ``now`` (UTC), the most pressing kinds first. Looks only."""
    today = clock.today_in(zone_of(workspace_get().timezone), now)
    outlook = outlook_load(now=now, today=today)
    return [
        *_uncovered(outlook),
        *_colliding(outlook),
        *_dead_ends(outlook),
        *_connections(outlook),
        *_unused(outlook),
    ]


def _uncovered(outlook: Outlook) -> Iterator[Gap]:
    """Leavers whom nothing takes access from, and joiners for whom nothing starts."""
    dated = [one for one in outlook.coming if one.workflow.follows_date]
    takes = {(one.person_id, one.anchor) for one in dated if one.workflow.destructive}
    starts = {(one.person_id, one.anchor) for one in dated}
    until = outlook.today + AHEAD
    people = Person.objects.exclude(
        status__in=[PersonStatus.ENDED, PersonStatus.EXTERNAL]
    ).select_related("team")
    for person in people.filter(end_date__range=(outlook.today, until)).order_by("end_date", "pk"):
        if person.end_date and (person.pk, person.end_date.isoformat()) not in takes:
            words = "No live workflow takes this person's access away."
            yield Gap(
                kind=GapKind.LEAVER,
                words=words,
                person=person,
                on=person.end_date,
                links=(Link("Why each workflow leaves them out", "person", (person.pk,)),),
            )
    joiners = people.filter(start_date__range=(outlook.today, until))
    for person in joiners.order_by("start_date", "pk"):
        if person.start_date and (person.pk, person.start_date.isoformat()) not in starts:
            words = "No live workflow starts for this person."
            yield Gap(
                kind=GapKind.JOINER,
                words=words,
                person=person,
                on=person.start_date,
                links=(Link("Why each workflow leaves them out", "person", (person.pk,)),),
            )


def _colliding(outlook: Outlook) -> Iterator[Gap]:
    found = collisions(outlook)
    people = Person.objects.select_related("team").in_bulk([item.person_id for item in found])
    for item in found:
        first, second = item.first, item.second
        yield Gap(
            kind=GapKind.COLLISION,
            words=(
                f"“{first.workflow.workflow.name}” on {first.at:%-d %b %Y} and "
                f"“{second.workflow.workflow.name}” on {second.at:%-d %b %Y} do the opposite to "
                f"{item.what}."
            ),
            person=people.get(item.person_id),
            workflow=second.workflow.workflow.key,
            also=first.workflow.workflow.key,
            links=tuple(_open(one.workflow.workflow) for one in (first, second)),
        )


def _unused(outlook: Outlook) -> Iterator[Gap]:
    since = outlook.now - UNUSED_AFTER
    last: dict[int, datetime] = dict(
        Run.objects.filter(undoes__isnull=True)
        .order_by()
        .values_list("workflow_id")
        .annotate(last=Max("created_at"))
    )
    for one in outlook.live:
        live_since = one.workflow.live_since
        seen = last.get(one.workflow.pk)
        if live_since is not None and live_since < since and (seen is None or seen < since):
            when = f"since {seen:%-d %b %Y}" if seen else "since it went live"
            yield Gap(
                kind=GapKind.UNUSED,
                words=f"“{one.workflow.name}” has matched nobody {when}.",
                workflow=one.workflow.key,
                links=(
                    Link("Who misses it, and why", "workflow-preview", (one.workflow.key,)),
                    _open(one.workflow),
                ),
            )


def _dead_ends(outlook: Outlook) -> Iterator[Gap]:
    """Names of people and roles behind which there is nobody who could act."""
    here = set(
        Person.objects.exclude(status=PersonStatus.ENDED).values_list("work_email", flat=True)
    )
    accounts = {
        email.lower()
        for email in get_user_model()
        .objects.filter(is_active=True)
        .exclude(email="")
        .values_list("email", flat=True)
    }

    def gone(email: str) -> str:
        if email not in here:
            return "has left, or is not in the directory"
        return "" if email in accounts else "has no account to sign in with"

    for what, email, workflow, link in _named(outlook):
        if email and (why := gone(email.strip().lower())):
            words = f"{what}: {email} {why}."
            yield Gap(kind=GapKind.NOBODY, words=words, workflow=workflow, links=(link,))
    manned = set(
        Role.objects.filter(members__work_email__in=here).values_list("name", flat=True).distinct()
    )
    for role, what, workflow in _roles(outlook):
        if role not in manned:
            words = f"{what}: nobody is in the role {role}."
            link = Link("Open the draft", "designer", (workflow,))
            yield Gap(kind=GapKind.NOBODY, words=words, workflow=workflow, links=(link,))


def _open(workflow: Workflow) -> Link:
    return Link(f"Open “{workflow.name}”", "workflow", (workflow.key,))


def _named(outlook: Outlook) -> Iterator[tuple[str, str, str, Link]]:
    """(what for, work email, workflow, where it is mended) of all on whom something depends."""
    for one in outlook.live:
        key = one.workflow.key
        draft = Link("Open the draft", "designer", (key,))
        yield f"Owner of “{one.workflow.name}”", one.workflow.owner, key, draft
        for spec in _approvers(one):
            if spec.get("type") == "person":
                what = f"Approver in “{one.workflow.name}”"
                yield what, str(spec.get("email") or ""), key, draft
    for policy in ApproverPolicy.objects.all():
        specs = [rule.get("approver") or {} for rule in policy.rules]
        for spec in (*specs, policy.baseline or {}):
            if spec.get("type") == "person":
                link = Link("Open the policy", "policy-edit", (policy.key,))
                yield f"Approver in the policy “{policy}”", str(spec.get("email") or ""), "", link
    for entity in LegalEntity.objects.filter(lead__isnull=False).select_related("lead"):
        link = Link("Choose a lead", "entity-leads")
        yield f"Lead of {entity}", entity.lead.work_email if entity.lead else "", "", link
    for app in Application.objects.filter(active=True, owner__isnull=False).select_related("owner"):
        owner = app.owner.work_email if app.owner else ""
        link = Link("Open the application", "application-edit", (app.key,))
        yield f"Owner of the application {app}", owner, "", link
    delegations = Delegation.objects.filter(ended_at__isnull=True).exclude(
        ends_on__lt=outlook.today
    )
    for row in delegations.select_related("approver", "delegate"):
        link = Link("Open who stands in", "delegations")
        yield f"Stands in for {row.approver}", row.delegate.work_email, "", link


def _roles(outlook: Outlook) -> Iterator[tuple[str, str, str]]:
    for one in outlook.live:
        for spec in _approvers(one):
            if spec.get("type") == "role" and spec.get("name"):
                yield str(spec["name"]), f"Approver in “{one.workflow.name}”", one.workflow.key


def _approvers(one: LiveWorkflow) -> Iterator[dict[str, Any]]:
    for step in one.actions():
        if step.action != "approval.request":
            continue
        also = [stage.get("approver", stage) for stage in step.params.get("also") or []]
        for spec in (step.params.get("approver"), step.params.get("fallback"), *also):
            if isinstance(spec, dict):
                yield spec


def _connections(outlook: Outlook) -> Iterator[Gap]:
    """Connections that a live workflow would use and that are not ready."""
    rows = {row.key: row for row in Connection.objects.all()}
    apps = dict(
        Application.objects.filter(active=True, connection__isnull=False).values_list(
            "key", "connection__key"
        )
    )
    bundles = dict(
        Bundle.objects.filter(connection__isnull=False).values_list("key", "connection__key")
    )
    for one in outlook.live:
        for key in sorted(_needed(one, apps, bundles)):
            row = rows.get(key)
            if row is not None and row.status == Connection.Status.READY:
                continue
            state = row.get_status_display().lower() if row is not None else "does not exist"
            name = row.name if row is not None else key
            yield Gap(
                kind=GapKind.CONNECTION,
                words=f"“{one.workflow.name}” needs {name}, which is not ready: {state}.",
                workflow=one.workflow.key,
                links=(
                    Link("Open the connection", "connection", (row.key,))
                    if row is not None
                    else Link("Open the draft", "designer", (one.workflow.key,)),
                ),
            )


def _needed(one: LiveWorkflow, apps: dict[str, str], bundles: dict[str, str]) -> set[str]:
    needed: set[str] = set()
    for step in one.actions():
        params = step.params
        if params.get("connection"):
            needed.add(str(params["connection"]))
        if step.action in ("apps.assign", "apps.revoke"):
            named = params.get("apps")
            chosen = named if isinstance(named, list) and named else list(apps)
            needed |= {apps[key] for key in chosen if key in apps}
        if params.get("bundle") in bundles:
            needed.add(bundles[str(params["bundle"])])
    return needed
