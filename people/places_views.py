"""Pages of teams, legal entities, locations and employment types, for everybody on the staff."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from people.choices import PersonStatus
from people.countries import country_name
from people.identity import fields_hidden_from
from people.models import LegalEntity, Person, Team
from people.places import (
    coverage,
    employment_types,
    entities,
    locations,
    teams,
    worker_types_unmapped,
    zone_in_use,
)
from people.zones import zones_of
from siit_remote.access import require

if TYPE_CHECKING:
    from django.db.models import QuerySet

_PAGE = 50


def _list(request: HttpRequest, **context: Any) -> HttpResponse:
    return render(request, "people/places/list.html", context)


def _one(request: HttpRequest, people: QuerySet[Person], **context: Any) -> HttpResponse:
    here = people.exclude(status=PersonStatus.ENDED).select_related("team", "manager")
    page = Paginator(here, _PAGE).get_page(request.GET.get("page"))
    more = {"page": page, "coverage": coverage(people), "hidden": fields_hidden_from(request.user)}
    return render(request, "people/places/one.html", {**more, **context})


@require_GET
@require("people.view_team")
def team_list(request: HttpRequest) -> HttpResponse:
    """All teams."""
    return _list(request, title="Teams", places=teams(), url_name="team", icon_name="users-round",
                 empty="Teams appear when the HR system names departments.")  # fmt: skip


@require_GET
@require("people.view_team")
def team(request: HttpRequest, pk: int) -> HttpResponse:
    """One team."""
    found = get_object_or_404(Team, pk=pk)
    return _one(request, found.people.all(), title=found.name, back=("Teams", "teams"),
                filter=f"team={found.pk}", place=found)  # fmt: skip


@require_GET
@require("people.view_legalentity")
def entity_list(request: HttpRequest) -> HttpResponse:
    """All legal entities."""
    return _list(request, title="Legal entities", places=entities(), url_name="entity",
                 icon_name="building-2", with_lead=True,
                 empty="Legal entities appear with the first sync.")  # fmt: skip


@require_GET
@require("people.view_legalentity")
def entity(request: HttpRequest, pk: int) -> HttpResponse:
    """One legal entity, with its zone, language and lead."""
    found = get_object_or_404(LegalEntity.objects.select_related("lead"), pk=pk)
    zone, why = zone_in_use(found)
    return _one(request, found.people.all(), title=found.name, back=("Legal entities", "entities"),
                filter=f"entity={found.pk}", place=found, entity=found, zone=zone,
                zone_why=why)  # fmt: skip


@require_GET
@require("people.view_person")
def location_list(request: HttpRequest) -> HttpResponse:
    """All countries that somebody is in."""
    _country_open(request)
    return _list(request, title="Locations", places=locations(), url_name="location",
                 icon_name="map-pin", empty="Countries appear with the first sync.")  # fmt: skip


@require_GET
@require("people.view_person")
def location(request: HttpRequest, code: str) -> HttpResponse:
    """One country with its time zones."""
    _country_open(request)
    people = Person.objects.filter(country=code)
    if not people.exists():
        raise Http404
    return _one(request, people, title=country_name(code), back=("Locations", "locations"),
                filter=f"country={code}", zones=zones_of(code))  # fmt: skip


def _country_open(request: HttpRequest) -> None:
    """A page that tells who is where does not exist for who may not see the country."""
    if "country" in fields_hidden_from(request.user):
        raise Http404


@require_GET
@require("people.view_employmenttype")
def types(request: HttpRequest) -> HttpResponse:
    """Employment types and which worker types are mapped to each."""
    context = {"types": employment_types(), "unmapped": worker_types_unmapped()}
    return render(request, "people/places/types.html", context)
