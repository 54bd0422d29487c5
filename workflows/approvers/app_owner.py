"""The owner of the application asked for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.models import Application
from people.models import Person
from workflows.approvers.people import askable
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import NoParams


@APPROVERS.register
class AppOwnerApprover(Approver):
    """For requests with a field of the type application."""

    key = "app_owner"
    label = "Owner of the application"
    Params = NoParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "the owner of the application"

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """The application's owner."""
        asked = str(facts.get("request.form.application") or "")
        application = Application.objects.select_related("owner").filter(key=asked).first()
        if application is None:
            return Resolution(reason="The request names no known application.")
        return askable(
            [application.owner],
            subject=subject,
            how=f"owner of {application}",
            nobody=f"{application} has no owner.",
        )
