"""What people do about an application: read it, say whose an account is, mend what differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from integrations.access_calls import is_readable
from integrations.access_reading import MatchRefusedError, reading_ask, reported_match
from integrations.models import AppAccess, Application, ReportedAccess
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to, person_by_email
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.access.drift import drift_of
from workflows.access.listing import UNKNOWN
from workflows.access.mending import Mended, Pair, access_mend
from workflows.access.owning import MEND, applications_owned, owner_of
from workflows.access.should import directory_today, rule_fields
from workflows.conditions.masking import names_of
from workflows.services import RefusedError
from workflows.views.application import looked_after

if TYPE_CHECKING:
    from django.db.models import QuerySet


@require_POST
@require()
def application_read(request: HttpRequest, key: str) -> HttpResponse:
    """Ask the connection soon who has it."""
    found = looked_after(request, key, MEND)
    if is_readable(found):
        reading_ask(found, now=clock.now(), actor=request.user)
        messages.success(
            request, f"{found.connection} is asked within a minute; load the page again then."
        )
    else:
        messages.error(request, f"No connection can say who has {found}.")
    return redirect("application", key=key)


@require_POST
@require("integrations.change_appaccess", "people.view_person")
def access_match(request: HttpRequest, pk: int) -> HttpResponse:
    """Say whose a reported account is."""
    row = get_object_or_404(ReportedAccess.objects.select_related("application__connection"), pk=pk)
    back = f"{reverse('application', args=[row.application.key])}?show={UNKNOWN}"
    person = person_by_email(request.POST.get("email", ""))
    if person is None:
        messages.error(request, "Nobody has this work email. Nothing was changed.")
        return redirect(back)
    try:
        reported_match(row, person, now=clock.now(), actor=request.user)
    except MatchRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{row.username or row.external_id} belongs to {person}.")
    return redirect(back)


@require_POST
@require()
def mend(request: HttpRequest) -> HttpResponse:
    """Do one thing for everybody who is ticked; each tick is “application:person”."""
    if not request.user.has_perms(MEND) and not _owned(request).exists():
        raise PermissionDenied
    back = _back(request)
    try:
        done = access_mend(
            _pairs(request),
            request.POST.get("act", ""),
            reason=request.POST.get("reason", ""),
            now=clock.now(),
            actor=request.user,
        )
    except RefusedError as error:
        messages.error(request, str(error))
        return redirect(back)
    for level, words in _told(done):
        messages.add_message(request, level, words)
    return redirect(back)


def _back(request: HttpRequest) -> str:
    """The page it was pressed on: an application's, a person's, else the list."""
    key, person = request.POST.get("application", ""), request.POST.get("person", "")
    if Application.objects.filter(key=key).exists():
        return reverse("application", args=[key])
    if person.isascii() and person.isdecimal() and len(person) < 18:
        return reverse("person-access", args=[person])
    return reverse("applications")


def _owned(request: HttpRequest) -> QuerySet[Application]:
    """Of what was ticked, or stands on the page, what the account owns."""
    keys = {text.partition(":")[0] for text in request.POST.getlist("pair")[:500]}
    return applications_owned(request.user).filter(
        key__in=keys | {request.POST.get("application", "")}
    )


def _pairs(request: HttpRequest) -> list[Pair]:
    """What was ticked, as far as it exists and may be seen."""
    ticked = [text.partition(":") for text in request.POST.getlist("pair")[:500]]
    keys = {key for key, _, _ in ticked}
    ids = {int(pk) for _, _, pk in ticked if pk.isascii() and pk.isdecimal() and len(pk) < 18}
    everywhere = request.user.has_perms(MEND)
    rows = Application.objects.filter(key__in=keys) if everywhere else _owned(request)
    known = {row.key: row for row in rows.select_related("connection")}
    people = people_visible_to(request.user).filter(pk__in=ids).in_bulk()
    if not everywhere:
        people = Person.objects.filter(pk__in=ids).in_bulk()
    found = [
        Pair(application=known[key], person=people[int(pk)])
        for key, _, pk in dict.fromkeys(ticked)
        if key in known and pk.isdecimal() and int(pk) in people
    ]
    return found if everywhere else _shown_to_owner(request, found)


def _shown_to_owner(request: HttpRequest, pairs: list[Pair]) -> list[Pair]:
    """Only whom the owner's page shows, and never themselves."""
    own = owner_of(request.user)
    unseen = names_of(fields_hidden_from(request.user))
    shown: dict[str, set[int]] = {}
    for application in {pair.application.key: pair.application for pair in pairs}.values():
        drift = drift_of(application, people=directory_today(clock.now()))
        if rule_fields(application.entitle) & unseen:
            drift = drift.without_rule()
        holders = application.accesses.exclude(state=AppAccess.State.REVOKED)
        shown[application.key] = set(holders.values_list("person_id", flat=True)).union(
            *drift.kinds.values()
        )
    return [
        pair
        for pair in pairs
        if pair.person.pk in shown[pair.application.key] and pair.person != own
    ]


def _told(done: Mended) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    going = len(done.runs) - done.held
    if going:
        runs = "One run" if going == 1 else f"{going} runs"
        found.append((messages.SUCCESS, f"{runs} started; the pages show how far they are."))
    if done.held:
        found.append(
            (
                messages.WARNING,
                f"{done.held} held: {done.runs[0].reason} Nothing has happened yet.",
            )
        )
    if done.written:
        found.append((messages.SUCCESS, f"{done.written} written down."))
    if done.passed_over:
        found.append(
            (
                messages.WARNING,
                f"{done.passed_over} passed over: the connection says otherwise, or they are not "
                "in the directory any more.",
            )
        )
    return found
