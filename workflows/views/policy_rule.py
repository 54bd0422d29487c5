"""One rule of an approver policy: for whom, by the designer's rows, and who is asked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from siit_remote.access import require
from workflows.catalogue import policy_save
from workflows.designer.asked import asked_drawn, asked_read
from workflows.document.shape import Data
from workflows.models import ApproverPolicy
from workflows.problems import DocumentError, Problem
from workflows.views.policy_asked import asked_lists
from workflows.views.rows import MOST_ROWS, problem_words
from workflows.views.rule_rows import rows_answer, rows_clicked, rows_context

_WORDS = {
    "title": "For whom",
    "nobody": "Nobody yet: a rule needs a condition.",
    "everybody": "Take the conditions away",
    "choose": "Choose for whom",
}


def _found(key: str, number: int) -> tuple[ApproverPolicy, dict[str, Any]]:
    """The policy and its rule; one past the last is a new one."""
    policy = get_object_or_404(ApproverPolicy, key=key)
    if number > len(policy.rules) or number >= MOST_ROWS:
        raise Http404
    blank: dict[str, Any] = {"when": None, "approver": {"type": "manager"}}
    return policy, policy.rules[number] if number < len(policy.rules) else blank


@require_http_methods(["GET", "POST"])
@require("workflows.change_approverpolicy")
def policy_rule(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Change a rule, or add one at the end."""
    policy, rule = _found(key, number)
    if request.method != "POST":
        return _page(request, policy, number, rule["when"], rule["approver"])
    clicked, asked = rows_clicked(request, "save", stored=rule["when"]), _asked(request)
    problems = [Problem("", clicked.refused)] if clicked.refused else []
    if not problems:
        problems = _save(policy, number, clicked.data, asked, actor=request.user)
    if problems:
        return _page(request, policy, number, clicked.data, asked, problems=problems)
    messages.success(request, f"{policy} is saved.")
    return redirect("policy-edit", key=key)


def _asked(request: HttpRequest) -> Data:
    """Who is asked, as it was filled in."""
    return asked_read(dict(request.POST.lists()), "approver")


def _save(
    policy: ApproverPolicy, number: int, when: Data | None, asked: Data, *, actor: Any
) -> list[Problem]:
    """The whole policy with this rule; what is wrong with it."""
    if not when or not when.get("rules"):
        # An empty condition matches nobody: it is refused here rather than found out later.
        return [Problem("", "Say for whom; a rule needs a condition.")]
    rules = list(policy.rules)
    rules[number : number + 1] = [{"when": when, "approver": asked}]
    row = {
        "key": policy.key,
        "name": policy.name,
        "rules": rules,
        "baseline": policy.baseline,
    }
    try:
        policy_save(row, new=False, actor=actor)
    except DocumentError as error:
        return list(error.problems)
    return []


@require_POST
@require("workflows.change_approverpolicy")
def policy_rule_rows(request: HttpRequest, key: str, number: int, verb: str) -> HttpResponse:
    """One click in the rows; without scripts the whole page comes back, nothing is saved."""
    policy, rule = _found(key, number)
    clicked = rows_clicked(request, verb, stored=rule["when"])
    if request.headers.get("HX-Request") == "true":
        context = rows_context(request, clicked.data, base=_base(policy, number), of_requests=True)
        return rows_answer(request, verb, clicked, context | {"rule_words": _WORDS})
    if clicked.refused:
        messages.error(request, clicked.refused)
    return _page(request, policy, number, clicked.data, _asked(request))


def _base(policy: ApproverPolicy, number: int) -> str:
    """What the rows' buttons put their verbs behind."""
    url = reverse("policy-rule-rows", args=[policy.key, number, "save"])
    return url.removesuffix("save/")


def _page(
    request: HttpRequest,
    policy: ApproverPolicy,
    number: int,
    when: Data | None,
    asked: Data,
    *,
    problems: list[Problem] | None = None,
) -> HttpResponse:
    rows = rows_context(request, when, base=_base(policy, number), of_requests=True)
    context = {
        "policy": policy,
        "number": number,
        "place": number + 1,
        "new": number >= len(policy.rules),
        "policy_key": policy.key,
        "asked": asked_drawn(
            asked,
            name="approver",
            path=f"rules[{number}].approver",
            problems=problems or [],
            without_policy=policy.key,
        ),
        "problems": [problem_words(problem, {"rules": "Rule"}) for problem in problems or []],
        "rule_words": _WORDS,
        **rows,
        "lists": [*rows["lists"], *asked_lists()],
    }
    status = 422 if problems else 200
    return render(request, "workflows/policy_rule_edit.html", context, status=status)
