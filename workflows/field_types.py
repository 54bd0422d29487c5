"""Fields that somebody made: custom fields of people, and the forms of services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from people.models import CustomField
from workflows.fields import CUSTOM_PREFIX, FieldSpec, FieldTypes, is_dynamic
from workflows.models import Service
from workflows.operators import FieldType

FORM_PREFIX = "request.form."
YES_NO = (("true", "Yes"), ("false", "No"))
_CUSTOM: Mapping[str, FieldType] = {"number": "number", "date": "date", "choice": "choice"}
_FORM: Mapping[str, FieldType] = {
    **_CUSTOM,
    "person": "reference",
    "application": "reference",
}


def field_types_now() -> FieldTypes:
    """Every field that somebody made and that is in use, whole: name, type, choices. Two queries.

    A field of two services' forms that differ in type is a text to conditions.
    """
    return {**_custom_fields(), **_form_fields()}


def _custom_fields() -> dict[str, FieldSpec]:
    found = {}
    for row in CustomField.objects.filter(enabled=True):
        key = CUSTOM_PREFIX + row.key
        found[key] = custom_spec(row.key, label=row.label, kind=row.type, options=row.options)
    return found


def custom_spec(key: str, *, label: str, kind: str, options: list[Any]) -> FieldSpec:
    """A custom field as conditions know it; ``key`` without its prefix."""
    return _spec(CUSTOM_PREFIX + key, label, kind, options, _CUSTOM)


def _form_fields() -> dict[str, FieldSpec]:
    found: dict[str, FieldSpec] = {}
    for fields in Service.objects.order_by("pk").values_list("fields", flat=True):
        for declared in fields:
            key = FORM_PREFIX + str(declared.get("name", ""))
            if not is_dynamic(key):
                continue
            spec = _form_spec(key, declared)
            known = found.get(key)
            found[key] = spec if known is None or known == spec else _merged(known, spec)
    return found


def _form_spec(key: str, declared: Mapping[str, Any]) -> FieldSpec:
    label = str(declared.get("label") or declared["name"])
    kind = str(declared.get("type", "text"))
    return _spec(key, label, kind, declared.get("choices") or [], _FORM)


def _spec(
    key: str, label: str, kind: str, options: list[Any], types: Mapping[str, FieldType]
) -> FieldSpec:
    if kind == "boolean":
        return FieldSpec(key, label, "choice", choices=YES_NO)
    choices = tuple((str(option), str(option)) for option in options) if kind == "choice" else ()
    return FieldSpec(key, label, types.get(kind, "text"), choices=choices)


def _merged(one: FieldSpec, other: FieldSpec) -> FieldSpec:
    """Two forms use one name: the type they share with the choices of both, else text."""
    if one.type != other.type:
        return FieldSpec(one.key, one.label, "text")
    return FieldSpec(
        one.key, one.label, one.type, choices=tuple(dict.fromkeys((*one.choices, *other.choices)))
    )
