"""A named person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.approvers.people import askable
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import ParamsForm, TextParam


class PersonParams(ParamsForm):
    """Whom."""

    email = TextParam(label="Person", limit=254, picks="person")


@APPROVERS.register
class PersonApprover(Approver):
    """By work e-mail."""

    key = "person"
    label = "Named person"
    Params = PersonParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return str(params.get("email", "somebody"))

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """The person with that address."""
        email = str(params.get("email", "")).strip().lower()
        found = Person.objects.filter(work_email=email).first()
        return askable(
            [found],
            subject=subject,
            how="named in the workflow",
            nobody=f"Nobody has the work email {email}.",
        )
