"""Custom fields: an admin's own and those of a source; used only where an admin says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from people.applying import plan_apply
from people.fields_registry import custom_directory_field
from people.fields_values import UnfitValueError, value_of_kind
from people.folding import fold
from people.loading import directory_load, directory_lock, policy_load
from people.models import CustomField
from people.plan import CUSTOM, FieldChange, PersonPlan, Plan
from people.reconcile import reconcile
from people.records import CustomDefinition
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

READ_TASK = "integrations.tasks.read_custom_fields"
"""The task that asks sources for definitions and values."""
_LONGEST_KEY = 50


class CustomFieldError(ValueError):
    """The field cannot be so; the message says why, in words for the admin."""


def custom_field_create(
    *, label: str, type: str, options: Sequence[str], now: datetime, actor: Actor = None
) -> CustomField:
    """Make a field of the workspace's own, in use at once. Raises :class:`CustomFieldError`."""
    label = " ".join(label.split())
    if not label:
        raise CustomFieldError("Give the field a name.")
    with transaction.atomic():
        row = CustomField.objects.create(
            key=_free_key(label),
            label=label[:200],
            type=type,
            options=_checked_options(type, options),
            enabled=True,
            created_at=now,
        )
        _audit("custom_field.created", row, actor, {"type": type})
    return row


def custom_field_change(
    row: CustomField, *, label: str, options: Sequence[str], actor: Actor = None
) -> None:
    """Rename an own field or change what can be chosen. Raises :class:`CustomFieldError`.

    Values that are no longer among the choices stay until they are set anew.
    """
    if row.source:
        raise CustomFieldError("This field belongs to its source: change it there.")
    label = " ".join(label.split())
    if not label:
        raise CustomFieldError("Give the field a name.")
    with transaction.atomic():
        row.label, row.options = label[:200], _checked_options(row.type, options)
        row.save(update_fields=["label", "options"])
        _audit("custom_field.changed", row, actor, {"options": row.options})


def custom_field_use_set(
    row: CustomField, *, enabled: bool, now: datetime, actor: Actor = None
) -> bool:
    """Take a field into use, or out of it. False when it was so already.

    Values come or go for everybody, which starts nothing: they are no news about anybody.
    """
    with transaction.atomic():
        directory_lock()
        changed = CustomField.objects.filter(pk=row.pk, enabled=not enabled).update(enabled=enabled)
        if not changed:
            return False
        row.enabled = enabled
        action = "custom_field.used" if enabled else "custom_field.dropped"
        _audit(action, row, actor, {})
        plan = reconcile(
            (), directory=directory_load(), policy=policy_load(), now=now, everyone=True
        )
        name = CUSTOM + row.key
        quiet = plan_quieted(plan, lambda person, change: change.field == name)
        plan_apply(quiet, now=now, correlation=f"custom:{row.key}:{now.isoformat()}"[:64])
        if enabled and row.source:
            ring(READ_TASK)
    return True


def definitions_take(source: str, definitions: Iterable[CustomDefinition], *, now: datetime) -> int:
    """Take over what a source defines; new fields are not in use before an admin says so.

    Found by the source's id, so that a renamed field keeps its key. Returns how many rows changed.
    """
    written = 0
    with transaction.atomic():
        known = {row.external_id: row for row in CustomField.objects.filter(source=source)}
        for found in definitions:
            row = known.pop(found.external_id, None)
            if row is None:
                row = CustomField(
                    key=_free_key(found.label),
                    source=source,
                    external_id=found.external_id,
                    created_at=now,
                )
            before = (row.pk, row.label, row.type, row.options, row.missing_since)
            row.label, row.type = found.label, found.type
            row.options, row.missing_since = list(found.options), None
            if before != (row.pk, row.label, row.type, row.options, row.missing_since):
                row.save()
                written += 1
        gone = [row.pk for row in known.values() if row.missing_since is None]
        written += CustomField.objects.filter(pk__in=gone).update(missing_since=now)
    return written


def typed_values(fields: Iterable[CustomField], raw: Mapping[str, Any]) -> dict[str, Any]:
    """Key → value in its field's type, from the source's id → value. Unfit values are left out."""
    values: dict[str, Any] = {}
    for row in fields:
        try:
            value = value_of_kind(custom_directory_field(row), raw.get(row.external_id))
        except UnfitValueError:
            continue
        if value is not None:
            values[row.key] = value
    return values


def plan_quieted(plan: Plan, is_quiet: Callable[[PersonPlan, FieldChange], bool]) -> Plan:
    """The plan with some changes recorded only: they start nothing."""
    return replace(
        plan,
        people=tuple(
            replace(
                person,
                changes=tuple(
                    replace(change, quiet=True) if is_quiet(person, change) else change
                    for change in person.changes
                ),
            )
            for person in plan.people
        ),
    )


def _free_key(label: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", fold(label)).strip("_")[: _LONGEST_KEY - 3] or "field"
    taken = set(CustomField.objects.filter(key__startswith=plain).values_list("key", flat=True))
    key, number = plain, 2
    while key in taken:
        key, number = f"{plain}_{number}", number + 1
    return key


def _checked_options(type: str, options: Sequence[str]) -> list[str]:
    if type != CustomField.Type.CHOICE:
        return []
    found = [" ".join(option.split()) for option in options]
    kept = list(dict.fromkeys(option for option in found if option))
    if len(kept) < 2:
        raise CustomFieldError("Give at least two choices, one a line.")
    if len({option.casefold() for option in kept}) < len(kept):
        raise CustomFieldError("Two choices differ in capitals only.")
    return kept


def _audit(action: str, row: CustomField, actor: Actor, detail: dict[str, Any]) -> None:
    record(
        action,
        actor=actor,
        object_type="custom_field",
        object_key=row.key,
        object_label=row.label,
        detail=detail,
    )
