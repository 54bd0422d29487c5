"""The typed registry of what a condition can ask about.

A field is a stable name (`person.country`). `person.custom.NAME` and `request.form.NAME` are
made on demand: text, unless the caller passes the type (or the whole field, with its name and
choices) that an admin gave them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from types import MappingProxyType

import pycountry

from people.choices import ContractStatus, PersonStatus, WorkerType
from workflows.operators import FieldType
from workflows.problems import did_you_mean

CUSTOM_PREFIX = "person.custom."
_DYNAMIC = re.compile(r"(person\.custom|request\.form)\.([A-Za-z0-9][A-Za-z0-9_-]{0,63})")


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field. `orm` is its path from Person ("" where a query cannot reach it).

    `choices` pairs key and label; empty means that any value may stand. Null, and a text of
    nothing but space, are a missing value; an empty list is a known, empty list.
    """

    key: str
    label: str
    type: FieldType
    orm: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    named: Callable[[str], str] | None = field(default=None, compare=False)
    """The name of a key, where somebody asked for words; comparing never needs it."""

    def value_label(self, value: object) -> str:
        """The words for one stored value: its choice label where it has one, else its name."""
        text = str(value)
        if self.named is not None:
            return self.named(text)
        return _labels(self.choices).get(text.strip().casefold(), text)


FieldTypes = Mapping[str, FieldType | FieldSpec]
"""Dynamic fields by full key, as a type alone or whole: {"person.custom.level": "number"}.

A whole field may also stand for a built-in one, with the names of its values.
"""

NO_TYPES: FieldTypes = MappingProxyType({})


@lru_cache(maxsize=1024)
def _labels(choices: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {key.casefold(): label for key, label in choices}


def _country_choices() -> tuple[tuple[str, str], ...]:
    return tuple(
        (country.alpha_3, getattr(country, "common_name", country.name))
        for country in pycountry.countries
    )


def _choices(pairs: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    return tuple((str(value), str(label)) for value, label in pairs)


_PERSON = (
    FieldSpec("person.full_name", "Full name", "text", "full_name"),
    FieldSpec("person.preferred_name", "Preferred name", "text", "preferred_name"),
    FieldSpec("person.work_email", "Work email", "text", "work_email"),
    FieldSpec("person.remote_id", "Remote ID", "text", "remote_id"),
    FieldSpec("person.job_title", "Job title", "text", "job_title"),
    FieldSpec("person.seniority", "Seniority", "text", "seniority"),
    FieldSpec("person.manager", "Manager", "reference", "manager__work_email"),
    FieldSpec("person.team", "Team", "reference", "team__name"),
    FieldSpec("person.country", "Country", "choice", "country", _country_choices()),
    FieldSpec("person.legal_entity", "Legal entity", "reference", "legal_entity__name"),
    FieldSpec(
        "person.worker_type", "Worker type", "choice", "worker_type", _choices(WorkerType.choices)
    ),
    FieldSpec("person.employment_type", "Employment type", "reference", "employment_type"),
    FieldSpec(
        "person.contract_status",
        "Contract status",
        "choice",
        "contract_status",
        _choices(ContractStatus.choices),
    ),
    FieldSpec("person.status", "Status", "choice", "status", _choices(PersonStatus.choices)),
    FieldSpec("person.start_date", "Start date", "date", "start_date"),
    FieldSpec("person.end_date", "End date", "date", "end_date"),
    FieldSpec("person.date_of_birth", "Date of birth", "date", "date_of_birth"),
    FieldSpec("person.probation_end_date", "Probation end date", "date", "probation_end_date"),
    FieldSpec("person.timezone", "Time zone", "text", "timezone"),
    FieldSpec("person.apps", "Applications", "list"),
)
_OTHER = (
    FieldSpec("request.service", "Requested service", "reference"),
    FieldSpec("request.priority", "Request priority", "reference"),
    FieldSpec("change.field", "Changed field", "reference"),
    FieldSpec("change.before", "Value before the change", "text"),
    FieldSpec("change.after", "Value after the change", "text"),
)
FIELDS: Mapping[str, FieldSpec] = MappingProxyType({spec.key: spec for spec in (*_PERSON, *_OTHER)})


def field_spec(key: str, types: FieldTypes = NO_TYPES) -> FieldSpec | None:
    """The field of that name, or None if there is no such field."""
    given = types.get(key)
    if isinstance(given, FieldSpec):
        return given
    known = FIELDS.get(key)
    return known if known is not None else _dynamic_spec(key, given or "text")


def is_dynamic(key: str) -> bool:
    """Whether somebody may have made a field of this name: `person.custom.*`, `request.form.*`."""
    return _DYNAMIC.fullmatch(key) is not None


@lru_cache(maxsize=1024)
def _dynamic_spec(key: str, field_type: FieldType) -> FieldSpec | None:
    found = _DYNAMIC.fullmatch(key)
    if found is None:
        return None
    return FieldSpec(key, found[2].replace("_", " ").capitalize(), field_type)


def custom_name(key: str) -> str:
    """NAME of `person.custom.NAME`, or "" for any other field."""
    return key.removeprefix(CUSTOM_PREFIX) if key.startswith(CUSTOM_PREFIX) else ""


def choice_problem(spec: FieldSpec, value: str) -> str:
    """Why this field can never hold `value`, with what was probably meant; "" if it can."""
    folded = value.strip().casefold()
    labels = _labels(spec.choices)
    if not spec.choices or folded in labels:
        return ""
    if spec.key == "person.country":
        return f"{value} is no country code of three letters.{_country_hint(value)}"
    if spec.key == "person.worker_type" and folded in {"employee", "employees"}:
        return (
            "No worker type is called Employee. Use the field Employment type "
            "(person.employment_type is employee), or worker type in "
            "[eor_employee, direct_employee]."
        )
    known = ", ".join(key for key, _ in spec.choices)
    by_label = {label.casefold(): key for key, label in spec.choices}
    if folded in by_label:
        hint = f' Did you mean "{by_label[folded]}"?'
    else:
        hint = did_you_mean(value, [key for key, _ in spec.choices])
    return f"{spec.label} is never {value}; it is one of {known}.{hint}"


def _country_hint(value: str) -> str:
    """` Did you mean FRA (France)?` for FR, France, or a misspelt name."""
    folded = value.strip().casefold()
    names: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("alpha_2", "name", "common_name", "official_name"):
            name = getattr(country, attribute, None)
            if name:
                names[name.casefold()] = country.alpha_3
    if folded == "uk":
        code = "GBR"
    elif folded in names:
        code = names[folded]
    else:
        close = get_close_matches(folded[:60], [name for name in names if len(name) > 2], n=1)
        code = names[close[0]] if close else ""
    return f" Did you mean {code} ({FIELDS['person.country'].value_label(code)})?" if code else ""
