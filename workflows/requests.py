"""Submit a request: fields checked against the service, then the workflows' turn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction

from integrations.models import Application
from people.models import Person
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.audience import service_open_to
from workflows.models import Request, Service
from workflows.notes import note_add
from workflows.problems import DocumentError, Problem, did_you_mean

ENGINE = "siit_remote.tasks.run_due"
MAX_TEXT = 5_000


def request_submit(
    *,
    service: Service,
    requester: Person,
    form: Mapping[str, Any],
    now: datetime,
    actor: Any = None,
    submitted_by: Person | None = None,
) -> Request:
    """Store the request for the planner. Raises ``DocumentError`` naming each wrong field.

    ``submitted_by`` is who asks on behalf of the requester; whether they may is the caller's to
    check. The requester must belong to the service's audience either way.
    """
    if not service.active:
        raise DocumentError([Problem("service", f"{service} is not offered any more.")])
    if not requester.is_current:
        raise DocumentError([Problem("requester", f"{requester} has left.")])
    if not service_open_to(service, requester, now=now):
        raise DocumentError([Problem("requester", f"{service} is not offered to {requester}.")])
    if submitted_by is not None and submitted_by.pk == requester.pk:
        submitted_by = None
    values = read_form(service, form)
    with transaction.atomic():
        request = Request.objects.create(
            service=service,
            requester=requester,
            submitted_by=submitted_by,
            form=values,
            created_at=now,
            updated_at=now,
        )
        record(
            "request.submitted",
            actor=actor,
            actor_label=(submitted_by or requester).work_email,
            object_type="request",
            object_key=str(request.pk),
            object_label=service.name,
        )
        ring(ENGINE)
    return request


def read_form(service: Service, form: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned fields. Raises ``DocumentError`` with every problem."""
    fields = {field["name"]: field for field in service.fields}
    problems = [
        Problem(name, f"{service} has no field “{name}”.{did_you_mean(name, fields)}")
        for name in form
        if name not in fields
    ]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        raw = form.get(name)
        if raw is None or (isinstance(raw, str) and not raw.strip()):
            if field.get("required"):
                problems.append(Problem(name, f"{field.get('label') or name} is required."))
            continue
        try:
            values[name] = _value(field, raw)
        except ValueError as error:
            problems.append(Problem(name, str(error)))
    if problems:
        raise DocumentError(problems)
    return values


def _value(field: Mapping[str, Any], raw: Any) -> Any:
    """One field's value as JSON. Raises ``ValueError`` in words."""
    text = str(raw).strip()
    if len(text) > MAX_TEXT:
        raise ValueError(f"Longer than {MAX_TEXT} characters.")
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise ValueError("Contains characters that cannot be stored.")
    kind = field.get("type", "text")
    if kind == "number":
        return _number(text)
    if kind == "boolean":
        return _boolean(raw)
    if kind == "date":
        return _date(text)
    if kind == "choice" and text not in [str(item) for item in field.get("choices", [])]:
        raise ValueError(f"“{text[:60]}” is none of the choices.")
    if kind == "application" and not Application.objects.filter(key=text, active=True).exists():
        raise ValueError(f"There is no application “{text[:60]}”.")
    if kind == "person":
        text = text.lower()
        if not Person.objects.filter(work_email=text).exists():
            raise ValueError(f"Nobody has the work email {text[:60]}.")
    return text


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().casefold()
    if word in ("yes", "true", "on"):
        return True
    if word in ("no", "false", "off"):
        return False
    raise ValueError("Answer yes or no.")


def _date(text: str) -> str:
    try:
        # Python also reads 20261224 and 2026-W52-4, which nobody means.
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            return date.fromisoformat(text).isoformat()
    except ValueError:
        pass
    raise ValueError(f"“{text[:60]}” is no date; write it as 2026-12-24.")


def _number(text: str) -> float | int:
    try:
        number = float(text)
    except ValueError as error:
        raise ValueError(f"“{text[:60]}” is no number.") from error
    if number != number or abs(number) > 1e15:
        raise ValueError("The number is out of range.")
    return int(number) if number.is_integer() else number


_STATUS_WORDS = {
    Request.Status.NEW: "It is looked at again.",
    Request.Status.IN_PROGRESS: "It is being worked on.",
    Request.Status.WAITING: "It waits.",
    Request.Status.RESOLVED: "It is resolved.",
}


def request_status_set(request: Request, status: str, *, reason: str, now: datetime) -> bool:
    """Move a request on. False when it has that status already or was cancelled.

    Without a reason the one given before stays: a rejection is closed with its reason.
    """
    values: dict[str, Any] = {"updated_at": now} | ({"status_reason": reason} if reason else {})
    with transaction.atomic():
        rows = Request.objects.filter(pk=request.pk).exclude(status=Request.Status.CANCELLED)
        changed = rows.exclude(status=status).update(status=status, **values)
        if changed:
            record(
                "request.status_changed",
                object_type="request",
                object_key=str(request.pk),
                object_label=str(request),
                detail={"status": status, "reason": reason},
            )
        told = changed or (reason and rows.exclude(status_reason=reason).update(**values))
        if told:
            note_add(request, reason or _STATUS_WORDS[Request.Status(status)], now=now)
    return bool(changed)
