"""The columns of the list of people: a person cell, chips, names instead of codes."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.template.loader import render_to_string
from django.utils.html import format_html

from people.choices import CHIP_COLOURS
from people.countries import country_name

if TYPE_CHECKING:
    from django.http import HttpRequest

    from people.models import Person

COLUMNS: tuple[tuple[str, str], ...] = (
    ("person_cell", "full_name"),
    ("worker_type_chip", "worker_type"),
    ("status_chip", "status"),
    ("country_words", "country"),
    ("legal_entity", "legal_entity"),
    ("manager", "manager"),
    ("start_date", "start_date"),
    ("end_date", "end_date"),
)
"""Column and the field it shows, which decides who may see it."""


def _chip(value: str, label: str) -> str:
    if not value:
        return ""
    return format_html(
        '<span class="chip chip-{}">{}</span>', CHIP_COLOURS.get(value, "neutral"), label
    )


class PersonColumns:
    """Mixed into the list's ModelAdmin."""

    def columns_for(self, request: HttpRequest, *, hidden: Collection[str]) -> list[str]:
        """Columns without hidden fields. A window to choose from keeps the plain name: its link."""
        shown = [column for column, field in COLUMNS if field not in hidden]
        if IS_POPUP_VAR in request.GET:
            return ["full_name" if column == "person_cell" else column for column in shown]
        return shown

    @admin.display(description="Name", ordering="full_name")
    def person_cell(self, person: Person) -> str:
        """Avatar, name, job title and team; opens the person's page."""
        return render_to_string("components/person_cell.html", {"person": person, "link": True})

    @admin.display(description="Type", ordering="worker_type")
    def worker_type_chip(self, person: Person) -> str:
        """Worker type in its colour."""
        return _chip(person.worker_type, person.get_worker_type_display())

    @admin.display(description="Status", ordering="status")
    def status_chip(self, person: Person) -> str:
        """Status in its colour."""
        return _chip(person.status, person.get_status_display())

    @admin.display(description="Country", ordering="country")
    def country_words(self, person: Person) -> Any:
        """The country's name."""
        return country_name(person.country) if person.country else None
