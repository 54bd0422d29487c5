"""The page of data problems: who, why, and how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from people.choices import PersonStatus
from people.models import Person
from people.problem_guide import GUIDES, Guide
from people.tabs import WITH_PROBLEMS
from siit_remote.access import require

_SHOWN = 20
"""People named under each problem; the list has all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemGroup:
    """One problem and whom it concerns."""

    guide: Guide
    count: int
    people: tuple[Person, ...]


def problem_groups() -> list[ProblemGroup]:
    """Problems that somebody has, the most frequent first."""
    found: dict[str, int] = {}
    named: dict[str, list[int]] = {}
    rows = Person.objects.filter(WITH_PROBLEMS).order_by("full_name", "pk")
    for pk, problems in rows.values_list("pk", "problems").iterator(chunk_size=2_000):
        for problem in problems:
            found[problem] = found.get(problem, 0) + 1
            if found[problem] <= _SHOWN:
                named.setdefault(problem, []).append(pk)
    people = Person.objects.select_related("team").in_bulk(
        {pk for keys in named.values() for pk in keys}
    )
    groups = [
        ProblemGroup(
            guide=guide,
            count=found[guide.problem],
            people=tuple(people[pk] for pk in named[guide.problem]),
        )
        for guide in GUIDES
        if guide.problem in found
    ]
    return sorted(groups, key=lambda group: -group.count)


@require_GET
@require("people.view_person")
def problems(request: HttpRequest) -> HttpResponse:
    """Grouped, with numbers and what to do."""
    context = {
        "groups": problem_groups(),
        "people_count": Person.objects.filter(WITH_PROBLEMS).count(),
        "everybody": Person.objects.exclude(status=PersonStatus.ENDED).count(),
    }
    return render(request, "people/problems.html", context)
