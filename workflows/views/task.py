"""Work that people do by hand."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.identity import person_of
from siit_remote.access import require
from workflows.models import Task

_DONE_SHOWN = 30


def tasks_open_to(request: HttpRequest) -> QuerySet[Task]:
    """All with ``view_task``; others see tasks of their own and of their circles."""
    found = Task.objects.select_related("subject", "subject__team", "role", "assignee", "done_by")
    if request.user.has_perm("workflows.view_task"):
        return found
    me = person_of(request.user)
    if me is None:
        return found.none()
    return found.filter(Q(assignee=me) | Q(assignee__isnull=True, role__members=me)).distinct()


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
    return render(request, "workflows/task.html", {"task": found})
