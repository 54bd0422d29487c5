"""Work that people do by hand: the list, one task, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from people.identity import fields_hidden_from, person_of
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.models import Task
from workflows.task_days import days_of_task
from workflows.tasks_by_hand import TaskRefusedError, task_done, task_refuse
from workflows.tasks_handing import (
    task_comment,
    task_hand_over,
    task_take,
    task_tick,
    tasks_each,
)
from workflows.tasks_seen import (
    DUE,
    Narrowing,
    narrowed,
    roles_in,
    tabs_of,
    task_finishes,
    tasks_of,
    tasks_open_to,
    workflows_in,
)
from workflows.views.forms import NO_FILES
from workflows.views.rights import run_opens
from workflows.views.task_forms import HandOverForm, ManyForm, ProofForm, RefuseForm, RemarkForm

_PAGE = 50


@require_GET
@require()
def tasks(request: HttpRequest) -> HttpResponse:
    """Tasks by due day: mine, my roles', all, overdue, done; narrowed down."""
    me, today = person_of(request.user), timezone.localtime(clock.now()).date()
    found = tasks_open_to(request.user)
    by = Narrowing.read(request.GET)
    tabs = tabs_of(found, me, today)
    if not request.user.has_perm("workflows.view_task"):
        del tabs["all"]
    chosen = by.tab if by.tab in tabs else _first_with_rows(tabs)
    rows = narrowed(tabs[chosen][1], by, today=today)
    return render(
        request,
        "workflows/tasks.html",
        {
            "page": Paginator(rows, _PAGE).get_page(request.GET.get("page")),
            "tabs": [
                {"label": label, "url": f"?show={key}", "current": key == chosen}
                | {"count": query.count() if key != "ended" else None}
                for key, (label, query) in tabs.items()
            ],
            "chosen": chosen,
            "by": by,
            "due_choices": DUE,
            "roles": roles_in(found),
            "workflows": workflows_in(found),
            "today": today,
            "me": me,
            "waiting": found.filter(tasks_of(me), status=Task.Status.OPEN).distinct().count()
            if me is not None
            else 0,
            "acts": chosen != "ended" and (me is not None or _may_change(request)),
        },
    )


def _first_with_rows(tabs: dict[str, Any]) -> str:
    """Where somebody lands: their own, else their roles', else all."""
    for key in ("mine", "role", "all"):
        if key in tabs and tabs[key][1].exists():
            return key
    return "mine"


def _may_change(request: HttpRequest) -> bool:
    return request.user.has_perm("workflows.change_task")


@require_GET
@require()
def task(request: HttpRequest, pk: int) -> HttpResponse:
    """One task: what to do, for whom, and what finishing it means."""
    return _page(request, get_object_or_404(tasks_open_to(request.user), pk=pk))


def _page(request: HttpRequest, found: Task, *, status: int = 200, **forms: object) -> HttpResponse:
    me = person_of(request.user)
    shown: dict[str, object] = {
        "proof": ProofForm(auto_id="id_proof_%s"),
        "refuse": RefuseForm(auto_id="id_refuse_%s"),
        "remark": RemarkForm(auto_id="id_remark_%s", label_suffix=""),
        "hand": HandOverForm(auto_id="id_hand_%s", label_suffix=""),
    }
    today = days_of_task(found).today(clock.now())
    context = {
        "task": found,
        "me": me,
        "finishes": task_finishes(request.user, found),
        "takes": me is not None and found.is_open and found.assignee_id != me.pk,
        "late": found.is_open and found.due_on is not None and found.due_on < today,
        "notes": found.notes.select_related("author"),
        "hidden": fields_hidden_from(request.user),
        "opens_run": found.step is not None and run_opens(request.user, found.step.run),
    }
    return render(request, "workflows/task.html", context | shown | forms, status=status)


def _mine(request: HttpRequest, pk: int) -> Task:
    """The task, if it may be acted on: its people, and who may change tasks."""
    found = get_object_or_404(tasks_open_to(request.user), pk=pk)
    # What somebody else ended meanwhile is refused in words, not as a stranger's.
    if found.is_open and not task_finishes(request.user, found):
        raise PermissionDenied
    return found


def _who(request: HttpRequest) -> dict[str, Any]:
    me = person_of(request.user)
    label = me.work_email if me else request.user.get_username()
    return {"by": me, "by_label": label, "actor": request.user, "now": clock.now()}


