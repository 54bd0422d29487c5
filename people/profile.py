"""What a person's page shows, field by field, with where each value comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from people.models import EmploymentType, Person

if TYPE_CHECKING:
    from collections.abc import Collection

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Identity",
        (
            ("full_name", "Full name"),
            ("preferred_name", "Preferred name"),
            ("work_email", "Work email"),
            ("remote_id", "Remote worker ID"),
            ("date_of_birth", "Date of birth"),
        ),
    ),
    (
        "Role",
        (
            ("job_title", "Job title"),
            ("seniority", "Seniority"),
            ("team", "Team"),
            ("manager", "Manager"),
            ("country", "Country"),
            ("legal_entity", "Legal entity"),
            ("timezone", "Time zone"),
            ("language", "Language"),
        ),
    ),
    (
        "Employment",
        (
            ("worker_type", "Worker type"),
            ("employment_type", "Employment type"),
            ("contract_type", "Contract type"),
            ("contract_status", "Contract status"),
            ("start_date", "Start date"),
            ("end_date", "End date"),
            ("contract_end_date", "End of the contract"),
            ("probation_end_date", "End of probation"),
        ),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line: the value as stored, its words, and the key of the source it comes from."""

    field: str
    label: str
    value: Any
    words: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGroup:
    """Lines that belong together."""

    title: str
    facts: tuple[Fact, ...]


def _words(person: Person, field: str) -> str:
    """Words of closed vocabularies and references; blank where the value speaks for itself."""
    if field == "employment_type":
        kind = EmploymentType.objects.filter(key=person.employment_type).first()
        return kind.name if kind else person.employment_type
    if field == "contract_status" and person.contract_status_raw:
        return f"{person.get_contract_status_display()} ({person.contract_status_raw})"
    display = getattr(person, f"get_{field}_display", None)
    if display is not None:
        return str(display())
    value = getattr(person, field)
    return str(value) if value is not None and field in {"team", "manager", "legal_entity"} else ""


def profile_groups(person: Person, *, hidden: Collection[str]) -> tuple[FactGroup, ...]:
    """The person's values in groups, without the ``hidden`` fields."""
    return tuple(
        FactGroup(
            title=title,
            facts=tuple(
                Fact(
                    field=field,
                    label=label,
                    value=getattr(person, field),
                    words=_words(person, field),
                    source=person.value_sources.get(field, ""),
                )
                for field, label in fields
                if field not in hidden
            ),
        )
        for title, fields in GROUPS
    )
