"""What the list of people can be narrowed down by. Each has a stable name in the address."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from people.choices import Problem, WorkerType
from people.countries import country_name
from people.identity import fields_hidden_from
from people.list_entered_filters import EndFilter, ManagerFilter, StartFilter
from people.models import EmploymentType, LegalEntity, Person, Team
from people.tabs import WITH_PROBLEMS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet
    from django.http import HttpRequest


class _ChosenFilter(admin.SimpleListFilter):
    """A menu of words over one column; gone for who may not see the field."""

    field = ""
    column = ""

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.hidden = self.field in fields_hidden_from(request.user)
        super().__init__(request, *args)

    def options(self) -> Iterable[tuple[Any, str]]:
        """Value and words."""
        raise NotImplementedError

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Values as text; one that is chosen stays although nobody has it."""
        if self.hidden:
            return []
        found = [(str(value), words) for value, words in self.options()]
        chosen = str(self.used_parameters.get(str(self.parameter_name)) or "")
        if chosen and chosen not in dict(found):
            found.append((chosen, f"Unknown ({chosen})"))
        return found

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Those with the chosen value; nobody for a value that cannot be."""
        value = self.value()
        if value is None:
            return queryset
        if self.column.endswith("_id") and not value.isdecimal():
            return queryset.none()
        return queryset.filter(**{self.column: value})


class WorkerTypeFilter(_ChosenFilter):
    """What the HR system says the worker is."""

    title = "worker type"
    parameter_name = "type"
    field = column = "worker_type"

    def options(self) -> Iterable[tuple[str, str]]:
        """The closed vocabulary."""
        return [(str(value), str(label)) for value, label in WorkerType.choices]


class EmploymentTypeFilter(_ChosenFilter):
    """What worker types are mapped to."""

    title = "employment type"
    parameter_name = "employment"
    field = column = "employment_type"

    def options(self) -> Iterable[tuple[str, str]]:
        """As an admin named them."""
        return EmploymentType.objects.values_list("key", "name")


class CountryFilter(_ChosenFilter):
    """Countries that somebody is in, by name."""

    title = "country"
    parameter_name = "country"
    field = column = "country"

    def options(self) -> Iterable[tuple[str, str]]:
        """Sorted as they are read."""
        codes = Person.objects.exclude(country="").order_by().values_list("country", flat=True)
        return sorted(((code, country_name(code)) for code in codes.distinct()), key=lambda x: x[1])


class EntityFilter(_ChosenFilter):
    """Legal entities."""

    title = "entity"
    parameter_name = "entity"
    field, column = "legal_entity", "legal_entity_id"

    def options(self) -> Iterable[tuple[int, str]]:
        """All."""
        return LegalEntity.objects.values_list("pk", "name")


class TeamFilter(_ChosenFilter):
    """Teams."""

    title = "team"
    parameter_name = "team"
    field, column = "team", "team_id"

    def options(self) -> Iterable[tuple[int, str]]:
        """All."""
        return Team.objects.values_list("pk", "name")


class ProblemFilter(admin.SimpleListFilter):
    """People whose data needs mending."""

    title = "data problem"
    parameter_name = "problem"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Any, then each kind."""
        return [("any", "Any"), *((str(value), str(label)) for value, label in Problem.choices)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """JSON text search works alike on SQLite and PostgreSQL; the values are our own words."""
        if self.value() == "any":
            return queryset.filter(WITH_PROBLEMS)
        if self.value() in Problem.values:
            return queryset.filter(has_problems=True, problems__icontains=f'"{self.value()}"')
        return queryset


class ProtectedFilter(admin.SimpleListFilter):
    """From whom no automation may take anything."""

    title = "protection"
    parameter_name = "protected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Two."""
        return [("yes", "Protected"), ("no", "Not protected")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """As chosen."""
        if self.value() in ("yes", "no"):
            return queryset.filter(protected=self.value() == "yes")
        return queryset


FILTERS = (
    WorkerTypeFilter,
    EmploymentTypeFilter,
    CountryFilter,
    EntityFilter,
    TeamFilter,
    ManagerFilter,
    StartFilter,
    EndFilter,
    ProblemFilter,
    ProtectedFilter,
)
FIRST = frozenset({WorkerTypeFilter, CountryFilter, EntityFilter, TeamFilter})
"""Shown at once; the others open with a button."""
