"""The list of people and one person's page, in the site admin."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin import ShowFacets
from django.contrib.admin.options import IS_POPUP_VAR
from django.contrib.admin.views.main import ORDER_VAR, PAGE_VAR, ChangeList
from django.db.models import OuterRef, Subquery
from django.urls import path
from django.views.decorators.http import require_POST

from people.admin_bases import PlainAdmin
from people.extensions import list_actions
from people.identity import fields_hidden_from
from people.list_actions import PersonActions, csv_response
from people.list_columns import COLUMNS, PersonColumns
from people.list_filters import FILTERS, FIRST
from people.list_query import TAB, VIEW, query_clean
from people.models import EmploymentType, Person, SavedView
from people.plan import CUSTOM
from people.saved_views import columns_chosen, may_change, views_open_to
from people.searching import search
from people.services import person_protect_set
from people.tabs import ALL, CURRENT, Tab, counts, tab_for
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponseBase


_SEVERAL_FIELDS = frozenset({"custom", "search_text", "value_sources", "problem_notes"})
"""Columns in which several fields stand: nobody asks them who may not see every field."""


_NO_FILTERS = frozenset({TAB, VIEW, ORDER_VAR, PAGE_VAR})


class PeopleList(ChangeList):
    """One page of the list: the tab and the saved view stand beside Django's own filters."""

    def get_filters_params(self, params: Any = None) -> dict[str, Any]:
        """Tab and view are no look-ups."""
        found = super().get_filters_params(params)
        return {name: value for name, value in found.items() if name not in (TAB, VIEW)}

    def get_filters(self, request: HttpRequest) -> Any:
        """A shared view may narrow by what this account may not see: that part is passed over."""
        for name in fields_hidden_from(request.user):
            self.filter_params.pop(name, None)
        return super().get_filters(request)

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> Any:
        """Those under the tab."""
        people = super().get_queryset(request, exclude_parameters)
        return self.tab.narrow(people)

    @cached_property
    def counts_by_status(self) -> tuple[dict[str, int], int]:
        """What the tabs are counted by."""
        return counts(Person.objects.all())

    def get_results(self, request: HttpRequest) -> None:
        """Each row knows what the account may not see of it: columns get no request.

        A tab without filters is as long as its own number says: it is not counted again.
        """
        if not self.query and set(self.params) <= _NO_FILTERS:
            length = self.tab.count(*self.counts_by_status)
            request.length_of_tab = length  # type: ignore[attr-defined] # for get_paginator
        super().get_results(request)
        hidden = fields_hidden_from(request.user)
        for person in self.result_list:
            person.hidden_fields = hidden

    @property
    def tab(self) -> Tab:
        """The chosen tab. Who searches or picks looks at everybody, else at current staff."""
        looking = bool(self.params.get("q")) or self.is_popup
        return tab_for(self.params.get(TAB, ""), default=ALL if looking else CURRENT)

    @property
    def first_filters(self) -> list[Any]:
        """Those most often used."""
        return [spec for spec in self.filter_specs if type(spec) in FIRST]

    @property
    def more_filters(self) -> list[Any]:
        """The others, behind a button."""
        return [spec for spec in self.filter_specs if type(spec) not in FIRST]

    @property
    def more_used(self) -> int:
        """How many of :attr:`more_filters` narrow the list down."""
        used = [set(map(str, spec.expected_parameters())) for spec in self.more_filters]
        return sum(any(self.params.get(name) for name in names) for names in used)

    @property
    def kept_query(self) -> str:
        """The query as a view would keep it."""
        return query_clean(urlencode({**self.params, TAB: self.tab.key}))


