"""Approver policies: rules in order, a baseline, who would be asked, and who leads an entity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from people.models import LegalEntity
from people.selectors import person_by_email
from siit_remote.access import require
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.keys import key_from
from workflows.catalogue import entity_lead_set, policy_save
from workflows.category_rights import CLOSED, rights_of
from workflows.conditions.describe import describe_group
from workflows.conditions.tree import parse_group
from workflows.designer.asked import asked_drawn, asked_read
from workflows.models import ApproverPolicy
from workflows.policies import policies_using, policy_uses
from workflows.problems import DocumentError, Problem
from workflows.rehearsal import FINDINGS, rehearse
from workflows.views.policy_asked import asked_lists
from workflows.views.rows import problem_words, row_done, rows_posted
from workflows.vocabulary import NodeVocabulary, vocabulary_now

_PLACES = {"rules": "Rule"}
_SHOWN = 50


def approver_words(spec: Mapping[str, Any], vocabulary: NodeVocabulary) -> str:
    """An approver as a sentence says it."""
    approver = vocabulary.approver(str(spec.get("type", "")))
    own = {key: value for key, value in spec.items() if key != "type"}
    return approver.sentence(own) if approver else f"“{spec.get('type')}” (not supported)"


def _rules_words(policy: ApproverPolicy, vocabulary: NodeVocabulary) -> list[tuple[str, str]]:
    """(condition, approver) of every rule, in words."""
    return [
        (_words(rule.get("when"), vocabulary), approver_words(rule["approver"], vocabulary))
        for rule in policy.rules
    ]


@require_GET
@require("workflows.view_approverpolicy")
def policies(request: HttpRequest) -> HttpResponse:
    """Every policy in words and what uses it."""
    vocabulary = vocabulary_now()
    rows = [
        {
            "policy": policy,
            "rules": _rules_words(policy, vocabulary),
            "baseline": approver_words(policy.baseline, vocabulary),
            "uses": policy_uses(policy.key),
        }
        for policy in ApproverPolicy.objects.all()
    ]
    return render(request, "workflows/policies.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require("workflows.add_approverpolicy")
def policy_new(request: HttpRequest) -> HttpResponse:
    """A new policy."""
    return _edit(request, ApproverPolicy(rules=[], baseline={"type": "manager"}), new=True)


@require_http_methods(["GET", "POST"])
@require("workflows.change_approverpolicy")
def policy_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a policy. Runs that have begun ask by it from their next look on."""
    return _edit(request, get_object_or_404(ApproverPolicy, key=key), new=False)


def _edit(request: HttpRequest, policy: ApproverPolicy, *, new: bool) -> HttpResponse:
    state = _stored(policy) if request.method == "GET" else _posted(request.POST, policy, new=new)
    problems: list[Problem] = []
    if request.method == "POST":
        do = request.POST.get("do", "save")
        if not _rules_moved(state, do) and do == "save":
            try:
                saved = policy_save(_row(state), new=new, actor=request.user)
            except DocumentError as error:
                problems = list(error.problems)
            else:
                messages.success(request, f"{saved} is saved.")
                return redirect("policy-edit", key=saved.key)
    context = {
        "policy": policy,
        "new": new,
        "state": _drawn(state, policy, problems),
        "problems": [problem_words(problem, _PLACES) for problem in problems],
        "lists": asked_lists(),
        "uses": [] if new else policy_uses(policy.key),
        "using": [] if new else policies_using(policy.key),
    }
    status = 422 if problems else 200
    return render(request, "workflows/policy_edit.html", context, status=status)


def _drawn(
    state: dict[str, Any], policy: ApproverPolicy, problems: list[Problem]
) -> dict[str, Any]:
    """What was typed or is stored, with an input of who is asked for each rule."""
    rules = [
        rule
        | {
            "title": f"rule {number + 1}",
            "asked": asked_drawn(
                rule["approver"],
                name=f"rule-{number}",
                path=f"rules[{number}].approver",
                problems=problems,
                without_policy=policy.key,
            ),
        }
        for number, rule in enumerate(state["rules"])
    ]
    baseline = asked_drawn(
        state["baseline"],
        name="baseline",
        path="baseline",
        problems=problems,
        without_policy=policy.key,
    )
    return state | {"rules": rules, "baseline": baseline}


def _rules_moved(state: dict[str, Any], do: str) -> bool:
    return row_done(state["rules"], do, "rule", blank={})


def _stored(policy: ApproverPolicy) -> dict[str, Any]:
    rules = [
        {
            "approver": rule.get("approver", {}),
            "when": json.dumps(rule["when"]),
            "words": _words(rule["when"]),
            "stored": number,
        }
        for number, rule in enumerate(policy.rules)
    ]
    return {"key": policy.key, "name": policy.name, "rules": rules, "baseline": policy.baseline}


