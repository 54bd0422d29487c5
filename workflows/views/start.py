"""Start a live workflow for chosen people: first look who it is for, then start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to, person_by_email
from siit_remote.lib import clock
from workflows.designer.picks import PICKS
from workflows.models import Run, Workflow
from workflows.problems import DocumentError
from workflows.runs import runs_judge, runs_start
from workflows.services import RefusedError
from workflows.views.rights import right_on

MOST = 200


class StartForm(forms.Form):
    """For whom: one person a line, by name or work email."""

    people = forms.CharField(
        label="For whom",
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "ana@company.com"}),
        help_text=f"One person a line, by work email or full name; at most {MOST}.",
        error_messages={"required": "Name at least one person."},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """Whom the lines name, and the lines that name nobody."""

    people: list[Person]
    unknown: list[str]


def _named(request: HttpRequest, text: str) -> Named:
    seen = Person.objects.filter(pk__in=people_visible_to(request.user)).select_related("team")
    people: dict[int, Person] = {}
    unknown: list[str] = []
    for line in filter(None, (line.strip() for line in text.splitlines())):
        found = person_by_email(PICKS["person"].key_of(line))
        person = seen.filter(pk=found.pk).first() if found is not None else None
        if person is None:
            unknown.append(line)
        else:
            people[person.pk] = person
    return Named(people=list(people.values()), unknown=unknown)


@require_http_methods(["GET", "POST"])
@right_on("run", "people.view_person")
def start(request: HttpRequest, key: str) -> HttpResponse:
    """Say for whom; see who matches; start. Conditions and limits hold as for any other run."""
    found = get_object_or_404(Workflow.objects.select_related("live_version__workflow"), key=key)
    form = StartForm(request.POST if request.method == "POST" else None)
    context: dict[str, Any] = {"workflow": found, "form": form}
    if request.method == "GET" or not form.is_valid():
        return _page(request, context, status=422 if form.errors else 200)
    named = _named(request, form.cleaned_data["people"])
    context |= {"unknown": named.unknown}
    if named.unknown or len(named.people) > MOST:
        if len(named.people) > MOST:
            form.add_error("people", f"These are more than {MOST}: start them in parts.")
        return _page(request, context, status=422)
    now = clock.now()
    try:
        if request.POST.get("do") != "start":
            context["judged"] = runs_judge(
                found, named.people, now=now, hidden=fields_hidden_from(request.user)
            )
            return _page(request, context)
        runs = runs_start(found, named.people, now=now, actor=request.user)
    except (RefusedError, DocumentError) as error:
        messages.error(request, str(error))
        return redirect("workflow-start", key=key)
    held = sum(run.status == Run.Status.HELD for run in runs)
    words = f"{len(runs)} run{'' if len(runs) == 1 else 's'} of {found.name} began"
    more = f"; {held} held until a second person looks" if held else ""
    messages.success(request, f"{words}{more}.")
    return redirect(f"/runs/?workflow={found.key}")


def _page(request: HttpRequest, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    return render(request, "workflows/start.html", context, status=status)
