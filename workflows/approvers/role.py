"""A member of a role."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.approvers.people import askable
from workflows.names import role_words
from workflows.nodes import APPROVERS, Approver, Resolution
from workflows.params import ParamsForm, TextParam


class RoleParams(ParamsForm):
    """Which."""

    name = TextParam(label="Role", limit=60, picks="role")


@APPROVERS.register
class RoleApprover(Approver):
    """Every member who is here and is not the subject; the step's rule says how many must agree."""

    key = "role"
    label = "Role"
    Params = RoleParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"a member of {role_words(str(params.get('name', 'a role')))}"

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """The members, by name."""
        name = str(params.get("name", ""))
        members = Person.objects.filter(roles__name=name).order_by("full_name", "pk")
        return askable(
            members,
            subject=subject,
            how=f"member of {name}",
            nobody=f"The role {name} has no members.",
        )
