"""The manager's manager."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.approvers.people import askable
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import NoParams


@APPROVERS.register
class ManagersManagerApprover(Approver):
    """One level further up."""

    key = "managers_manager"
    label = "Manager's manager"
    Params = NoParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "the manager's manager"

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """Two levels up."""
        manager = subject.manager
        return askable(
            [manager.manager if manager else None],
            subject=subject,
            how=f"manager of the manager of {subject}",
            nobody=f"{subject} has no manager's manager.",
        )
