"""The approvals inbox. It shows what the signed-in person is asked, nothing else."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from people.identity import person_of
from siit_remote.access import require
from siit_remote.audit.services import record
from siit_remote.confirming import confirm_asked, confirmed_lately
from siit_remote.lib import clock
from siit_remote.lib.numbers import row_numbers
from siit_remote.often import DECISIONS, EXPORTS, not_too_often
from workflows.approvals import (
    DecisionRefusedError,
    approval_decide,
    approval_send_back,
    approvals_approve,
    may_decide,
)
from workflows.deciding import approval_takes, brief_of
from workflows.inbox import (
    COLUMNS,
    approval_rows,
    approvals_open_to,
    approvals_waiting_for,
    sees_all_approvals,
)
from workflows.models import Approval
from workflows.standing_in import delegations_of
from workflows.views.forms import CommentForm, QuestionForm

_PAGE = 30
_EXPORTED = 10_000
TABS = (("", "Waiting for you"), ("decided", "Decided"), ("all", "Everybody's"))


@require_GET
@require()
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits for a decision, the most urgent first; what was decided in another tab."""
    now, me = clock.now(), person_of(request.user)
    chosen = request.GET.get("show", "")
    opened = approvals_open_to(request.user, now)
    waiting = approvals_waiting_for(me, now) if me is not None and me.is_current else opened.none()
    everybody = sees_all_approvals(request.user)
    found = {
        "decided": opened.exclude(status__in=Approval.OPEN).order_by("-decided_at", "-pk"),
        "all": opened.filter(status__in=Approval.OPEN).order_by("due_at", "pk"),
    }
    if me is not None:
        mine = found["decided"].filter(decided_by=me) | found["decided"].filter(approver=me)
        found["decided"] = mine
    shown = found.get(chosen, waiting) if chosen != "all" or everybody else waiting
    tabs = [
        {
            "label": label,
            "url": f"?show={key}" if key else request.path,
            "current": key == chosen,
            "count": waiting.count() if not key else found["all"].count() if key == "all" else None,
        }
        for key, label in TABS
        if key != "all" or everybody
    ]
    return render(
        request,
        "workflows/approvals.html",
        {
            "page": Paginator(shown, _PAGE).get_page(request.GET.get("page")),
            "tabs": tabs,
            "chosen": chosen if chosen in found else "",
            "waiting": waiting.count(),
            "bulk": not chosen and any(item.bulk for item in waiting[:_PAGE]),
            "me": me,
        },
    )


@require_GET
@require()
def approval(request: HttpRequest, pk: int) -> HttpResponse:
    """One question. Opening the page decides nothing, however often a mail scanner does it."""
    now, me = clock.now(), person_of(request.user)
    found = get_object_or_404(
        approvals_open_to(request.user, now).select_related(
            "step__run__version", "subject__legal_entity", "subject__manager"
        ),
        pk=pk,
    )
    decides = me is not None and may_decide(found, me, now=now)
    asked_for = found.step.run.request
    return render(
        request,
        "workflows/approval.html",
        {
            "approval": found,
            "brief": brief_of(found, viewer=request.user, now=now),
            "form": CommentForm(),
            "question": QuestionForm(),
            "decides": decides and found.status in Approval.OPEN,
            "may_ask": found.status == Approval.Status.PENDING and asked_for is not None,
            "stands_in": me is not None and me.pk != found.approver_id,
            "stand_ins": delegations_of([found.approver_id], now),
            "asked_for": asked_for,
            "notes": asked_for.notes.select_related("author") if asked_for else [],
        },
    )


def _theirs(request: HttpRequest, pk: int) -> Approval:
    """The question, for whom it is open; a try on somebody else's is written down."""
    found = approvals_open_to(request.user, clock.now()).filter(pk=pk).first()
    if found is None:
        if other := Approval.objects.filter(pk=pk).first():
            record(
                "approval.refused",
                actor=request.user,
                object_type="approval",
                object_key=str(pk),
                object_label=other.title,
            )
        raise Http404
    return found


def _grave(request: HttpRequest, approvals: Iterable[Approval]) -> HttpResponse | None:
    """The page that asks who it is, where approving lets something be taken from somebody."""
    if confirmed_lately(request) or any(map(approval_takes, approvals)):
        return confirm_asked(request, doing="approve")
    return None


@require_POST
@require()
@not_too_often(DECISIONS)
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Approve or reject as the signed-in person."""
    now, me = clock.now(), person_of(request.user)
    found = _theirs(request, pk)
    form = CommentForm(request.POST)
    answer = request.POST.get("decision")
    if me is None or answer not in {"approve", "reject"}:
        messages.error(request, "Choose approve or reject; your account must be linked to you.")
        return redirect("approval", pk=pk)
    if not form.is_valid():
        words = " ".join(str(item) for item in form.errors["comment"])
        messages.error(request, f"Nothing was decided. Your comment: {words}")
        return redirect("approval", pk=pk)
    if answer == "approve" and (asked := _grave(request, [found])):
        return asked
    try:
        approval_decide(
            found.pk,
            by=me,
            approve=answer == "approve",
            comment=form.cleaned_data["comment"],
            now=now,
            actor=request.user,
        )
    except DecisionRefusedError as error:
        messages.error(request, str(error))
        return redirect("approval", pk=pk)
    verb = "Approved" if answer == "approve" else "Rejected"
    messages.success(request, f"{verb}: {found.title}.")
    return redirect("approvals")


@require_POST
@require()
def send_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the requester something before deciding."""
    now, me = clock.now(), person_of(request.user)
    found = _theirs(request, pk)
    form = QuestionForm(request.POST)
    if me is None or not form.is_valid():
        messages.error(request, "Write what you need to know.")
        return redirect("approval", pk=pk)
    try:
        approval_send_back(
            found.pk, by=me, question=form.cleaned_data["question"], now=now, actor=request.user
        )
    except DecisionRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{found.subject} is asked; the question comes back to you.")
    return redirect("approval", pk=pk)


@require_POST
@require()
@not_too_often(DECISIONS)
def approve_many(request: HttpRequest) -> HttpResponse:
    """Approve those that were ticked, each by the same rules as on its own page."""
    now, me = clock.now(), person_of(request.user)
    chosen = row_numbers(request.POST.getlist("approval"), most=200)
    if me is None or not chosen:
        messages.error(request, "Tick what you approve first.")
        return redirect("approvals")
    opened = approvals_open_to(request.user, now).filter(pk__in=chosen)
    if asked := _grave(request, opened.filter(bulk=True).select_related("step__run__version")):
        return asked
    titles = dict(opened.values_list("pk", "title"))
    results = approvals_approve(titles, by=me, now=now, actor=request.user)
    done = [pk for pk, refused in results if not refused]
    if done:
        messages.success(request, f"Approved: {', '.join(titles[pk] for pk in done)}.")
    for pk, refused in results:
        if refused:
            messages.error(request, f"{titles[pk]}: {refused}")
    return redirect("approvals")


@require_GET
@require()
@not_too_often(EXPORTS)
def export(request: HttpRequest) -> HttpResponse:
    """What the page may show, as a file for a spreadsheet."""
    opened = approvals_open_to(request.user, clock.now()).order_by("-pk")[:_EXPORTED]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    writer.writerows(approval_rows(opened))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="approvals.csv"'
    return response
