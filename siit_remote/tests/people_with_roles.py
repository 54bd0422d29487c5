"""Accounts of every role and one small company for the tests of pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from integrations.models import AppAccess, Application, Bundle, Connection, ReportedAccess, SyncRun
from people.models import CustomField, FieldOverride, FieldProposal, LegalEntity, Person
from people.models.listing import SavedView
from people.models.merge import PersonMerge
from people.models.organisation import Team
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.roles import (
    EMPLOYEE,
    HR_ADMIN,
    IT_STAFF,
    MANAGER,
    OWNER,
    roles_set_up,
    user_roles_set,
)
from workflows.models import (
    Absence,
    Approval,
    ApproverPolicy,
    Delegation,
    Hold,
    MessageTemplate,
    Request,
    Run,
    Service,
    Shipment,
    StepRun,
    Task,
    Workflow,
    WorkflowVersion,
)

ROLES = {
    "owner": OWNER,
    "hr": HR_ADMIN,
    "it": IT_STAFF,
    "manager": MANAGER,
    "employee": EMPLOYEE,
}
PASSWORD = "correct horse battery staple"
DOCUMENT = {
    "format": "siit.workflow/1",
    "key": "offboarding",
    "name": "Offboarding",
    "trigger": {"type": "person.end_date", "params": {"at": "18:00"}},
    "conditions": {
        "combinator": "and",
        "rules": [
            {"field": "person.worker_type", "operator": "is", "value": "contractor"},
            {
                "combinator": "or",
                "rules": [
                    {"field": "person.country", "operator": "in", "value": ["FRA", "ESP"]},
                    {"field": "person.start_date", "operator": "before", "value": "2026-01-31"},
                ],
            },
        ],
    },
    "steps": [
        {"key": "revoke", "action": "apps.revoke", "params": {"apps": "all"}},
        {
            "key": "ask",
            "action": "approval.request",
            "params": {"approver": {"type": "manager"}, "fallback": {"type": "role", "name": "hr"}},
            "outcomes": {"approved": [{"key": "close", "action": "slack.close_access"}]},
        },
        {
            "key": "fork",
            "branch": {
                "mode": "first_match",
                "lanes": [
                    {
                        "name": "France",
                        "when": {
                            "combinator": "and",
                            "rules": [
                                {"field": "person.country", "operator": "is", "value": "FRA"}
                            ],
                        },
                        "steps": [{"key": "pause", "wait": {"for": {"days": 2}}}],
                    }
                ],
            },
        },
    ],
}


@dataclass
class Company:
    """What :func:`small_company` made."""

    users: dict[str, User] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    objects: dict[str, Any] = field(default_factory=dict)


def _person(name: str, **values: Any) -> Person:
    now = clock.now()
    return Person.objects.create(
        work_email=f"{name}@acme.test",
        full_name=f"{name.title()} Example",
        created_at=now,
        updated_at=now,
        status="active",
        worker_type="direct_employee",
        country="FRA",
        **values,
    )


def small_company() -> Company:
    """An account and a person per role; ``report`` reports to ``manager``; one of everything."""
    company = Company()
    roles_set_up()
    for name, role in ROLES.items():
        user = User.objects.create_user(name, f"{name}@acme.test", PASSWORD)
        user_roles_set(user, roles=[role])
        company.users[name] = User.objects.get(pk=user.pk)
        company.people[name] = _person(name)
    company.people["report"] = _person("report", manager=company.people["manager"])
    _work(company)
    _lists(company)
    return company


def _lists(company: Company) -> None:
    """What belongs to the list of people; IT's view is shared."""
    company.objects["merge"] = PersonMerge.objects.create(
        kept=company.people["report"],
        absorbed_email="old@acme.test",
        absorbed={},
        moved={},
        reason="The same person",
        done_at=clock.now(),
    )
    company.objects["team"] = Team.objects.create(name="Design")
    company.objects["entity"] = LegalEntity.objects.get(name="Acme SAS")
    company.objects["view"] = SavedView.objects.create(
        owner=company.users["it"], name="Leavers", shared=True, created_at=clock.now()
    )


