"""The guide inside the product: a few pages for who sets it up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from siit_remote.access import require

if TYPE_CHECKING:
    from django.http import HttpRequest

# Every staff role has it, and nobody else.
_STAFF: Final = "integrations.view_connection"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuidePage:
    """One page: ``slug`` is its address and the name of its template."""

    slug: str
    title: str
    summary: str
    icon: str


PAGES: Final = (
    GuidePage(
        slug="connect",
        title="Connect Remote",
        summary="From the token to the first import, and what each step tells you.",
        icon="plug",
    ),
    GuidePage(
        slug="people",
        title="Confirm your people list",
        summary="Who should be there, who is not, and where to mend it.",
        icon="users",
    ),
    GuidePage(
        slug="mapping",
        title="Mapping and source of truth",
        summary="What the words mean, and which source wins for which field.",
        icon="split",
    ),
    GuidePage(
        slug="source-of-truth",
        title="Which source is right",
        summary="Two sources, values set by hand, and fields of your own.",
        icon="table",
    ),
    GuidePage(
        slug="first-workflow",
        title="Your first workflow",
        summary="Offboarding by the end of the contract, tried before it is live.",
        icon="workflow",
    ),
    GuidePage(
        slug="applications",
        title="Applications and leavers",
        summary="Who gets what by rule, what differs, and the proof after the last day.",
        icon="app-window",
    ),
    GuidePage(
        slug="accounts",
        title="Accounts and Slack",
        summary="Okta, Entra, other identity providers, and approvals in Slack.",
        icon="key",
    ),
    GuidePage(
        slug="tasks-and-equipment",
        title="Tasks and equipment",
        summary="Who gets which work, what if nobody does it, and how a laptop finds its way.",
        icon="list-checks",
    ),
    GuidePage(
        slug="troubleshooting",
        title="Troubleshooting",
        summary="What you see, why, and the screen that solves it.",
        icon="wrench",
    ),
)


@require_GET
@require(_STAFF)
def guide(request: HttpRequest) -> HttpResponse:
    """All pages of the guide."""
    return render(request, "guide/index.html", {"pages": PAGES})


@require_GET
@require(_STAFF)
def guide_page(request: HttpRequest, slug: str) -> HttpResponse:
    """One page of the guide."""
    found = next((page for page in PAGES if page.slug == slug), None)
    if found is None:
        raise Http404
    place = PAGES.index(found)
    context = {
        "pages": PAGES,
        "guide_page": found,
        "following": PAGES[place + 1] if place + 1 < len(PAGES) else None,
    }
    return render(request, f"guide/{found.slug}.html", context)
