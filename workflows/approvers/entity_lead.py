"""The lead of the person's legal entity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.approvers.people import askable
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import NoParams


@APPROVERS.register
class EntityLeadApprover(Approver):
    """Set per legal entity."""

    key = "entity_lead"
    label = "Lead of the legal entity"
    Params = NoParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "the lead of the legal entity"

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """The entity's lead."""
        entity = subject.legal_entity
        if entity is None:
            return Resolution(reason=f"{subject} has no legal entity.")
        return askable(
            [entity.lead],
            subject=subject,
            how=f"lead of {entity}",
            nobody=f"{entity} has no lead; set one under Entities.",
        )
