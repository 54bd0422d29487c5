"""The sections about fields of the directory: definitions beyond the built-in ones, and terms."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from people.fields_custom import custom_field_use_set
from people.models import CustomField, FieldPolicy
from people.plan import CUSTOM
from workflows.field_types import custom_spec
from workflows.problems import join, shown
from workflows.workspace.values import ValueReader

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

_KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,49}")
_COLUMNS = ("label", "type", "options", "source", "external_id")


class FieldReader(ValueReader):
    """Reads definitions of custom fields, and sources and visibility of any field."""

    def _custom_field(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(data, path, allowed=("key", *_COLUMNS, "enabled"))
        key = self.reader.text(found.get("key", ""), join(path, "key"))
        if not _KEY.fullmatch(key):
            self.reader.error(
                join(path, "key"), "A short name: lower-case letters, digits and _, up to 50."
            )
        kind = self.reader.choice(
            found.get("type", "text"), join(path, "type"), CustomField.Type.values, default="text"
        )
        label = self.reader.text(found.get("label", key), join(path, "label"), limit=200).strip()
        if not label:
            self.reader.error(join(path, "label"), "Missing: what people call the field.")
        options = [
            self.reader.text(item, f"{path}.options[{index}]", limit=200)
            for index, item in enumerate(
                self.reader.items(found.get("options", []), join(path, "options"))
            )
        ]
        if kind == CustomField.Type.CHOICE and not found.get("source") and len(set(options)) < 2:
            self.reader.error(join(path, "options"), "Give at least two choices.")
        self._changes_type(key, kind, join(path, "type"))
        self.fields.add(CUSTOM + key)
        # Rules further down may ask about it already, in its type.
        spec = custom_spec(key, label=label, kind=kind, options=list(options))
        self.field_types[spec.key] = spec
        return {
            "key": key,
            "label": label,
            "type": kind,
            "options": options,
            "source": self._connection(found.get("source") or None, join(path, "source")) or "",
            "external_id": self.reader.text(
                found.get("external_id", ""), join(path, "external_id"), limit=128
            ),
            "enabled": self.reader.flag(found.get("enabled", True), join(path, "enabled")),
        }

    def _changes_type(self, key: str, kind: str, path: str) -> None:
        """Values that are stored in one type would not be of another."""
        known = self.known.custom_types.get(key)
        if known not in (None, kind):
            self.reader.error(
                path,
                f"The field {shown(key)} holds values of the type {known}; make another field.",
            )

    def _field(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(data, path, allowed=("key", "sources", "visible_to"))
        key = self.reader.choice(
            found.get("key", ""), join(path, "key"), sorted(self.fields), default=""
        )
        sources = [
            self._connection(item, f"{path}.sources[{index}]")
            for index, item in enumerate(
                self.reader.items(found.get("sources", []), join(path, "sources"))
            )
        ]
        visible = [
            self.reader.text(item, f"{path}.visible_to[{index}]", limit=60)
            for index, item in enumerate(
                self.reader.items(found.get("visible_to", []), join(path, "visible_to"))
            )
        ]
        return {"key": key, "sources": sources, "visible_to": visible}


def custom_field_put(
    row: dict[str, Any],
    *,
    now: datetime,
    actor: Actor,
    note: Callable[[str, str, str], None],
) -> None:
    """Make or change one definition as ``row`` asks; whether it is in use goes by its service.

    A source's field is found by the source's id where it is known there, so that a reading and a
    document agree about one field. ``note`` is told what was done: object, key, change.
    """
    field = _known(row)
    values = {name: row[name] for name in _COLUMNS}
    if field is None:
        field = CustomField.objects.create(key=row["key"], created_at=now, **values)
        note("custom_field", row["key"], "created")
        changed = False
    else:
        differing = {k: v for k, v in values.items() if getattr(field, k) != v}
        for name, value in differing.items():
            setattr(field, name, value)
        if differing:
            field.save(update_fields=list(differing))
        changed = bool(differing)
    used = custom_field_use_set(field, enabled=row["enabled"], now=now, actor=actor)
    if changed or (used and field.created_at != now):
        note("custom_field", field.key, "updated")


def _known(row: dict[str, Any]) -> CustomField | None:
    found = CustomField.objects.filter(key=row["key"]).first()
    if found is None and row["external_id"]:
        found = CustomField.objects.filter(
            source=row["source"], external_id=row["external_id"]
        ).first()
    return found


def fields_exported() -> dict[str, list[dict[str, Any]]]:
    """The sections ``custom_fields`` and ``fields``."""
    return {
        "custom_fields": [_definition(row) for row in CustomField.objects.order_by("key")],
        "fields": [
            {"key": row.field, "sources": row.sources, "visible_to": row.visible_to}
            for row in FieldPolicy.objects.all()
        ],
    }


def _definition(row: CustomField) -> dict[str, Any]:
    """What belongs to a source stays with it: its id is told too."""
    found: dict[str, Any] = {
        "key": row.key,
        "label": row.label,
        "type": row.type,
        "options": list(row.options),
        "source": row.source,
        "external_id": row.external_id,
        "enabled": row.enabled,
    }
    return {name: value for name, value in found.items() if value not in ("", [])}
