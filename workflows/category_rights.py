"""Who may view, edit, publish, run and release the workflows of a category.

A role's permission decides, unless the category names roles for a right: then those and the Owner
have it, and nobody else. Views ask before they show anything; services ask again before they
change anything, so that no address can be forgotten.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet

from people.identity import fields_hidden_from
from siit_remote.audit.services import record
from workflows.models import CategoryRights, Workflow
from workflows.nodes import TRIGGERS

if TYPE_CHECKING:
    from people.services import Actor

PERMISSION: Final[Mapping[str, str]] = {
    "view": "workflows.view_workflow",
    "edit": "workflows.change_workflow",
    "publish": "workflows.publish_workflow",
    "run": "workflows.run_workflow",
    "release": "workflows.release_hold",
}
WORDS: Final[Mapping[str, str]] = {
    "view": "See the workflows and their runs",
    "edit": "Edit drafts",
    "publish": "Publish, pause and archive",
    "run": "Retry, cancel, skip and undo runs",
    "release": "Release or discard what is held",
}
OWNER: Final = "Owner"
"""The role that always may, so that nobody locks everybody out."""
GRANTED_TO: Final = ("HR admin", "IT staff")
"""Roles that may be named: managers and employees have no pages of workflows."""
CLOSED: Final = "a workflow that is not open to you"
"""What stands in the place of a name where a page says what uses a thing."""
NAMED: Final = (OWNER, *GRANTED_TO)


def folded(category: str) -> str:
    """A category as rights are kept for it: case and space around it do not count."""
    return category.strip().casefold()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What one user may do, category by category."""

    user: Any
    roles: frozenset[str]
    named: Mapping[str, Mapping[str, Collection[str]]]

    def may(self, right: str, category: str) -> bool:
        """Whether the user has ``right`` on workflows of ``category``."""
        rules = self.named.get(folded(category), {})
        return self._has(right, rules) or (
            # Whoever works on it has to see it.
            right == "view" and any(self._has(other, rules) for other in rules if other != "view")
        )

    def _has(self, right: str, rules: Mapping[str, Collection[str]]) -> bool:
        if not self.user.is_authenticated or not self.user.is_active:
            return False
        if self.user.is_superuser:
            return True
        if right not in rules:
            return bool(self.user.has_perm(PERMISSION[right]))
        return OWNER in self.roles or bool(self.roles & set(rules[right]))

    def anywhere(self, right: str) -> bool:
        """Whether there is a category, real or not, on which the user has ``right``."""
        return self._has(right, {}) or any(self.may(right, category) for category in self.named)

    def of(self, workflow: Workflow) -> dict[str, bool]:
        """Every right on one workflow, for a page."""
        return {right: self.may(right, workflow.category) for right in PERMISSION}

    def telling(self) -> list[str]:
        """Triggers on a date that the user may not see: when their runs start would tell it."""
        hidden = fields_hidden_from(self.user)
        return [trigger.key for trigger in TRIGGERS if trigger.field and trigger.field in hidden]

    def open(
        self, right: str, rows: QuerySet[Any], *, column: str = "category", trigger: str = ""
    ) -> QuerySet[Any]:
        """``rows`` without those whose workflow's category is closed to the user.

        ``trigger``: the way to the run's trigger; runs that would tell a hidden date are left out.
        """
        if trigger and (telling := self.telling()):
            rows = rows.exclude(**{f"{trigger}__in": telling})
        if not self.named:
            return rows if self._has(right, {}) else rows.none()
        categories = Workflow.objects.order_by().values_list("category", flat=True).distinct()
        allowed = [category for category in categories if self.may(right, category)]
        return rows.filter(**{f"{column}__in": allowed})

    def closed(self, right: str) -> list[str]:
        """Categories that name others for ``right``: their work is not even to be listed."""
        if not self.named:
            return []
        categories = Workflow.objects.order_by().values_list("category", flat=True).distinct()
        return [
            category
            for category in categories
            if right in self.named.get(folded(category), {}) and not self.may(right, category)
        ]

    def listed(
        self, rows: QuerySet[Any], *, run: str = "", theirs: Q | None = None
    ) -> QuerySet[Any]:
        """``rows`` of work without that of runs which the user may not see.

        ``run``: the way to the run, empty for runs themselves. What is ``theirs`` stays: who has
        to do or decide something sees what it is. Rows that no workflow made stay as well.
        """
        begin = f"{run}__" if run else ""
        for column, closed in (
            (f"{begin}workflow__category", self.closed("view")),
            (f"{begin}trigger", self.telling()),
        ):
            if closed:
                stays = ~Q(**{f"{column}__in": closed}) | Q(**{f"{column}__isnull": True})
                rows = rows.filter(stays | theirs if theirs is not None else stays).distinct()
        return rows

    def keys(self, right: str) -> set[str]:
        """Keys of the workflows on which the user has ``right``."""
        return set(self.open(right, Workflow.objects.all()).values_list("key", flat=True))


def rights_of(user: Any) -> Rights:
    """The user's rights now."""
    named = {row.category: row.rights for row in CategoryRights.objects.all()}
    roles = user.groups.values_list("name", flat=True) if user.pk is not None else ()
    return Rights(user=user, roles=frozenset(roles), named=named)


def right_require(actor: Actor, right: str, *categories: str) -> None:
    """Raise ``PermissionDenied`` where a category names others for ``right`` than ``actor``.

    What a role may do at all is asked by the views; no actor is the system.
    """
    if actor is None:
        return
    rights = rights_of(actor)
    for category in categories:
        named = right in rights.named.get(folded(category), {})
        if named and not rights.may(right, category):
            name = f"workflows of “{category}”" if category else "workflows without a category"
            raise PermissionDenied(f"You may not do this with {name}.")


def category_rights_save(
    category: str, rights: Mapping[str, Collection[str]], *, actor: Actor
) -> bool:
    """Say who has which right on a category. False when nothing differs.

    Raises ``ValueError`` for a right or a role that cannot be named.
    """
    wanted = {right: sorted(rights[right]) for right in PERMISSION if right in rights}
    unknown = [right for right in rights if right not in PERMISSION]
    strange = {role for roles in wanted.values() for role in roles} - set(NAMED)
    if unknown or strange:
        raise ValueError(f"Unknown: {', '.join([*unknown, *sorted(strange)])}.")
    key = folded(category)
    with transaction.atomic():
        row, _ = CategoryRights.objects.select_for_update().get_or_create(category=key)
        if row.rights == wanted:
            return False
        before = row.rights
        CategoryRights.objects.filter(pk=row.pk).update(rights=wanted)
        record(
            "category.rights_changed",
            actor=actor,
            object_type="category",
            object_key=key,
            object_label=category or "No category",
            detail={"from": before, "to": wanted},
        )
    return True


def categories_known() -> list[str]:
    """Categories as they are written, of workflows and of kept rights; "" for none."""
    kept = CategoryRights.objects.values_list("category", flat=True)
    names = {name: name.capitalize() for name in kept}
    rows = Workflow.objects.order_by("category").values_list("category", flat=True).distinct()
    names |= {folded(name): name for name in rows}
    return sorted({"": "", **names}.values(), key=str.casefold)
