"""Bring the database to what a workspace document asks for: all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from integrations.models import Application, Bundle, Connection
from people.defaults import directory_defaults_ensure, workspace_get
from people.fields_registry import BUILT_IN
from people.limits import limits_changed, limits_of
from people.models import (
    CustomField,
    EmploymentType,
    FieldPolicy,
    LegalEntity,
    Person,
    Role,
    WorkerTypeMapping,
)
from people.plan import CUSTOM
from people.services import people_resolve_all
from siit_remote.audit.services import record
from siit_remote.lib import clock
from workflows.category_rights import category_rights_save
from workflows.fields import FIELDS
from workflows.models import ApproverPolicy, CategoryRights, MessageTemplate, Service
from workflows.workspace.fields import custom_field_put
from workflows.workspace.shape import Desired, read_workspace
from workflows.workspace.values import Known

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser


_RESOLVES = frozenset({"mapping", "field", "entity"})
"""What decides about values of people: after a change everybody is resolved again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row that was (or would be) made or changed."""

    object: str
    key: str
    change: str

    def to_data(self) -> dict[str, str]:
        """As ``--json`` prints it."""
        return {"object": self.object, "key": self.key, "change": self.change}


class _DryRunError(Exception):
    """Rolls the transaction of a dry run back."""


def known_now() -> Known:
    """What documents may refer to, as it stands."""
    custom = dict(CustomField.objects.values_list("key", "type"))
    return Known(
        people=set(Person.objects.values_list("work_email", flat=True)),
        connections=set(Connection.objects.values_list("key", flat=True)),
        employment_types=set(EmploymentType.objects.values_list("key", flat=True)),
        fields={
            *(field.key for field in BUILT_IN),
            *(
                key.removeprefix("person.")
                for key, spec in FIELDS.items()
                if key.startswith("person.") and spec.orm
            ),
            *(CUSTOM + key for key in custom),
        },
        custom_types=custom,
    )


def workspace_import(
    data: object,
    *,
    dry_run: bool = False,
    actor: AbstractBaseUser | AnonymousUser | None = None,
) -> list[Change]:
    """Apply a workspace document in one transaction; returns what changed.

    Raises ``DocumentError`` with every problem; then nothing has changed.
    """
    changes: list[Change] = []
    try:
        with transaction.atomic():
            directory_defaults_ensure()
            desired = read_workspace(data, known_now())
            before = limits_of(workspace_get())
            now = clock.now()
            changes = _Applier(now=now, actor=actor).apply(desired)
            if _RESOLVES & {change.object for change in changes}:
                correlation = f"workspace:{now.isoformat()}"[:64]
                people_resolve_all(now=now, correlation=correlation)
            limits_changed(before, workspace_get(), actor=actor)
            if changes and not dry_run:
                record(
                    "workspace.imported",
                    actor=actor,
                    detail={"changes": [change.to_data() for change in changes][:200]},
                )
            if dry_run:
                raise _DryRunError
    except _DryRunError:
        return changes
    return changes


class _Applier:
    """Upserts rows and remembers what differed."""

    def __init__(self, *, now: datetime, actor: AbstractBaseUser | AnonymousUser | None) -> None:
        self.now, self.actor = now, actor
        self.changes: list[Change] = []

    def apply(self, desired: Desired) -> list[Change]:
        if desired.settings:
            self._note("settings", "workspace", self._set(workspace_get(), desired.settings))
        rows = desired.rows
        for row in rows.get("employment_types", []):
            self._upsert(EmploymentType, "employment_type", {"key": row["key"]}, row)
        for row in rows.get("mapping", []):
            kind = EmploymentType.objects.get(key=row["employment_type"])
            lookup = {"worker_type": row["worker_type"]}
            self._upsert(WorkerTypeMapping, "mapping", lookup, {"employment_type": kind})
        for row in rows.get("custom_fields", []):
            custom_field_put(row, now=self.now, actor=self.actor, note=self._say)
        for row in rows.get("fields", []):
            values = {"sources": row["sources"], "visible_to": row["visible_to"]}
            self._upsert(FieldPolicy, "field", {"field": row["key"]}, values)
        for row in rows.get("entities", []):
            values = {key: value for key, value in row.items() if key != "name"}
            if "lead" in values:
                values["lead"] = self._person(values["lead"])
            self._upsert(LegalEntity, "entity", {"name": row["name"]}, values)
        for row in rows.get("roles", []):
            self._role(row)
        for row in rows.get("applications", []):
            values = row | {
                "owner": self._person(row["owner"]),
                "connection": self._connection(row["connection"]),
            }
            self._upsert(Application, "application", {"key": row["key"]}, values)
        for row in rows.get("bundles", []):
            values = row | {"connection": self._connection(row["connection"])}
            self._upsert(Bundle, "bundle", {"key": row["key"]}, values)
        for name, model in (
            ("templates", MessageTemplate),
            ("services", Service),
            ("policies", ApproverPolicy),
        ):
            label = {"policies": "policy"}.get(name, name.removesuffix("s"))
            for row in rows.get(name, []):
                self._upsert(model, label, {"key": row["key"]}, row)
        for row in rows.get("category_rights", []):
            known = CategoryRights.objects.filter(category=row["key"]).exists()
            if category_rights_save(row["category"], row["rights"], actor=self.actor):
                self._say("category_rights", row["key"], "updated" if known else "created")
        if desired.protected is not None:
            self._protect(set(desired.protected))
        return self.changes

    def _person(self, email: str) -> Person | None:
        return Person.objects.get(work_email=email) if email else None

    def _connection(self, key: str | None) -> Connection | None:
        return Connection.objects.get(key=key) if key else None

    def _upsert(
        self,
        model: type[models.Model],
        label: str,
        lookup: dict[str, Any],
        values: dict[str, Any],
    ) -> models.Model:
        manager = model._default_manager
        row = manager.filter(**lookup).first()
        key = str(next(iter(lookup.values())))
        if row is None:
            row = manager.create(**{**lookup, **values})
            self.changes.append(Change(object=label, key=key, change="created"))
        else:
            self._note(label, key, self._set(row, values))
        return row

    def _set(self, row: models.Model, values: dict[str, Any]) -> bool:
        differing = {key: value for key, value in values.items() if getattr(row, key) != value}
        for key, value in differing.items():
            setattr(row, key, value)
        if differing:
            row.save(update_fields=list(differing))
        return bool(differing)

    def _note(self, label: str, key: str, changed: bool) -> None:
        if changed:
            self.changes.append(Change(object=label, key=key, change="updated"))

    def _say(self, label: str, key: str, change: str) -> None:
        self.changes.append(Change(object=label, key=key, change=change))

    def _role(self, row: dict[str, Any]) -> None:
        values = {"lead": self._person(row["lead"])} if "lead" in row else {}
        role = self._upsert(Role, "role", {"name": row["name"]}, values)
        assert isinstance(role, Role)  # noqa: S101 - narrows the type of the row just made
        wanted = set(Person.objects.filter(work_email__in=row["members"]))
        if set(role.members.all()) != wanted:
            role.members.set(wanted)
            mark = Change(object="role", key=row["name"], change="created")
            self._note("role", row["name"], mark not in self.changes)

    def _protect(self, emails: set[str]) -> None:
        for person in Person.objects.filter(work_email__in=emails, protected=False):
            self._note(
                "protected_person", person.work_email, self._set(person, {"protected": True})
            )
        for person in Person.objects.filter(protected=True).exclude(work_email__in=emails):
            self._note(
                "protected_person", person.work_email, self._set(person, {"protected": False})
            )
