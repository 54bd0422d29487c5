"""Filters of the list of people whose value is entered: a day or two, somebody's name."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib.admin.filters import ListFilter
from django.db.models import Q

from people.folding import email_key
from people.identity import fields_hidden_from
from people.models import Person
from people.searching import search
from people.selectors import tree_below

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from django.http import HttpRequest

_MOST_MANAGERS = 20
"""A name typed into the manager filter may fit so many of them."""
_SUGGESTED = 300


class _FormFilter(ListFilter):
    """A small form in a menu instead of a list of links."""

    field = ""
    names: tuple[str, ...] = ()

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        self.unseen = fields_hidden_from(request.user)
        self.hidden = self.field in self.unseen
        for name in self.names:
            if name in params:
                self.used_parameters[name] = str(params.pop(name)[-1]).strip()

    def expected_parameters(self) -> list[str | None]:
        """Names in the address."""
        return list(self.names)

    def has_output(self) -> bool:
        """Not for a field that is hidden from the account."""
        return not self.hidden

    def given(self, name: str) -> str:
        """What was entered; ``""`` for nothing."""
        return str(self.used_parameters.get(name, ""))

    def words(self) -> str:
        """The choice in words for the closed menu."""
        raise NotImplementedError

    def choices(self, changelist: Any) -> Iterator[Any]:
        """What the template needs: the rest of the query and our values."""
        rest = [
            (key, value)
            for key, value in changelist.params.items()
            if key not in self.names and key != "p"
        ]
        yield {
            "rest": rest,
            "words": self.words(),
            "clear": changelist.get_query_string(remove=[*self.names, "p"]),
            **{name: self.given(name) for name in self.names},
        }


class _RangeFilter(_FormFilter):
    """From one day to another, both included."""

    template = "admin/people/person/filter_range.html"

    def _day(self, name: str) -> date | None:
        try:
            return date.fromisoformat(self.given(name))
        except ValueError:
            return None

    @property
    def bad(self) -> bool:
        """Whether something was entered that is no date."""
        return any(self.given(name) and self._day(name) is None for name in self.names)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Nobody for a date that is none: a filter that silently did nothing would mislead."""
        if self.bad:
            return queryset.none()
        for name, operator in zip(self.names, ("gte", "lte"), strict=True):
            if (day := self._day(name)) is not None:
                queryset = queryset.filter(**{f"{self.field}__{operator}": day})
        return queryset

    def words(self) -> str:
        """``from 1 Jan 2026``, ``1 Jan 2026 – 31 Mar 2026`` …"""
        if self.bad:
            return "not a date"
        first, last = (self._day(name) for name in self.names)
        shown = [f"{day:%-d %b %Y}" for day in (first, last) if day is not None]
        if first and last:
            return " – ".join(shown)
        return f"{'from' if first else 'until'} {shown[0]}" if shown else ""

    def choices(self, changelist: Any) -> Iterator[Any]:
        """The two fields with their labels."""
        for choice in super().choices(changelist):
            labels = zip(self.names, ("From", "Until"), strict=True)
            fields = [(name, label, self.given(name)) for name, label in labels]
            yield {**choice, "fields": fields, "bad": self.bad}


class StartFilter(_RangeFilter):
    """First day."""

    title = "start date"
    field = "start_date"
    names = ("start_from", "start_to")


class EndFilter(_RangeFilter):
    """Last day."""

    title = "end date"
    field = "end_date"
    names = ("end_from", "end_to")


class ManagerFilter(_FormFilter):
    """Who reports to somebody, directly or with everybody below."""

    title = "manager"
    template = "admin/people/person/filter_manager.html"
    field = "manager"
    names = ("manager", "below")

    def _managers(self) -> list[Person]:
        """By work e-mail, else by words among those who manage somebody."""
        text = self.given("manager")
        exact = Person.objects.filter(work_email=email_key(text)).first()
        if exact is not None:
            return [exact]
        managing = Person.objects.filter(
            pk__in=Person.objects.exclude(manager=None).order_by().values("manager_id")
        )
        return list(search(managing, text, hidden=self.unseen)[:_MOST_MANAGERS])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Direct reports; with ``below`` the whole tree."""
        text = self.given("manager")
        if not text:
            return queryset
        if text == "none":
            return queryset.filter(manager=None)
        keys = [person.pk for person in self._managers()]
        below = Q(pk__in=tree_below(keys)) if self.given("below") else Q(manager_id__in=keys)
        return queryset.filter(below)

    def words(self) -> str:
        """Whose, and how deep."""
        text = self.given("manager")
        if text == "none":
            return "nobody"
        found = self._managers() if text else []
        name = str(found[0]) if len(found) == 1 else text
        return f"{name}, all below" if text and self.given("below") else name

    def choices(self, changelist: Any) -> Iterator[Any]:
        """With suggestions to choose from."""
        # A range of the index: those without a manager are not passed one by one.
        keys = Person.objects.filter(manager__gt=0).order_by().values_list("manager_id", flat=True)
        found = list(keys.distinct()[: _SUGGESTED + 1])
        # Among more of them a list is no help: a name is typed, or an address.
        shown = found if len(found) <= _SUGGESTED else []
        managing = Person.objects.filter(pk__in=shown).only("full_name", "work_email")
        for choice in super().choices(changelist):
            yield {**choice, "suggestions": managing}
