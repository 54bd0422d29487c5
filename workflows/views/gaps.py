"""Gaps: what falls between the workflows, by kind, each with the way to mend it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from people.identity import fields_hidden_from
from siit_remote.lib import clock
from workflows.category_rights import rights_of
from workflows.gap_memory import gaps_known, gaps_look
from workflows.gaps import Gap, GapKind
from workflows.views.rights import right_somewhere

SECTIONS: tuple[tuple[GapKind, str, str], ...] = (
    (
        GapKind.LEAVER,
        "Leavers without a workflow",
        "They leave within 30 days, and no live workflow takes anything away. Widen the conditions "
        "of an offboarding, or publish one from the gallery.",
    ),
    (
        GapKind.JOINER,
        "Joiners without a workflow",
        "They start within 30 days, and no live workflow does anything for them.",
    ),
    (
        GapKind.COLLISION,
        "Pulled at from two sides",
        "Within a few days one workflow gives what another takes. Exclude them from one of both.",
    ),
    (
        GapKind.NOBODY,
        "Names that lead nowhere",
        "Something depends on a person who left or cannot sign in. Name somebody else.",
    ),
    (
        GapKind.CONNECTION,
        "Connections that are not ready",
        "The steps that need them will wait, or become tasks. Mend or connect them.",
    ),
    (
        GapKind.UNUSED,
        "Workflows nobody meets",
        "Live for 90 days without a single run. Look at the conditions, or archive them.",
    ),
)


@require_GET
@right_somewhere("view", "people.view_person")
def gaps(request: HttpRequest) -> HttpResponse:
    """Every gap there is now."""
    keys = rights_of(request.user).keys("view")
    now = clock.now()
    known = gaps_look(now=now) if "again" in request.GET else gaps_known(now=now)
    found = [gap for gap in known.gaps if gap.workflows <= keys]
    sections = [
        {
            "kind": kind,
            "title": title,
            "help": help_,
            "gaps": [(gap, _links(gap)) for gap in found if gap.kind == kind],
            "gallery": kind in (GapKind.LEAVER, GapKind.JOINER),
        }
        for kind, title, help_ in SECTIONS
    ]
    context = {
        "sections": [section for section in sections if section["gaps"]],
        "total": len(found),
        "at": known.at,
        "hidden": fields_hidden_from(request.user),
    }
    return render(request, "workflows/gaps.html", context)


def _links(gap: Gap) -> list[tuple[str, str]]:
    """(address, words) of where it is mended."""
    return [(reverse(link.url_name, args=link.args), link.words) for link in gap.links]
