"""Fields a condition can ask about: the person's, custom ones, the request's, the change's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from people.models import CustomField
from workflows.document.shape import WorkflowDocument
from workflows.fields import CUSTOM_PREFIX, FIELDS
from workflows.models import Service

Subjects = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""Groups of fields: the group's words, then key and label of each field."""
_WORDS = {"person": "Person", "request": "Request", "change": "Change"}


def subjects_for(document: WorkflowDocument) -> Subjects:
    """The fields that mean something under the draft's trigger."""
    kind = document.trigger.type
    wanted = ["person"]
    if kind.startswith("request."):
        wanted.append("request")
    if kind == "person.changed":
        wanted.append("change")
    groups: dict[str, list[tuple[str, str]]] = {}
    for key, spec in FIELDS.items():
        subject = key.partition(".")[0]
        if subject in wanted:
            groups.setdefault(_WORDS[subject], []).append((key, spec.label))
    custom = CustomField.objects.filter(enabled=True).values_list("key", "label")
    groups["Custom fields"] = [(f"{CUSTOM_PREFIX}{key}", label) for key, label in custom]
    if "request" in wanted:
        groups["Answers of the request"] = request_answers(document.trigger.params)
    return tuple((words, tuple(fields)) for words, fields in groups.items() if fields)


def request_answers(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Questions of the service that starts it, or of every service."""
    rows = Service.objects.all()
    if isinstance(params.get("service"), str) and params["service"]:
        rows = rows.filter(key=params["service"])
    found: dict[str, str] = {}
    for fields in rows.values_list("fields", flat=True):
        for field in fields if isinstance(fields, list) else []:
            if isinstance(field, Mapping) and field.get("name"):
                name = str(field["name"])
                found.setdefault(f"request.form.{name}", str(field.get("label") or name))
    return sorted(found.items(), key=lambda pair: pair[1].casefold())
