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
from workflows.models import Request, Service
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
) -> Request:
    """Store the request for the planner. Raises ``DocumentError`` naming each wrong field."""
    if not service.active:
        raise DocumentError([Problem("service", f"{service} is not offered any more.")])
    if not requester.is_current:
        raise DocumentError([Problem("requester", f"{requester} has left.")])
    values = read_form(service, form)
    with transaction.atomic():
        request = Request.objects.create(
            service=service, requester=requester, form=values, created_at=now, updated_at=now
        )
        record(
            "request.submitted",
            actor=actor,
            actor_label=requester.work_email,
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


def request_status_set(request: Request, status: str, *, reason: str, now: datetime) -> bool:
    """Move a request on. False when it has that status already or was cancelled."""
    with transaction.atomic():
        changed = (
            Request.objects.filter(pk=request.pk)
            .exclude(status__in=[status, Request.Status.CANCELLED])
            .update(status=status, status_reason=reason, updated_at=now)
        )
        if changed:
            record(
                "request.status_changed",
                object_type="request",
                object_key=str(request.pk),
                object_label=str(request),
                detail={"status": status, "reason": reason},
            )
    return bool(changed)
