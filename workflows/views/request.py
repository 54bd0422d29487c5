"""The portal: what can be asked for, what was asked, and what became of it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.identity import person_of
from people.models import Person
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.deciding import answers_of
from workflows.models import Request, Service
from workflows.portal import catalogue, requests_open_to, whereabouts
from workflows.problems import DocumentError
from workflows.request_changes import (
    RequestRefusedError,
    change_refused,
    request_cancel,
    request_change,
    request_comment,
)
from workflows.requests import request_submit
from workflows.views.forms import NO_FILES, CommentForm, OptionalReasonForm
from workflows.views.request_form import RequestForm

_PAGE = 30
_FOR_OTHERS = "workflows.submit_for_others"
TABS = (("", "Yours"), ("others", "Others'"))


@require_GET
@require()
def requests(request: HttpRequest) -> HttpResponse:
    """The catalogue, one's own requests, and in another tab those of others that one may see."""
    now, me = clock.now(), person_of(request.user)
    text, chosen = request.GET.get("q", "").strip()[:100], request.GET.get("show", "")
    seen = requests_open_to(request.user, now)
    others = seen.exclude(requester=me) if me is not None else seen
    mine = seen.filter(requester=me) if me is not None else seen.none()
    count = others.count()
    shown = others if chosen == "others" else mine
    tabs = [
        {"label": label, "url": f"?show={key}" if key else request.path, "current": key == chosen}
        | {"count": count if key else mine.count()}
        for key, label in TABS
    ]
    offered = me is not None and me.is_current and request.user.has_perm("workflows.add_request")
    return render(
        request,
        "workflows/requests.html",
        {
            "page": Paginator(shown.order_by("-pk"), _PAGE).get_page(request.GET.get("page")),
            "tabs": tabs if count else [],
            "chosen": chosen,
            "categories": catalogue(me, text, now=now) if me is not None and offered else [],
            "offered": offered and chosen != "others",
            "query": text,
            "me": me,
        },
    )


def _speaks_for(request: HttpRequest, found: Request) -> Person | None:
    """The signed-in person, if it is their request or they sent it for somebody."""
    me = person_of(request.user)
    own = (found.requester_id, found.submitted_by_id)
    return me if me is not None and me.is_current and me.pk in own else None


@require_GET
@require()
def request_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what was asked, who has it now, and everything that happened."""
    now = clock.now()
    found = get_object_or_404(
        requests_open_to(request.user, now).select_related("submitted_by"), pk=pk
    )
    speaks = _speaks_for(request, found)
    return render(
        request,
        "workflows/request.html",
        {
            "found": found,
            "answers": answers_of(found),
            "notes": found.notes.select_related("author"),
            "where": whereabouts(found, now),
            "comment": CommentForm(),
            "me": person_of(request.user),
            "may_cancel": speaks is not None and found.is_open,
            "may_change": speaks is not None and found.service.fields and not change_refused(found),
        },
    )


@require_http_methods(["GET", "POST"])
@require("workflows.add_request")
def request_new(request: HttpRequest, service: str) -> HttpResponse:
    """Ask for something of the catalogue, for oneself; HR also for others."""
    found = get_object_or_404(Service, key=service, active=True)
    me = person_of(request.user)
    if me is None:
        messages.error(request, "Your account is not linked to a person; ask the owner.")
        return redirect("requests")
    form = RequestForm(
        request.POST if request.method == "POST" else None,
        service=found,
        for_others=request.user.has_perm(_FOR_OTHERS),
        me=me,
    )
    if request.FILES:
        form.add_error(None, NO_FILES)
    if request.method == "POST" and form.is_valid():
        try:
            made = request_submit(
                service=found,
                requester=form.requester() or me,
                submitted_by=me,
                form=form.answers(),
                now=clock.now(),
                actor=request.user,
            )
        except DocumentError as error:
            for problem in error.problems:
                form.add_problem(problem.path, problem.message)
        else:
            messages.success(request, f"{found.name}: the request is sent.")
            return redirect("request", pk=made.pk)
    return render(request, "workflows/request_new.html", {"service": found, "form": form})


@require_http_methods(["GET", "POST"])
@require()
def request_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Other answers, as long as nothing is approved; whoever decides is asked anew."""
    found = get_object_or_404(requests_open_to(request.user, clock.now()), pk=pk)
    me = _speaks_for(request, found)
    if me is None:
        raise PermissionDenied
    refused = change_refused(found)
    if refused:
        messages.error(request, refused)
        return redirect("request", pk=pk)
    posted = request.POST if request.method == "POST" else None
    form = RequestForm(posted, service=found.service, answers=found.form)
    if request.method == "POST" and form.is_valid():
        revision = request.POST.get("revision", "")
        try:
            changed = request_change(
                found,
                form.answers(),
                revision=int(revision) if revision.isdecimal() else 0,
                by=me,
                now=clock.now(),
                actor=request.user,
            )
        except DocumentError as error:
            for problem in error.problems:
                form.add_problem(problem.path, problem.message)
        except RequestRefusedError as error:
            messages.error(request, str(error))
            return redirect("request", pk=pk)
        else:
            said = "Changed; whoever decides is asked anew." if changed else "Nothing was changed."
            messages.success(request, said)
            return redirect("request", pk=pk)
    context = {"service": found.service, "form": form, "found": found}
    return render(request, "workflows/request_new.html", context)


@require_POST
@require()
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something on a request that one may open."""
    found = get_object_or_404(requests_open_to(request.user, clock.now()), pk=pk)
    me, form = person_of(request.user), CommentForm(request.POST)
    if me is None or not form.is_valid():
        messages.error(request, "Write something first; your account must be linked to you.")
        return redirect("request", pk=pk)
    try:
        request_comment(
            found, form.cleaned_data["comment"], by=me, now=clock.now(), actor=request.user
        )
    except RequestRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Sent.")
    return redirect("request", pk=pk)


@require_POST
@require()
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own request back."""
    found = get_object_or_404(requests_open_to(request.user, clock.now()), pk=pk)
    me, form = _speaks_for(request, found), OptionalReasonForm(request.POST)
    if me is None or not form.is_valid():
        raise PermissionDenied
    try:
        request_cancel(
            found, reason=form.cleaned_data["reason"], by=me, now=clock.now(), actor=request.user
        )
    except RequestRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Taken back; nobody is asked any more.")
    return redirect("request", pk=pk)
