"""What admins do with workflows and runs: each a POST, one service, back to the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from siit_remote.confirming import confirm_first
from siit_remote.lib import clock
from workflows.models import Run, StepRun, Workflow
from workflows.problems import DocumentError
from workflows.runs import run_cancel, run_release, run_retry, step_resolve
from workflows.services import RefusedError, workflow_act
from workflows.views.forms import OptionalReasonForm, ReasonForm, ResolveForm
from workflows.views.rights import right_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from django import forms

_WORDS = {"pause": "is paused", "resume": "runs again", "archive": "is archived"}


def _first_error(form: forms.Form) -> str:
    return next(str(errors[0]) for errors in form.errors.values())


def _try(request: HttpRequest, act: Callable[[], object], done: str) -> None:
    """Carry out ``act``; its refusal is shown in its own words."""
    try:
        act()
    except (RefusedError, DocumentError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)


@require_POST
@right_on("publish")
def act(request: HttpRequest, key: str, verb: str) -> HttpResponse:
    """Pause, resume or archive."""
    if verb not in _WORDS:
        raise Http404
    found = get_object_or_404(Workflow, key=key)
    form = OptionalReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _try(
            request,
            lambda: workflow_act(found, verb, reason=reason, now=clock.now(), actor=request.user),
            f"{found.name} {_WORDS[verb]}.",
        )
    else:
        messages.error(request, _first_error(form))
    return redirect("workflow", key=key)


@require_POST
@right_on("run", of="run")
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """End a run that has not ended."""
    found = get_object_or_404(Run, pk=pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _try(
            request,
            lambda: run_cancel(found, reason=reason, now=clock.now(), actor=request.user),
            "The run is cancelled.",
        )
    else:
        messages.error(request, "Say why it is cancelled; the reason stays with the run.")
    return redirect("run", pk=pk)


@require_POST
@right_on("run", of="run")
@confirm_first("release")
def release(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a held run go on."""
    found = get_object_or_404(Run, pk=pk)
    form = ReasonForm(request.POST)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        _try(
            request,
            lambda: run_release(found, reason=reason, now=clock.now(), actor=request.user),
            "The run goes on.",
        )
    else:
        messages.error(request, "Say why it is released; the reason stays with the run.")
    return redirect("run", pk=pk)


@require_POST
@right_on("run", of="run")
def retry(request: HttpRequest, pk: int) -> HttpResponse:
    """Try the failed step again."""
    found = get_object_or_404(Run, pk=pk)
    _try(
        request,
        lambda: run_retry(found, now=clock.now(), actor=request.user),
        "The failed step is tried again.",
    )
    return redirect("run", pk=pk)


@require_POST
@right_on("run", of="step")
def resolve(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what became of a step that ended without an answer."""
    step = get_object_or_404(StepRun, pk=pk)
    form = ResolveForm(request.POST)
    if form.is_valid():
        answer = form.cleaned_data
        _try(
            request,
            lambda: step_resolve(
                step,
                happened=answer["happened"],
                reason=answer["reason"],
                now=clock.now(),
                actor=request.user,
            ),
            "The step is settled.",
        )
    else:
        messages.error(request, "Choose what happened and say how you know.")
    return redirect("run", pk=step.run_id)