def _work(company: Company) -> None:
    now = clock.now()
    person, manager = company.people["report"], company.people["manager"]
    LegalEntity.objects.create(name="Acme SAS", country="FRA")
    connection = Connection.objects.create(
        key="remote", connector="remote", name="Remote", status="ready", created_at=now,
        finished_at=now,
    )  # fmt: skip
    sync = SyncRun.objects.create(
        connection=connection, status="held", started_at=now, held_reason="Would end 9 people.",
        held_people=[{"name": "Ada Example", "work_email": "ada@acme.test"}],
        skipped=[{"remote_id": "e1", "name": "Bo Example", "reason": "No work email."}],
    )  # fmt: skip
    workflow = Workflow.objects.create(
        key="offboarding", name="Offboarding", status="live", draft=DOCUMENT, draft_saved_at=now,
        created_at=now,
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=DOCUMENT, digest="d", published_at=now
    )
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    run = Run.objects.create(
        workflow=workflow, version=version, person=person, trigger="end_date", anchor="2026-12-01",
        key="run-key", status="held", reason="Too many people.", due_at=now, created_at=now,
        trace={"result": "true", "text": "worker type is Contractor", "actual": "Contractor"},
    )  # fmt: skip
    hold = Hold.objects.create(
        kind="limit", workflow=workflow, version=version, people=9, window_hours=24,
        reason="9 people within 24 hours; the limit is 5.", created_at=now,
        expires_at=now + timedelta(days=7),
    )  # fmt: skip
    Run.objects.create(
        workflow=workflow, version=version, person=company.people["employee"], trigger="end_date",
        anchor="2026-12-01", key="held-key", status="held", due_at=now, created_at=now, hold=hold,
    )  # fmt: skip
    step = StepRun.objects.create(
        run=run, key="ask", action="approval", position=0, status="uncertain",
        idempotency_key="step-key", created_at=now, error="No answer came.",
    )  # fmt: skip
    approval = Approval.objects.create(
        step=step, subject=person, approver=manager, title="Ship a laptop",
        summary="A laptop is shipped.", asked_at=now, due_at=now + timedelta(days=2),
    )  # fmt: skip
    task = Task.objects.create(
        key="task-key", title="Collect the laptop", subject=person, created_at=now
    )
    Bundle.objects.create(key="laptop", name="Standard laptop", items=["Laptop", "Mouse"])
    shipment = Shipment.objects.create(
        key="shipment-key", person=person, bundle_key="laptop", bundle_name="Standard laptop",
        items=["Laptop", "Mouse"], state_at=now, created_at=now, wants_address=True,
    )  # fmt: skip
    service = Service.objects.create(
        key="software", name="Software access", category="IT",
        fields=[{"name": "app", "label": "Application", "type": "text", "required": True}],
    )  # fmt: skip
    asked = Request.objects.create(
        service=service, requester=company.people["employee"], form={"app": "Figma"},
        created_at=now, updated_at=now,
    )  # fmt: skip
    proposal = FieldProposal.objects.create(
        changes={"country": {"sources": ["remote"], "visible_to": []}},
        before={"country": {"sources": [], "visible_to": []}},
        created_by=company.users["owner"], created_at=now,
    )  # fmt: skip
    MessageTemplate.objects.create(
        key="welcome",
        name="Welcome",
        variants=[
            {"language": "fr", "subject": "Bienvenue", "body": "Salut {{ person.preferred_name }}"},
            {"default": True, "subject": "Welcome", "body": "Hello {{ person.preferred_name }}"},
        ],
    )
    ApproverPolicy.objects.create(
        key="by-entity", name="By legal entity", baseline={"type": "manager"},
        rules=[{
            "when": {"combinator": "and", "rules": [
                {"field": "person.legal_entity", "operator": "is", "value": "Acme SAS"}
            ]},
            "approver": {"type": "entity_lead"},
        }],
    )  # fmt: skip
    delegation = Delegation.objects.create(
        approver=manager, delegate=company.people["it"], starts_on=now.date(), created_at=now,
        kind="while_away",
    )  # fmt: skip
    absence = Absence.objects.create(
        person=manager, starts_on=now.date() + timedelta(days=30), created_at=now
    )
    Person.objects.filter(pk=person.pk).update(
        job_title="Lead", value_sources={"job_title": "manual"}
    )
    github = Application.objects.create(
        key="github", name="GitHub", category="Engineering", owner=manager,
        description="Code and reviews.", icon="code", sensitive=True,
        entitle={"combinator": "and", "rules": [
            {"field": "person.job_title", "operator": "is", "value": "Lead"}
        ]},
    )  # fmt: skip
    access = AppAccess.objects.create(
        application=github, person=person, state="granted", since=now, run_id=run.pk
    )
    reported = ReportedAccess.objects.create(
        application=github, external_id="u7", username="bot@acme.test", first_seen_at=now,
        seen_at=now,
    )  # fmt: skip
    CustomField.objects.create(key="desk", label="Desk", enabled=True, created_at=now)
    FieldOverride.objects.create(
        person=person, field="job_title", value="Lead", reason="Known here", set_at=now,
        set_by=company.users["hr"],
    )  # fmt: skip
    record("settings.changed", actor=company.users["owner"], object_label="Workspace")
    company.objects = {
        "hold": hold,
        "connection": connection, "sync": sync, "workflow": workflow, "run": run, "step": step,
        "approval": approval, "task": task, "shipment": shipment, "service": service,
        "request": asked,
        "proposal": proposal, "overridden": person,
        "delegation": delegation, "absence": absence, "access": access, "reported": reported,
    }  # fmt: skip
