"""Settings: who may do what with the workflows of each category."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from siit_remote.access import require
from workflows.category_rights import (
    GRANTED_TO,
    OWNER,
    PERMISSION,
    WORDS,
    categories_known,
    category_rights_save,
    folded,
)
from workflows.models import CategoryRights, Workflow

BY_ROLE = "by-role"
CHOICES: tuple[tuple[str, str, tuple[str, ...] | None], ...] = (
    (BY_ROLE, "Whoever may by their role", None),
    ("owner", "Only the Owner", (OWNER,)),
    ("hr", "HR admins", (GRANTED_TO[0],)),
    ("it", "IT staff", (GRANTED_TO[1],)),
    ("both", "HR admins and IT staff", GRANTED_TO),
)
"""What can be chosen for a right: its key, its words, the roles that are named then."""


def _chosen(roles: Any) -> str:
    wanted = set(roles) - {OWNER} if roles is not None else None
    for key, _, named in CHOICES:
        if (set(named) - {OWNER} if named is not None else None) == wanted:
            return key
    return BY_ROLE


@require_GET
@require("workflows.view_categoryrights")
def category_rights(request: HttpRequest) -> HttpResponse:
    """Every category with who has which right on it."""
    kept = {row.category: row.rights for row in CategoryRights.objects.all()}
    counts: dict[str, int] = {}
    for name in Workflow.objects.values_list("category", flat=True):
        counts[folded(name)] = counts.get(folded(name), 0) + 1
    rows = [
        {
            "category": name,
            "count": counts.get(folded(name), 0),
            "rights": [
                (right, words, _chosen(kept.get(folded(name), {}).get(right)))
                for right, words in WORDS.items()
            ],
        }
        for name in categories_known()
    ]
    choices = [(key, words) for key, words, _ in CHOICES]
    return render(request, "workflows/category_rights.html", {"rows": rows, "choices": choices})


@require_POST
@require("workflows.change_categoryrights")
def category_rights_set(request: HttpRequest) -> HttpResponse:
    """Keep what was chosen for one category."""
    named = {key: roles for key, _, roles in CHOICES}
    category = request.POST.get("category", "").strip()[:100]
    chosen = {right: request.POST.get(right, BY_ROLE) for right in PERMISSION}
    if any(choice not in named for choice in chosen.values()):
        messages.error(request, "Choose who may, for each line.")
        return redirect("category-rights")
    rights = {right: roles for right, key in chosen.items() if (roles := named[key]) is not None}
    changed = category_rights_save(category, rights, actor=request.user)
    name = f"“{category}”" if category else "workflows without a category"
    words = f"The rights on {name} are saved." if changed else "Nothing was changed."
    messages.success(request, words)
    return redirect("category-rights")
