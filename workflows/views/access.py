"""One access with its history; everything that one person has and should have."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from integrations.access import access_expire_at
from integrations.access_rows import Hand
from integrations.models import AppAccess
from people.defaults import workspace_get
from people.identity import fields_hidden_from
from people.selectors import people_visible_to
from siit_remote.access import may, require
from siit_remote.audit.services import record
from siit_remote.lib import clock
from workflows.access.of_person import person_rows
from workflows.access.owning import SEE_ACCESS, accesses_seen, may_change_access
from workflows.views.rights import runs_opening

_EVENTS = 25


@require_GET
@require()
def access(request: HttpRequest, pk: int) -> HttpResponse:
    """What became of one access: every state, when, by whom, with which proof."""
    found = _access(request, pk)
    earlier = (
        AppAccess.objects.filter(application=found.application, person=found.person)
        .exclude(pk=found.pk)
        .order_by("-pk")[:20]
    )
    page = Paginator(found.events.order_by("-pk"), _EVENTS).get_page(request.GET.get("page"))
    events = list(page.object_list)
    context = {
        "access": found,
        "events": events,
        "page": page,
        "open_runs": runs_opening(request.user, {row.run_id for row in events if row.run_id}),
        "earlier": earlier,
        "may_mend": may_change_access(request.user, found),
        "sees_access": request.user.has_perms(SEE_ACCESS),
    }
    return render(request, "workflows/access/access.html", context)


def _access(request: HttpRequest, pk: int) -> AppAccess:
    """The access, for whom a right or ownership of the application lets in."""
    found = accesses_seen(request.user).filter(pk=pk).first()
    if found is None and not request.user.has_perms(SEE_ACCESS):
        raise PermissionDenied
    if found is None:
        raise Http404
    return found


class EndsForm(forms.Form):
    """The last day of an access; empty: it stays."""

    day = forms.DateField(required=False)


@require_POST
@require()
def access_ends(request: HttpRequest, pk: int) -> HttpResponse:
    """Say until which day somebody keeps it, or that they keep it."""
    found = _access(request, pk)
    if not may_change_access(request.user, found):
        raise PermissionDenied
    form = EndsForm(request.POST)
    now = clock.now()
    zone = ZoneInfo(workspace_get().timezone)
    if not form.is_valid():
        messages.error(request, "That is no date. Nothing was changed.")
        return redirect("access", pk=pk)
    day = form.cleaned_data["day"]
    ends = datetime.combine(day + timedelta(days=1), time(0), zone) if day else None
    if found.state == AppAccess.State.REVOKED:
        messages.error(request, "It is taken away already.")
    elif ends is not None and ends <= now:
        messages.error(request, "That day is over. To take it away now, tick it and say so.")
    else:
        with transaction.atomic():
            hand = Hand(by_label=request.user.get_username())
            access_expire_at(found, expires_at=ends, hand=hand, now=now)
            record(
                "access.expiry_set",
                actor=request.user,
                object_type="application",
                object_key=found.application.key,
                object_label=found.application.name,
                detail={"person": found.person_id, "until": str(day) if day else None},
            )
        messages.success(
            request, f"It ends after {day:%-d %b %Y}." if day else "It does not end by itself."
        )
    return redirect("access", pk=pk)


@require_GET
@require(*SEE_ACCESS)
def person_access(request: HttpRequest, pk: int) -> HttpResponse:
    """Every application of one person: by rule, written down, reported; and what differs."""
    found = get_object_or_404(
        people_visible_to(request.user).select_related("team", "manager", "legal_entity"), pk=pk
    )
    hidden = fields_hidden_from(request.user)
    rows = person_rows(found, now=clock.now(), hidden=hidden)
    context = {
        "person": found,
        "hidden": hidden,
        "rows": rows,
        "differs": sum(bool(row.kind) for row in rows),
        "show": "person",
        "may_mend": may(request.user, "integrations.change_appaccess"),
    }
    return render(request, "workflows/access/person.html", context)
