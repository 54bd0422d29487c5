"""Change what the workspace offers and whom it asks: judged as a workspace document would be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Q

from people.models import LegalEntity, Person
from siit_remote.audit.services import record
from workflows.message_editing import message_template_uses
from workflows.models import ApproverPolicy, MessageTemplate, Service
from workflows.problems import DocumentError, Problem
from workflows.workspace.apply import known_now
from workflows.workspace.shape import FORMAT, read_workspace


def _judged(section: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """The row as it is stored. Raises ``DocumentError`` with paths inside the row."""
    try:
        desired = read_workspace({"format": FORMAT, section: [dict(row)]}, known_now())
    except DocumentError as error:
        start = f"{section}[0]."
        raise DocumentError(
            [
                Problem(problem.path.removeprefix(start), problem.message, problem.level)
                for problem in error.problems
            ]
        ) from error
    return desired.rows[section][0]


def service_save(row: Mapping[str, Any], *, active: bool, new: bool, actor: Any) -> Service:
    """Make or change an entry of the catalogue. Raises ``DocumentError``; then nothing is saved."""
    values = _judged("services", row)
    key = values.pop("key")
    names = [field["name"] for field in values["fields"]]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DocumentError([Problem("fields", f"Two questions are called “{twice}”.")])
    with transaction.atomic():
        if new and Service.objects.filter(key=key).exists():
            raise DocumentError([Problem("key", f"There is a service “{key}” already.")])
        service, _ = Service.objects.update_or_create(
            key=key, defaults={"audience": None, **values, "active": active}
        )
        record(
            "service.saved",
            actor=actor,
            object_type="service",
            object_key=key,
            object_label=service.name,
            detail={"active": active, "fields": names},
        )
    return service


def policy_save(row: Mapping[str, Any], *, new: bool, actor: Any) -> ApproverPolicy:
    """Make or change an approver policy. Raises ``DocumentError``; then nothing is saved."""
    values = _judged("policies", row)
    key = values.pop("key")
    with transaction.atomic():
        if new and ApproverPolicy.objects.filter(key=key).exists():
            raise DocumentError([Problem("key", f"There is a policy “{key}” already.")])
        policy, _ = ApproverPolicy.objects.update_or_create(key=key, defaults=values)
        record(
            "policy.saved",
            actor=actor,
            object_type="policy",
            object_key=key,
            object_label=str(policy),
            detail={"rules": values["rules"], "baseline": values["baseline"]},
        )
    return policy


def entity_lead_set(entity: LegalEntity, lead: Person | None, *, actor: Any) -> bool:
    """Who approves for an entity. False when nothing differs. Raises ``ValueError`` in words."""
    if lead is not None and not lead.is_current:
        raise ValueError(f"{lead} has left and cannot lead {entity}.")
    with transaction.atomic():
        same = Q(lead__isnull=True) if lead is None else Q(lead=lead)
        if not LegalEntity.objects.filter(~same, pk=entity.pk).update(lead=lead):
            return False
        record(
            "entity.lead_changed",
            actor=actor,
            object_type="legal_entity",
            object_key=str(entity.pk),
            object_label=entity.name,
            detail={"lead": lead.work_email if lead else ""},
        )
    return True


def message_template_save(row: Mapping[str, Any], *, new: bool, actor: Any) -> MessageTemplate:
    """Make or change a message template. Raises ``DocumentError``; then nothing is saved."""
    values = _judged("templates", row)
    key = values.pop("key")
    with transaction.atomic():
        if new and MessageTemplate.objects.filter(key=key).exists():
            raise DocumentError([Problem("key", f"There is a template “{key}” already.")])
        template, _ = MessageTemplate.objects.update_or_create(key=key, defaults=values)
        record(
            "template.saved",
            actor=actor,
            object_type="template",
            object_key=key,
            object_label=str(template),
            detail={"variants": len(values["variants"])},
        )
    return template


def message_template_delete(template: MessageTemplate, *, actor: Any) -> None:
    """Take a template away. Raises ``ValueError`` in words while a workflow names it."""
    uses = message_template_uses(template.key)
    if uses:
        names = ", ".join(f"“{workflow}”" for workflow in uses)
        raise ValueError(f"{template} is used by {names}. Choose another template there first.")
    with transaction.atomic():
        record(
            "template.deleted",
            actor=actor,
            object_type="template",
            object_key=template.key,
            object_label=str(template),
        )
        template.delete()