class PersonAdmin(PersonColumns, PersonActions, PlainAdmin):
    """Everybody. Values come from sources; set one by hand as a field override."""

    list_filter = list(FILTERS)
    list_per_page = 25
    list_select_related = ["team", "manager", "legal_entity"]
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    search_fields = ["search_text"]
    search_help_text = "Name, work email, job title or Remote ID"
    ordering = ["full_name", "pk"]
    actions = ["protect", "unprotect", "set_timezone", "export_selected"]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Ours."""
        return PeopleList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the name of the employment type; a count leaves it out again."""
        name = EmploymentType.objects.filter(key=OuterRef("employment_type")).values("name")[:1]
        people: QuerySet[Any] = super().get_queryset(request)
        named: QuerySet[Any] = people.annotate(employment_type_name=Subquery(name))
        return named

    def get_paginator(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """One that knows how long the list is, where the tabs have told it."""
        paginator = super().get_paginator(request, *args, **kwargs)
        length = getattr(request, "length_of_tab", None)
        if length is not None:
            paginator.count = length
        return paginator

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        """Accents and case aside; also serves autocomplete fields."""
        return search(queryset, search_term, hidden=fields_hidden_from(request.user)), False

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        """Who may not see a field may not find people by it either."""
        name = lookup.partition("__")[0]
        hidden = fields_hidden_from(request.user) if request is not None else frozenset()
        if name in hidden or (hidden and name in _SEVERAL_FIELDS):
            return False
        return super().lookup_allowed(lookup, value, request)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Ours, and what rooms above offer."""
        found: dict[str, Any] = super().get_actions(request)
        if IS_POPUP_VAR not in request.GET:
            for action in list_actions(request.user):
                found[action.name] = (action.run, action.name, action.label)
        return found

    def get_action_choices(self, request: HttpRequest, default_choices: Any = None) -> Any:
        """In words instead of a row of dashes."""
        return super().get_action_choices(request, [("", "With those selected …")])

    def get_urls(self) -> list[Any]:
        """The file of the filtered list beside the list itself."""
        export = self.admin_site.admin_view(require_POST(self.export_view))
        return [path("export/", export, name="people_person_export"), *super().get_urls()]

    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """A CSV of whom the list's address names; its filters are the address's own."""
        people = self.get_changelist_instance(request).get_queryset(request)
        return csv_response(request, people, filters=request.GET.urlencode())

    def changelist_view(self, request: Any, extra_context: Any = None) -> Any:
        """With the saved views and the columns to choose from."""
        hidden = fields_hidden_from(request.user)
        view = self._view(request)
        shown = set(self.get_list_display(request))
        context = {
            "current_view": view,
            "may_change_view": view is not None and may_change(view, request.user),
            "saved_views": list(views_open_to(request.user)),
            "column_choices": [
                (column, column.key in shown)
                for column in COLUMNS
                if column.field not in hidden and not column.fixed
            ],
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def _view(self, request: HttpRequest) -> SavedView | None:
        """The saved view that the address names, if it is open to the account."""
        key = request.GET.get(VIEW, "")
        if not key.isdecimal() or IS_POPUP_VAR in request.GET:
            return None
        return views_open_to(request.user).filter(pk=key).first()

    def get_list_display(self, request: HttpRequest) -> Any:
        """The view's columns, else the account's own; only what it may see. Read once a request."""
        kept: list[str] | None = getattr(request, "list_columns", None)
        if kept is None:
            view = self._view(request)
            chosen = (view.columns if view else []) or columns_chosen(request.user)
            hidden = fields_hidden_from(request.user)
            kept = self.columns_for(request, chosen=chosen, hidden=hidden)
            request.list_columns = kept  # type: ignore[attr-defined] # asked three times a page
        return list(kept)

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """The person cell has its own link; in a window to choose from, the name is the link."""
        return ["full_name"] if "full_name" in list_display else None

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Everything but what the account may not see and what only machines read."""
        hidden = {*fields_hidden_from(request.user), "id", "search_text", "has_problems"}
        if any(name.startswith(CUSTOM) for name in hidden):
            hidden.add("custom")
        return [field.name for field in Person._meta.fields if field.name not in hidden]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All but the protection."""
        return [name for name in self.get_fields(request, obj) if name != "protected"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """People come from sources."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """People end; they are not deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: Person, form: Any, change: bool) -> None:
        """Only the protection can have changed."""
        if "protected" in form.changed_data:
            person_protect_set(obj, protected=obj.protected, now=clock.now(), actor=request.user)


admin.site.register(Person, PersonAdmin)