def _words(when: Any, vocabulary: NodeVocabulary | None = None) -> str:
    types = (vocabulary or vocabulary_now()).field_types
    return describe_group(parse_group(when, "when")[0], types)


def _posted(post: Any, policy: ApproverPolicy, *, new: bool) -> dict[str, Any]:
    name = str(post.get("name", "")).strip()
    values = dict(post.lists())
    rules: list[dict[str, Any]] = []
    for number, row in enumerate(rows_posted(post, "rule", ("when", "stored"))):
        stored = int(row["stored"]) if row["stored"].isdecimal() else None
        approver = asked_read(values, f"rule-{number}")
        words = _words(_json(row["when"]))
        rules.append({**row, "approver": approver, "words": words, "stored": stored})
    return {
        "key": (str(post.get("key", "")).strip() or key_from(name, kind="policy"))
        if new
        else policy.key,
        "name": name,
        "rules": rules,
        "baseline": asked_read(values, "baseline"),
    }


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _row(state: Mapping[str, Any]) -> dict[str, Any]:
    missing = [number for number, rule in enumerate(state["rules"]) if not _json(rule["when"])]
    if missing:
        # An empty condition matches nobody: it is refused here rather than found out later.
        raise DocumentError(
            Problem(f"rules[{number}]", "Say for whom; a rule needs a condition.")
            for number in missing
        )
    return {
        "key": state["key"],
        "name": state["name"],
        "rules": [
            {"when": _json(rule["when"]), "approver": rule["approver"]} for rule in state["rules"]
        ],
        "baseline": state["baseline"],
    }


@require_POST
@require("workflows.delete_approverpolicy")
def policy_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Delete a policy that nothing uses."""
    found = get_object_or_404(ApproverPolicy, key=key)
    rights = rights_of(request.user)
    users = [
        use.workflow.name if rights.may("view", use.workflow.category) else CLOSED
        for use in policy_uses(key)
    ] + list(map(str, policies_using(key)))
    if users:
        messages.error(request, f"{found} is used by {', '.join(users)}; change that first.")
        return redirect("policy-edit", key=key)
    with transaction.atomic():
        found.delete()
        record(
            "policy.deleted",
            actor=request.user,
            object_type="policy",
            object_key=key,
            object_label=str(found),
        )
    messages.success(request, f"{found} is deleted.")
    return redirect("policies")


@require_GET
@require("workflows.view_approverpolicy", "people.view_person")
def policy_rehearsal(request: HttpRequest, key: str) -> HttpResponse:
    """Who would be asked for everybody, today."""
    found = get_object_or_404(ApproverPolicy, key=key)
    stages: tuple[Mapping[str, Any], ...] = ({"type": "policy", "key": key},)
    chosen = request.GET.get("step", "")
    rights = rights_of(request.user)
    uses = [
        use
        for use in policy_uses(key)
        if len(use.stages) > 1 and rights.may("view", use.workflow.category)
    ]
    for use in uses:
        if chosen == f"{use.workflow.key}.{use.step}":
            stages = use.stages
    result = rehearse(stages, now=clock.now())
    return render(
        request,
        "workflows/policy_rehearsal.html",
        {
            "policy": found,
            "result": result,
            "uses": uses,
            "chosen": chosen,
            "findings": [
                {
                    "label": label,
                    "count": result.counts[finding],
                    "rows": result.with_finding(finding)[:_SHOWN],
                }
                for finding, label in FINDINGS.items()
            ],
            "loads": result.loads[:_SHOWN],
            "fine": sum(not row.findings for row in result.rows),
        },
    )


@require_http_methods(["GET", "POST"])
@require("people.change_legalentity")
def entity_leads(request: HttpRequest) -> HttpResponse:
    """Who approves for which legal entity."""
    entities = list(LegalEntity.objects.select_related("lead").order_by("name"))
    if request.method == "GET":
        return render(request, "workflows/entity_leads.html", {"entities": entities})
    wanted: list[tuple[LegalEntity, Any]] = []
    for entity in entities:
        email = request.POST.get(f"lead-{entity.pk}", "").strip()
        lead = person_by_email(email) if email else None
        if email and lead is None:
            messages.error(request, f"{entity}: nobody has the work email {email}.")
            return redirect("entity-leads")
        if lead is not None and not lead.is_current:
            messages.error(request, f"{lead} has left and cannot lead {entity}.")
            return redirect("entity-leads")
        wanted.append((entity, lead))
    with transaction.atomic():
        changed = [
            entity.name
            for entity, lead in wanted
            if entity_lead_set(entity, lead, actor=request.user)
        ]
    messages.success(
        request, f"Saved: {', '.join(changed)}." if changed else "Nothing was changed."
    )
    return redirect("entity-leads")
