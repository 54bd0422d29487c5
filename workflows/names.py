"""What keys are called: documents hold keys, people read names.

Every sentence about a workflow is made from its params; here the keys among them become names
first, by the ``picks`` of each param, so that no node has to look anything up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from people.models import EmploymentType, Person
from workflows.fields import FIELDS, FieldSpec
from workflows.nodes import APPROVERS
from workflows.params import Param, ParamsForm

_FIELD_KINDS = {
    "person.manager": "person",
    "person.work_email": "person",
    "person.employment_type": "employment_type",
    "person.apps": "application",
    "request.service": "service",
}
_WITH_PEOPLE = ("person", "recipient", "assignee")


def role_words(key: str) -> str:
    """A role as people write it: HR and IT are no words in small letters."""
    return key.upper() if key in ("hr", "it") else key


@dataclass(slots=True)
class Names:
    """Key → name by kind; people are looked up one by one, as there may be very many."""

    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    looks_up: bool = False
    """Whether people are asked of the database; without, they stay work emails."""
    _people: dict[str, str] = field(default_factory=dict)

    def of(self, kind: str, key: str) -> str:
        """The name of a thing; its key where it has none or does not exist."""
        if kind in _WITH_PEOPLE:
            return self._person(key) if self.looks_up and "@" in key else key
        return self.known.get(kind, {}).get(key, key)

    def params(self, form: type[ParamsForm], params: Mapping[str, Any]) -> dict[str, Any]:
        """The same params with names where keys stood, for a sentence."""
        fields = form.names()
        return {
            key: self._value(form.base_fields.get(fields.get(key, "")), value)
            for key, value in params.items()
        }

    def field_types(self) -> dict[str, FieldSpec]:
        """The built-in fields whose values are keys, so that conditions say their names."""
        return {
            key: replace(FIELDS[key], named=self._namer(kind)) for key, kind in _FIELD_KINDS.items()
        }

    def _namer(self, kind: str) -> Callable[[str], str]:
        return lambda key: self.of(kind, key)

    def _value(self, param: Any, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._spec(value)
        if isinstance(value, list | tuple):
            return [self._value(param, item) for item in value]
        picks = param.picks if isinstance(param, Param) else ""
        return self.of(picks, value) if picks and isinstance(value, str) else value

    def _spec(self, value: Mapping[str, Any]) -> dict[str, Any]:
        """An approver, or what holds approvers; anything else stays."""
        approver = APPROVERS.get(str(value.get("type", "")))
        if approver is not None:
            own = {key: item for key, item in value.items() if key != "type"}
            return {"type": value["type"], **self.params(approver.Params, own)}
        return {
            key: self._spec(item) if isinstance(item, Mapping) else item
            for key, item in value.items()
        }

    def _person(self, email: str) -> str:
        key = email.strip().lower()
        if key not in self._people:
            row = Person.objects.filter(work_email=key).values_list("full_name", flat=True).first()
            self._people[key] = row or email
        return self._people[key]


def names_of(rows: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Key → name, the key itself where the name is empty."""
    return {key: name or key for key, name in rows}


def employment_type_names() -> dict[str, str]:
    """Key of an employment type → its name."""
    return names_of(EmploymentType.objects.values_list("key", "name"))
