"""The workspace as a document; importing it again changes nothing."""

from __future__ import annotations

from typing import Any

from integrations.models import Application, Bundle
from people.defaults import workspace_get
from people.models import (
    EmploymentType,
    LegalEntity,
    Person,
    Role,
    WorkerTypeMapping,
    Workspace,
)
from workflows.models import ApproverPolicy, CategoryRights, MessageTemplate, Service
from workflows.workspace.fields import fields_exported
from workflows.workspace.shape import FORMAT


def workspace_export() -> dict[str, Any]:
    """Every section as plain data, in the order of the format."""
    document: dict[str, Any] = {"format": FORMAT, "settings": _settings()}
    sections = {
        "employment_types": [
            {"key": item.key, "name": item.name} for item in EmploymentType.objects.all()
        ],
        "mapping": _mapping(),
        **fields_exported(),
        "entities": [_entity(item) for item in LegalEntity.objects.select_related("lead")],
        "roles": [
            {
                "name": item.name,
                "members": sorted(item.members.values_list("work_email", flat=True)),
            }
            | ({"lead": item.lead.work_email} if item.lead else {})
            for item in Role.objects.select_related("lead")
        ],
        "protected_people": list(
            Person.objects.filter(protected=True)
            .order_by("work_email")
            .values_list("work_email", flat=True)
        ),
        "applications": [
            _application(item) for item in Application.objects.select_related("owner", "connection")
        ],
        "bundles": [_bundle(item) for item in Bundle.objects.select_related("connection")],
        "templates": [
            _without_empty({"key": item.key, "name": item.name, "variants": item.variants})
            for item in MessageTemplate.objects.all()
        ],
        "services": [_service(item) for item in Service.objects.all()],
        "policies": [
            _without_empty({"key": item.key, "name": item.name})
            | {"rules": item.rules, "baseline": item.baseline}
            for item in ApproverPolicy.objects.all()
        ],
        "category_rights": [
            {"category": item.category, **item.rights}
            for item in CategoryRights.objects.all()
            if item.rights
        ],
    }
    return document | {name: rows for name, rows in sections.items() if rows}


def _without_empty(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if value not in ("", None)}


def _settings() -> dict[str, Any]:
    row = workspace_get()
    return {
        "name": row.name,
        "timezone": row.timezone,
        "language": row.language,
        "sync_every_hours": row.sync_every_hours,
        "late_within_days": row.late_within_days,
        "address_kept_days": row.address_kept_days,
        "calls_kept_days": row.calls_kept_days,
        "limits": {
            "sync": {"people": row.sync_limit_people, "percent": row.sync_limit_percent},
            "workflow": {
                "people": row.workflow_limit_people,
                "percent": row.workflow_limit_percent,
                "per_hours": row.workflow_limit_hours,
            },
            **_further_limits(row),
            "floor": row.limit_floor,
            "hold_days": row.hold_days,
        },
        **_set({"directory_stale_hours": row.directory_stale_hours}),
    }


def _further_limits(row: Workspace) -> dict[str, Any]:
    """What is set; the others are worked out from the daily limit."""
    pairs = {
        name: _set({part: getattr(row, f"{column}_{part}") for part in ("people", "percent")})
        for name, column in (
            ("workflow_week", "workflow_week"),
            ("workspace", "workspace_limit"),
            ("workspace_week", "workspace_week"),
        )
    }
    return {name: values for name, values in pairs.items() if values}


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _mapping() -> dict[str, Any]:
    pairs = WorkerTypeMapping.objects.values_list("worker_type", "employment_type__key")
    return {"worker_type": dict(pairs)} if pairs else {}


def _entity(item: LegalEntity) -> dict[str, Any]:
    row = {"name": item.name, "lead": item.lead.work_email if item.lead else ""}
    rest = {"timezone": item.timezone, "language": item.language, "country": item.country}
    return _without_empty(row | rest)


def _application(item: Application) -> dict[str, Any]:
    row = {
        "key": item.key,
        "name": item.name,
        "description": item.description,
        "category": item.category,
        "icon": item.icon,
        "owner": item.owner.work_email if item.owner else "",
        "connection": item.connection.key if item.connection else None,
        "provision": {"by": item.provision_by, **item.provision},
        "entitle": item.entitle,
    }
    flags = {"sensitive": True} if item.sensitive else {}
    return _without_empty(row) | flags | ({} if item.active else {"active": False})


def _bundle(item: Bundle) -> dict[str, Any]:
    connection = item.connection.key if item.connection else None
    row = {
        "key": item.key,
        "name": item.name,
        "connection": connection,
        "items": item.items,
        "countries": item.countries,
        "employment_types": item.employment_types,
    }
    return _without_empty(row) | ({} if item.active else {"active": False})


def _service(item: Service) -> dict[str, Any]:
    row = {
        "key": item.key,
        "name": item.name,
        "description": item.description,
        "category": item.category,
        "icon": item.icon,
        "audience": item.audience,
    }
    return _without_empty(row) | {"fields": item.fields}
