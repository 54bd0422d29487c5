"""People, moments and short words for tests of approval steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from people.choices import PersonStatus
from people.models import Person
from workflows.approvals import approval_decide
from workflows.models import Approval
from workflows.nodes import Outcome

# A Monday.
T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
HR = {"type": "role", "name": "hr"}

Pursue = Callable[..., Outcome]


def person_make(name: str, **values: Any) -> Person:
    values.setdefault("status", PersonStatus.ACTIVE)
    return Person.objects.create(
        work_email=f"{name}@acme.test",
        full_name=name.title(),
        created_at=T0,
        updated_at=T0,
        **values,
    )


def asked(status: str = "pending") -> list[str]:
    rows = Approval.objects.filter(status=status).order_by("approver__full_name")
    return list(rows.values_list("approver__full_name", flat=True))


def decide(name: str, *, approve: bool = True, at: datetime = T0) -> None:
    approval = Approval.objects.get(approver__full_name=name, status="pending")
    approval_decide(approval.pk, by=approval.approver, approve=approve, comment="Why.", now=at)


def day(number: int, hour: int = 9) -> datetime:
    return T0.replace(hour=hour) + timedelta(days=number)
