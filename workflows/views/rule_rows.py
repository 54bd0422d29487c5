"""One click in the rows of a condition on a form: drawn anew, nothing saved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from siit_remote.lib import clock
from workflows.access.should import directory_today
from workflows.designer.embedded import EmbeddedRule, rule_counts, rule_drawn, rule_edited
from workflows.designer.errors import EditRefusedError
from workflows.designer.picks import MOST, PICKS
from workflows.document.shape import Data

_SEARCHED = {"team": MOST, "entity": MOST, "country": 300, "timezone": 700, "employment_type": MOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Clicked:
    """The condition after a click, where the focus goes, and why it was refused."""

    data: Data | None
    focus: str = ""
    refused: str = ""


def rows_clicked(request: HttpRequest, verb: str, *, stored: Data | None) -> Clicked:
    """Read what was typed and carry out ``verb``; ``stored`` stands where that is refused."""
    values = {name: [str(value) for value in found] for name, found in request.POST.lists()}
    values |= {name: [str(value) for value in found] for name, found in request.GET.lists()}
    try:
        data, focus = rule_edited(values, "save" if verb == "counts" else verb)
    except EditRefusedError as error:
        return Clicked(data=stored, refused=str(error))
    return Clicked(data=data, focus=focus)


def rows_context(data: Data | None, *, base: str, of_requests: bool) -> dict[str, Any]:
    """What the card of a condition and its lists of names need."""
    rule: EmbeddedRule = rule_drawn(
        data, people=directory_today(clock.now()), of_requests=of_requests
    )
    lists = [(kind, PICKS[kind].found("", most)) for kind, most in _SEARCHED.items()]
    return {"rule": rule, "rule_base": base, "lists": lists}


def rows_answer(
    request: HttpRequest, verb: str, clicked: Clicked, context: dict[str, Any]
) -> HttpResponse:
    """The card, or only the numbers beside its rows."""
    if verb == "counts":
        people = directory_today(clock.now())
        context = context | {"counts": rule_counts(clicked.data, people=people)}
        return render(request, "workflows/access/rule_counts.html", context)
    context = context | {"refused": clicked.refused}
    answer = render(request, "workflows/rule_card.html", context)
    if clicked.focus:
        answer["HX-Trigger-After-Swap"] = f'{{"rule-focus": "{clicked.focus}"}}'
    return answer
