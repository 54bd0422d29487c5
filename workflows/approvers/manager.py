"""The manager of the person it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.approvers.people import askable
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import NoParams


@APPROVERS.register
class ManagerApprover(Approver):
    """As the directory has it now."""

    key = "manager"
    label = "Manager"
    Params = NoParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "the manager"

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """The direct manager."""
        return askable(
            [subject.manager],
            subject=subject,
            how=f"manager of {subject}",
            nobody=f"{subject} has no manager.",
        )
