"""One click in the rows of a condition on a form: drawn anew, nothing saved.

Who may not see a field may not ask by it either: whom a condition fits would tell the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from people.identity import fields_hidden_from
from siit_remote.access import may
from siit_remote.lib import clock
from workflows.access.should import directory_today, rule_fields
from workflows.conditions.masking import names_of
from workflows.designer.embedded import EmbeddedRule, rule_counts, rule_drawn, rule_edited
from workflows.designer.errors import EditRefusedError
from workflows.designer.picks import MOST, PICKS
from workflows.document.shape import Data

_SEARCHED = {"person": MOST, "team": MOST, "entity": MOST, "country": 300, "timezone": 700,
             "employment_type": MOST}  # fmt: skip


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
        _refuse_hidden(request, data, stored)
    except EditRefusedError as error:
        return Clicked(data=stored, refused=str(error))
    return Clicked(data=data, focus=focus)


def _unseen(request: HttpRequest) -> frozenset[str]:
    """Fields hidden from the account, as conditions call them."""
    return names_of(fields_hidden_from(request.user))


def _refuse_hidden(request: HttpRequest, data: Data | None, stored: Data | None) -> None:
    """A condition of somebody else's that asks for a hidden field stays as it is.

    Raises ``EditRefusedError``.
    """
    before, unseen = rule_fields(stored), _unseen(request)
    if (rule_fields(data) & unseen) - before:
        raise EditRefusedError("The rule asks for a field that is hidden from you.")
    if before & unseen and data != stored:
        raise EditRefusedError(
            "The rule asks for a field that is hidden from you, so you cannot change the rule."
        )


def rows_context(
    request: HttpRequest,
    data: Data | None,
    *,
    base: str,
    of_requests: bool = False,
    leave_out: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """What the card of a condition and its lists of names need.

    ``leave_out``: fields that mean nothing here. How many it fits is not told over hidden fields.
    """
    unseen = _unseen(request)
    told = None if rule_fields(data) & unseen else directory_today(clock.now())
    rule: EmbeddedRule = rule_drawn(
        data, people=told, leave_out=leave_out | unseen, of_requests=of_requests
    )
    may_see = may(request.user, "people.view_person")
    lists = [
        (kind, PICKS[kind].found("", most))
        for kind, most in _SEARCHED.items()
        if kind != "person" or may_see
    ]
    return {"rule": rule, "rule_base": base, "lists": lists}


def rows_answer(
    request: HttpRequest, verb: str, clicked: Clicked, context: dict[str, Any]
) -> HttpResponse:
    """The card, or only the numbers beside its rows."""
    if verb == "counts":
        told = not clicked.refused and not rule_fields(clicked.data) & _unseen(request)
        people = directory_today(clock.now())
        counts = rule_counts(clicked.data, people=people) if told else {}
        context = context | {"counts": counts}
        return render(request, "workflows/access/rule_counts.html", context)
    context = context | {"refused": clicked.refused}
    answer = render(request, "workflows/rule_card.html", context)
    if clicked.focus:
        answer["HX-Trigger-After-Swap"] = f'{{"rule-focus": "{clicked.focus}"}}'
    return answer
