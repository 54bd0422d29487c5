"""The fields of the directory as people speak of them: name, group, kind of value.

The groups are those in which an HR system thinks; custom fields follow at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.formats import date_format

from people.choices import ContractStatus, PersonStatus, WorkerType
from people.countries import country_name
from people.models import CustomField, Person
from people.plan import CUSTOM, OVERRIDABLE

CUSTOM_GROUP = "Custom fields"
Choices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryField:
    """One field of a person.

    ``kind`` is one of text, email, date, number, boolean, choice, country, zone, person,
    employment_type. ``sourced``: sources are asked for it, so that their order matters.
    ``note`` says where a value comes from that no source is asked for.
    """

    key: str
    label: str
    group: str
    kind: str = "text"
    choices: Choices = ()
    sourced: bool = True
    note: str = ""

    @property
    def overridable(self) -> bool:
        """Whether an admin may set it by hand."""
        return self.key in OVERRIDABLE or self.is_custom

    @property
    def is_custom(self) -> bool:
        """Whether an admin or a source made it, beyond the built-in ones."""
        return self.key.startswith(CUSTOM)

    def words(self, value: Any) -> str:
        """One stored value for people: labels, country names, dates as 24 Nov 2026."""
        if value in (None, ""):
            return "–"
        if isinstance(value, bool):
            return "Yes" if value else "No"
        if self.kind == "country":
            return country_name(str(value))
        if self.kind == "date":
            return _date_words(value)
        return dict(self.choices).get(str(value), str(value))


def _date_words(value: Any) -> str:
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError:
        return str(value)
    return date_format(day, "j M Y")


def _choices(pairs: Any) -> Choices:
    return tuple((str(value), str(label)) for value, label in pairs)


def _fields(group: str, *fields: tuple[str, str, dict[str, Any]]) -> tuple[DirectoryField, ...]:
    return tuple(
        DirectoryField(key=key, label=label, group=group, **more) for key, label, more in fields
    )


_BY_DATES = "Follows from the contract and its dates."
BUILT_IN: tuple[DirectoryField, ...] = (
    *_fields(
        "Identity",
        ("full_name", "Full name", {}),
        ("preferred_name", "Preferred name", {}),
        ("work_email", "Work email", {"kind": "email"}),
        ("personal_email", "Personal email", {"kind": "email"}),
        ("remote_id", "Remote worker ID", {"sourced": False, "note": "Given by the HR system."}),
    ),
    *_fields("Role", ("job_title", "Job title", {}), ("seniority", "Seniority", {})),
    *_fields(
        "Org structure",
        ("manager", "Manager", {"kind": "person"}),
        ("team", "Team", {}),
        ("country", "Country", {"kind": "country"}),
        ("legal_entity", "Legal entity", {}),
    ),
    *_fields(
        "Employment",
        ("worker_type", "Worker type", {"kind": "choice", "choices": _choices(WorkerType.choices)}),
        (
            "employment_type",
            "Employment type",
            {
                "kind": "employment_type",
                "sourced": False,
                "note": "Follows from the worker type by the mapping.",
            },
        ),
        ("contract_type", "Contract type", {}),
        (
            "contract_status",
            "Contract status",
            {"kind": "choice", "choices": _choices(ContractStatus.choices)},
        ),
        (
            "status",
            "Status",
            {
                "kind": "choice",
                "choices": _choices(PersonStatus.choices),
                "sourced": False,
                "note": _BY_DATES,
            },
        ),
    ),
    *_fields(
        "Lifecycle dates",
        ("start_date", "Start date", {"kind": "date"}),
        ("end_date", "End date", {"kind": "date"}),
        ("contract_end_date", "End of the contract", {"kind": "date"}),
        ("probation_end_date", "End of probation", {"kind": "date"}),
        ("date_of_birth", "Date of birth", {"kind": "date"}),
    ),
    *_fields(
        "Place and language",
        ("timezone", "Time zone", {"kind": "zone"}),
        ("language", "Language", {}),
    ),
)


def custom_directory_field(row: CustomField) -> DirectoryField:
    """A defined custom field as a field of the directory."""
    return DirectoryField(
        key=CUSTOM + row.key,
        label=row.label,
        group=CUSTOM_GROUP,
        kind=row.type,
        choices=_choices((option, option) for option in row.options),
    )


def directory_fields() -> tuple[DirectoryField, ...]:
    """Every field that is in use: the built-in ones, then the enabled custom ones."""
    rows = CustomField.objects.filter(enabled=True)
    return (*BUILT_IN, *(custom_directory_field(row) for row in rows))


def custom_words(person: Person) -> dict[str, str]:
    """Key of every custom field in use → the person's value in words, blank where there is none."""
    fields = (custom_directory_field(row) for row in CustomField.objects.filter(enabled=True))
    words = {}
    for found in fields:
        value = person.custom.get(found.key.removeprefix(CUSTOM))
        words[found.key.removeprefix(CUSTOM)] = "" if value in (None, "") else found.words(value)
    return words


def directory_field(key: str) -> DirectoryField | None:
    """The field in use with this key."""
    known = next((field for field in BUILT_IN if field.key == key), None)
    if known is not None or not key.startswith(CUSTOM):
        return known
    row = CustomField.objects.filter(key=key.removeprefix(CUSTOM), enabled=True).first()
    return custom_directory_field(row) if row is not None else None


def field_labels() -> Mapping[str, str]:
    """Key of every field in use → its name."""
    return {field.key: field.label for field in directory_fields()}
