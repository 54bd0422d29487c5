"""The columns of the list of people: a person cell, chips, names instead of codes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import IS_POPUP_VAR
from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join

from people.choices import CHIP_COLOURS, Problem
from people.countries import country_name

if TYPE_CHECKING:
    from django.http import HttpRequest

    from people.models import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """``key`` is what the list shows and accounts store; ``field`` decides who may see it."""

    key: str
    field: str
    label: str
    standard: bool = False
    fixed: bool = False


COLUMNS = (
    Column(key="person_cell", field="full_name", label="Name", standard=True, fixed=True),
    Column(key="worker_type_chip", field="worker_type", label="Worker type", standard=True),
    Column(key="status_chip", field="status", label="Status", standard=True),
    Column(key="country_words", field="country", label="Country", standard=True),
    Column(key="legal_entity", field="legal_entity", label="Legal entity", standard=True),
    Column(key="manager", field="manager", label="Manager", standard=True),
    Column(key="start_date", field="start_date", label="Start date", standard=True),
    Column(key="end_date", field="end_date", label="End date", standard=True),
    Column(key="team", field="team", label="Team"),
    Column(key="job_title", field="job_title", label="Job title"),
    Column(key="seniority", field="seniority", label="Seniority"),
    Column(key="work_email", field="work_email", label="Work email"),
    Column(key="personal_email", field="personal_email", label="Personal email"),
    Column(key="employment_words", field="employment_type", label="Employment type"),
    Column(key="contract_type", field="contract_type", label="Contract type"),
    Column(key="timezone", field="timezone", label="Time zone"),
    Column(key="language", field="language", label="Language"),
    Column(key="remote_id", field="remote_id", label="Remote worker ID"),
    Column(key="probation_end_date", field="probation_end_date", label="End of probation"),
    Column(key="contract_end_date", field="contract_end_date", label="End of the contract"),
    Column(key="date_of_birth", field="date_of_birth", label="Date of birth"),
    Column(key="problem_chips", field="problems", label="Data problems"),
    Column(key="protected", field="protected", label="Protected"),
)


def columns_clean(keys: Iterable[str]) -> list[str]:
    """Known columns, each once, in the list's order; the fixed ones always; none chosen is none."""
    wanted = set(keys)
    if not wanted & {column.key for column in COLUMNS if not column.fixed}:
        return []
    return [column.key for column in COLUMNS if column.fixed or column.key in wanted]


def columns_open(chosen: Collection[str], *, hidden: Collection[str]) -> list[str]:
    """Keys to show: the chosen ones, else the standard ones, without hidden fields."""
    return [
        column.key
        for column in COLUMNS
        if column.field not in hidden
        and (column.fixed or (column.key in chosen if chosen else column.standard))
    ]


def _chip(value: str, label: str) -> str:
    if not value:
        return ""
    return format_html(
        '<span class="chip chip-{}">{}</span>', CHIP_COLOURS.get(value, "neutral"), label
    )


class PersonColumns:
    """Mixed into the list's ModelAdmin."""

    def columns_for(
        self, request: HttpRequest, *, chosen: Collection[str], hidden: Collection[str]
    ) -> list[str]:
        """Columns without hidden fields. A window to choose from keeps the plain name: its link."""
        shown = columns_open(chosen, hidden=hidden)
        if IS_POPUP_VAR in request.GET:
            return ["full_name" if column == "person_cell" else column for column in shown]
        return shown

    @admin.display(description="Name", ordering="full_name")
    def person_cell(self, person: Person) -> str:
        """Avatar, name, job title and team; opens the person's page."""
        hidden = getattr(person, "hidden_fields", ())
        context = {"person": person, "link": True, "hidden": hidden}
        return render_to_string("components/person_cell.html", context)

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

    @admin.display(description="Employment type", ordering="employment_type")
    def employment_words(self, person: Any) -> Any:
        """The name an admin gave it; the list annotates it."""
        return person.employment_type_name or person.employment_type or None

    @admin.display(description="Data problems")
    def problem_chips(self, person: Person) -> str:
        """Each problem as a chip."""
        if not person.problems:
            return ""
        labels = dict(Problem.choices)
        return format_html_join(
            " ",
            '<span class="chip chip-warning">{}</span>',
            ((labels.get(problem, problem),) for problem in person.problems),
        )