@require_POST
@require()
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Finish a task; a run that waits for it goes on."""
    found = _mine(request, pk)
    if request.FILES:
        messages.error(request, NO_FILES)
        return redirect("task", pk=pk)
    form = ProofForm(request.POST, auto_id="id_proof_%s")
    if not form.is_valid():
        return _page(request, found, status=422, proof=form)
    return _ended(
        request,
        found,
        lambda: task_done(found.pk, comment=form.cleaned_data["comment"], **_who(request)),
        words="Done",
    )


@require_POST
@require()
def refuse(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that it cannot be done; the workflow goes on by that."""
    found = _mine(request, pk)
    form = RefuseForm(request.POST, auto_id="id_refuse_%s")
    if not form.is_valid():
        return _page(request, found, status=422, refuse=form)
    return _ended(
        request,
        found,
        lambda: task_refuse(found.pk, reason=form.cleaned_data["reason"], **_who(request)),
        words="Noted that it cannot be done",
    )


def _ended(
    request: HttpRequest, found: Task, end: Callable[[], object], *, words: str
) -> HttpResponse:
    """End it and go back to the list; to the task, with the reason, where that is refused."""
    try:
        end()
    except TaskRefusedError as error:
        messages.error(request, str(error))
        return redirect("task", pk=found.pk)
    messages.success(request, f"{words}: {found.title}.")
    return redirect("tasks")


@require_POST
@require()
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a task of one's role one's own."""
    found = _mine(request, pk)
    me = person_of(request.user)
    if me is None:
        messages.error(request, "Your account is not linked to a person; ask the owner.")
        return redirect("task", pk=pk)
    seen = request.POST.get("seen", "")
    try:
        task_take(
            found.pk,
            by=me,
            now=clock.now(),
            actor=request.user,
            seen=int(seen) if seen.isdigit() else None,
        )
    except TaskRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Yours: {found.title}.")
    return redirect("task", pk=pk)


@require_POST
@require()
def hand_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a task to somebody else or to a role."""
    found = _mine(request, pk)
    form = HandOverForm(request.POST, auto_id="id_hand_%s")
    if not form.is_valid():
        return _page(request, found, status=422, hand=form)
    to = form.cleaned_data["to"] or form.cleaned_data["role"]
    who = _who(request)
    del who["by"]
    try:
        task_hand_over(found.pk, to=to, reason=form.cleaned_data["reason"], **who)
    except TaskRefusedError as error:
        messages.error(request, str(error))
        return redirect("task", pk=pk)
    messages.success(request, f"{to} has it now: {found.title}.")
    return redirect("tasks")


@require_POST
@require()
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something under a task."""
    found = get_object_or_404(tasks_open_to(request.user), pk=pk)
    me = person_of(request.user)
    form = RemarkForm(request.POST, auto_id="id_remark_%s")
    if request.FILES:
        messages.error(request, NO_FILES)
    elif me is None:
        messages.error(request, "Your account is not linked to a person; ask the owner.")
    elif not form.is_valid():
        return _page(request, found, status=422, remark=form)
    else:
        task_comment(found.pk, text=form.cleaned_data["text"], by=me, now=clock.now())
    return redirect("task", pk=pk)


@require_POST
@require()
def tick(request: HttpRequest, pk: int) -> HttpResponse:
    """Tick a point of the checklist, or take the tick back."""
    found = _mine(request, pk)
    point = request.POST.get("point", "")
    try:
        task_tick(
            found.pk,
            point=int(point) if point.isdigit() else -1,
            done=request.POST.get("done") == "yes",
            by=_who(request)["by_label"],
            now=clock.now(),
        )
    except TaskRefusedError as error:
        messages.error(request, str(error))
    return redirect("task", pk=pk)


@require_POST
@require()
def many(request: HttpRequest) -> HttpResponse:
    """One act on the ticked tasks; each refusal is said with its reason."""
    form = ManyForm(request.POST)
    if not form.is_valid():
        for errors in form.errors.values():
            messages.error(request, str(errors[0]))
        return redirect("tasks")
    allowed = tasks_open_to(request.user).filter(pk__in=form.cleaned_data["task"])
    own = [found for found in allowed if task_finishes(request.user, found)]
    who, word = _who(request), form.cleaned_data["word"]

    def act(pk: int) -> None:
        if form.cleaned_data["do"] == "done":
            task_done(pk, comment=word, **who)
        else:
            others = {name: value for name, value in who.items() if name != "by"}
            task_hand_over(pk, to=form.cleaned_data["to"], reason=word, **others)

    finished, refused = tasks_each([found.pk for found in own], act)
    titles = {found.pk: found.title for found in own}
    if finished:
        verb = "done" if form.cleaned_data["do"] == "done" else "handed over"
        messages.success(request, f"{finished} {verb}.")
    for pk, why in refused:
        messages.error(request, f"{titles[pk]}: {why}")
    left = len(set(form.cleaned_data["task"])) - len(own)
    if left:
        messages.error(request, f"{left} are not yours to act on, or ended meanwhile.")
    return redirect("tasks")
