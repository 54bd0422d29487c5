"""Work that people do by hand."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from people.identity import person_of
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.models import Task
from workflows.tasks_by_hand import TaskRefusedError, task_done
from workflows.views.forms import CommentForm

_DONE_SHOWN = 30


def tasks_open_to(request: HttpRequest) -> QuerySet[Task]:
    """All with ``view_task``; others see tasks of their own and of their circles."""
    found = Task.objects.select_related("subject", "subject__team", "role", "assignee", "done_by")
    if request.user.has_perm("workflows.view_task"):
        return found
    return _own(request, found)


def _own(request: HttpRequest, found: QuerySet[Task]) -> QuerySet[Task]:
    """Tasks of the signed-in person and of its circles."""
    me = person_of(request.user)
    if me is None:
        return found.none()
    return found.filter(Q(assignee=me) | Q(assignee__isnull=True, role__members=me)).distinct()


def _finishes(request: HttpRequest, found: Task) -> bool:
    """Whose task it is finishes it, and who may change tasks."""
    if request.user.has_perm("workflows.change_task"):
        return True
    return _own(request, Task.objects.filter(pk=found.pk)).exists()


@require_GET
@require()
def tasks(request: HttpRequest) -> HttpResponse:
    """Open tasks by due date, then what was done."""
    found = tasks_open_to(request)
    return render(
        request,
        "workflows/tasks.html",
        {
            "open_tasks": found.filter(status=Task.Status.OPEN),
            "done_tasks": found.exclude(status=Task.Status.OPEN).order_by("-done_at", "-pk")[
                :_DONE_SHOWN
            ],
        },
    )


@require_GET
@require()
def task(request: HttpRequest, pk: int) -> HttpResponse:
    """One task: what to do, for whom, and what finishing it means."""
    found = get_object_or_404(tasks_open_to(request).select_related("step__run__workflow"), pk=pk)
    finishes = found.status == Task.Status.OPEN and _finishes(request, found)
    return render(
        request,
        "workflows/task.html",
        {"task": found, "form": CommentForm(), "finishes": finishes},
    )


@require_POST
@require()
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Finish a task; a run that waits for it goes on."""
    found = get_object_or_404(tasks_open_to(request), pk=pk)
    if not _finishes(request, found):
        raise PermissionDenied
    form = CommentForm(request.POST)
    if not form.is_valid():
        messages.error(request, "The comment is too long.")
        return redirect("task", pk=pk)
    me = person_of(request.user)
    try:
        task_done(
            found.pk,
            by=me,
            by_label=me.work_email if me else request.user.get_username(),
            comment=form.cleaned_data["comment"],
            now=clock.now(),
            actor=request.user,
        )
    except TaskRefusedError as error:
        messages.error(request, str(error))
        return redirect("task", pk=pk)
    messages.success(request, f"Done: {found.title}.")
    return redirect("tasks")
