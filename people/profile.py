"""What a person's page shows, field by field, with where each value comes from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from people.fields_registry import BUILT_IN, DirectoryField, directory_fields
from people.models import EmploymentType, FieldOverride, Person
from people.plan import CUSTOM
from people.sources import source_names, source_words

if TYPE_CHECKING:
    from people.history import PersonThen

GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = tuple(
    (title, tuple((field.key, field.label) for field in BUILT_IN if field.group == title))
    for title in dict.fromkeys(field.group for field in BUILT_IN)
)
"""Title of each group of the built-in fields, and the key and label of each field in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line: the value as stored, in words, the source it comes from, and who set it by hand."""

    field: str
    label: str
    value: Any
    words: str
    source: str = ""
    override: FieldOverride | None = None
    person_id: int | None = None
    """Whose page the value leads to, where it is a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactGroup:
    """Lines that belong together."""

    title: str
    facts: tuple[Fact, ...]


def _grouped(
    hidden: Collection[str], make: Callable[[DirectoryField], Fact]
) -> tuple[FactGroup, ...]:
    groups: dict[str, list[Fact]] = {}
    for field in directory_fields():
        if field.key not in hidden:
            groups.setdefault(field.group, []).append(make(field))
    return tuple(FactGroup(title=title, facts=tuple(facts)) for title, facts in groups.items())


def profile_groups(person: Person, *, hidden: Collection[str]) -> tuple[FactGroup, ...]:
    """The person's present values in groups, without the ``hidden`` fields."""
    names = source_names()
    overrides = {row.field: row for row in person.overrides.select_related("set_by")}

    def fact(field: DirectoryField) -> Fact:
        value = _value(person, field.key)
        source = person.value_sources.get(field.key, "")
        return Fact(
            field=field.key,
            label=field.label,
            value=value,
            words=_words(field, value, raw=person.contract_status_raw),
            source=source_words(source, names) if source else "",
            override=overrides.get(field.key),
            person_id=person.manager_id if field.kind == "person" else None,
        )

    return _grouped(hidden, fact)


def groups_then(then: PersonThen, *, hidden: Collection[str]) -> tuple[FactGroup, ...]:
    """The same lines as they were; where each value came from is not kept."""
    manager = then.values["manager"]
    boss = Person.objects.filter(pk=manager).first() if isinstance(manager, int) else None

    def fact(field: DirectoryField) -> Fact:
        value = _value_then(then.values, field.key)
        shown = boss or value if field.kind == "person" else value
        return Fact(
            field=field.key,
            label=field.label,
            value=value,
            words=_words(field, shown, raw=then.values["contract_status_raw"]),
            person_id=boss.pk if boss is not None and field.kind == "person" else None,
        )

    return _grouped(hidden, fact)


def _value(person: Person, key: str) -> Any:
    if key.startswith(CUSTOM):
        return person.custom.get(key.removeprefix(CUSTOM))
    return getattr(person, key)


def _value_then(values: Mapping[str, Any], key: str) -> Any:
    if key.startswith(CUSTOM):
        return values["custom"].get(key.removeprefix(CUSTOM))
    return values.get(key)


def _words(field: DirectoryField, value: Any, *, raw: str = "") -> str:
    """Labels, names and dates; a dash for nothing."""
    if field.kind == "employment_type" and value:
        named = EmploymentType.objects.filter(key=value).first()
        return named.name if named else str(value)
    words = field.words(value)
    if field.key == "contract_status" and raw and raw.lower() != words.lower():
        return f"{words} ({raw})"
    return words
