"""Who is asked by a policy: the input drawn anew when another type is chosen; nothing is saved."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from siit_remote.access import require
from workflows.designer.asked import asked_drawn, asked_read
from workflows.designer.picks import MOST, PICKS, Option

_NAME = re.compile(r"approver|baseline|rule-\d{1,3}")
_SEARCHED = ("person", "role", "policy")


def asked_lists() -> list[tuple[str, list[Option]]]:
    """The first suggestions of what is chosen by name; typing narrows them."""
    return [(kind, PICKS[kind].found("", MOST)) for kind in _SEARCHED]


@require_POST
@require("workflows.change_approverpolicy")
def policy_asked(request: HttpRequest, name: str) -> HttpResponse:
    """The input ``name`` of the form that was sent, with what its type has to be told."""
    if not _NAME.fullmatch(name):
        raise Http404
    asked = asked_drawn(
        asked_read(dict(request.POST.lists()), name),
        name=name,
        without_policy=request.GET.get("policy", ""),
    )
    context = {"asked": asked, "policy_key": request.GET.get("policy", "")}
    return render(request, "workflows/policy_asked.html", context)
