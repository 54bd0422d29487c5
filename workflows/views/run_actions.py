"""Doing something about a run: again, past a step, by hand. Each a POST and one service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from people.models import Role
from siit_remote.lib import clock
from workflows.models import Run, StepRun
from workflows.problems import DocumentError
from workflows.runs_again import run_restart, step_by_hand, step_skip
from workflows.services import RefusedError
from workflows.views.forms import ReasonForm
from workflows.views.rights import right_on

if TYPE_CHECKING:
    from collections.abc import Callable

HOW = {
    "start": (False, True),
    "start-live": (True, True),
    "failed-live": (True, False),
}
"""How to start again: (on the live version, from the start)."""


class RestartForm(ReasonForm):
    """From where, on which version, and why."""

    how = forms.ChoiceField(choices=[(key, key) for key in HOW])


class ByHandForm(ReasonForm):
    """Whose task it becomes, and why."""

    role = forms.ModelChoiceField(Role.objects.all(), to_field_name="name")


def _tried(request: HttpRequest, act: Callable[[], object], done: str) -> bool:
    """Carry out ``act``; its refusal is shown in its own words."""
    try:
        act()
    except (RefusedError, DocumentError) as error:
        messages.error(request, str(error))
        return False
    messages.success(request, done)
    return True


@require_POST
@right_on("run", of="run")
def restart(request: HttpRequest, pk: int) -> HttpResponse:
    """Start an ended run again as a run of its own."""
    found = get_object_or_404(Run, pk=pk)
    form = RestartForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose how to start again and say why.")
        return redirect("run", pk=pk)
    on_live, from_start = HOW[form.cleaned_data["how"]]
    started: list[Run] = []

    def act() -> None:
        started.append(
            run_restart(
                found,
                on_live=on_live,
                from_start=from_start,
                reason=form.cleaned_data["reason"],
                now=clock.now(),
                actor=request.user,
            )
        )

    _tried(request, act, "It is started again; this is the new run.")
    return redirect("run", pk=started[0].pk if started else pk)


@require_POST
@right_on("run", of="step")
def skip(request: HttpRequest, pk: int) -> HttpResponse:
    """Go on without a step."""
    step = get_object_or_404(StepRun.objects.select_related("run"), pk=pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _tried(
            request,
            lambda: step_skip(step, reason=reason, now=clock.now(), actor=request.user),
            "The step is skipped; the run goes on.",
        )
    else:
        messages.error(request, "Say why it is skipped; the reason stays with the step.")
    return redirect("run", pk=step.run_id)


@require_POST
@right_on("run", of="step")
def by_hand(request: HttpRequest, pk: int) -> HttpResponse:
    """Turn a step that does not succeed into a task."""
    step = get_object_or_404(StepRun.objects.select_related("run"), pk=pk)
    form = ByHandForm(request.POST)
    if form.is_valid():
        role, reason = form.cleaned_data["role"].name, form.cleaned_data["reason"]
        _tried(
            request,
            lambda: step_by_hand(
                step, role=role, reason=reason, now=clock.now(), actor=request.user
            ),
            "A task was opened; the run waits for it.",
        )
    else:
        messages.error(request, "Choose who does it and say why.")
    return redirect("run", pk=step.run_id)
