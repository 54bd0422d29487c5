"""The directory for people who use it, not only administer it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET

from people.identity import fields_hidden_from, person_of
from people.profile import profile_groups
from people.selectors import manager_chain, people_visible_to
from siit_remote.access import require

if TYPE_CHECKING:
    from people.models import Person

_LAST_CHANGES = 50


@require_GET
@require()
def people(request: HttpRequest) -> HttpResponse:
    """The whole directory for who may see it; a manager's team, an employee's own entry."""
    if request.user.is_staff and request.user.has_perm("people.view_person"):
        return redirect("admin:people_person_changelist")
    me = person_of(request.user)
    team = people_visible_to(request.user).select_related("team", "manager", "legal_entity")
    if me is not None:
        team = team.exclude(pk=me.pk)
    return render(request, "people/team.html", {"me": me, "team": team})


@require_GET
@require()
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One person. Whom the account may not see does not exist for it (404)."""
    found = get_object_or_404(
        people_visible_to(request.user).select_related("team", "manager", "legal_entity"), pk=pk
    )
    return render(request, "people/person.html", _context(request.user, found))


def _context(user: Any, found: Person) -> dict[str, Any]:
    hidden = fields_hidden_from(user)
    open_to = people_visible_to(user)
    chain = manager_chain(found)
    everything = user.has_perm("people.view_person")
    return {
        "person": found,
        "groups": profile_groups(found, hidden=hidden),
        "chain": chain,
        "openable": set(
            open_to.filter(pk__in=[above.pk for above in chain]).values_list("pk", flat=True)
        ),
        "reports": open_to.filter(manager=found).select_related("team"),
        "records": found.source_records.all() if everything else [],
        "changes": found.changes.exclude(field__in=hidden)[:_LAST_CHANGES] if everything else [],
        "sees_everything": everything,
    }
