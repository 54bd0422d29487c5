"""Who decides in whose place, and who is away."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from people.identity import person_of
from people.models import Person
from siit_remote.access import require
from siit_remote.lib import clock
from workflows.models import Absence, Delegation
from workflows.standing_in import (
    StandingInRefusedError,
    absence_end,
    absence_set,
    delegation_end,
    delegation_make,
    today_of,
)
from workflows.views.person_field import PersonField

_FOR_OTHERS = "workflows.add_delegation"
_SHOWN = 100


class _DateInput(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class DelegationForm(forms.Form):
    """Who, for whom, when. ``approver`` is there only for who may do it for others."""

    approver = PersonField(label="For whom", required=True)
    delegate = PersonField(label="Who decides in their place")
    kind = forms.ChoiceField(label="When", choices=Delegation.Kind.choices)
    starts_on = forms.DateField(label="First day", widget=_DateInput())
    ends_on = forms.DateField(
        label="Last day",
        required=False,
        widget=_DateInput(),
        help_text="Only between two dates.",
    )

    def __init__(self, *args: Any, for_others: bool, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_on"].initial = today
        if not for_others:
            del self.fields["approver"]
            self.fields["delegate"].label = "Who decides in your place"


class AbsenceForm(forms.Form):
    """From when to when somebody is away."""

    person = PersonField(label="Who", required=True)
    starts_on = forms.DateField(label="First day away", widget=_DateInput())
    ends_on = forms.DateField(
        label="Last day away",
        required=False,
        widget=_DateInput(),
        help_text="Empty: until you say that you are back.",
    )

    def __init__(self, *args: Any, for_others: bool, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Two forms on one page: their inputs must not share an id.
        self.auto_id = "id_away_%s"
        self.fields["starts_on"].initial = today
        if not for_others:
            del self.fields["person"]


def _setting(request: HttpRequest) -> tuple[Person | None, bool, date]:
    """Who is signed in, whether they may act for others, and their date."""
    me = person_of(request.user)
    now = clock.now()
    today = today_of(me, now) if me is not None else now.date()
    return me, request.user.has_perm(_FOR_OTHERS), today


@require_GET
@require()
def delegations(request: HttpRequest) -> HttpResponse:
    """One's own delegations and absences; HR sees everybody's."""
    me, for_others, today = _setting(request)
    return _page(
        request,
        me,
        for_others,
        DelegationForm(for_others=for_others, today=today, initial={"approver": me}),
        AbsenceForm(for_others=for_others, today=today, initial={"person": me}),
    )


def _page(
    request: HttpRequest,
    me: Person | None,
    for_others: bool,
    form: DelegationForm,
    away: AbsenceForm,
    *,
    status: int = 200,
) -> HttpResponse:
    rows = Delegation.objects.select_related("approver", "delegate")
    absences = Absence.objects.select_related("person")
    if not for_others:
        rows = rows.filter(Q(approver=me) | Q(delegate=me)) if me else rows.none()
        absences = absences.filter(person=me) if me else absences.none()
    today = clock.now().date()
    over = Q(ended_at__isnull=False) | Q(ends_on__lt=today)
    context = {
        "me": me,
        "for_others": for_others,
        "form": form,
        "away_form": away,
        "current": rows.exclude(over)[:_SHOWN],
        "past": rows.filter(over)[:_SHOWN],
        "absences": absences.exclude(over)[:_SHOWN],
    }
    return render(request, "workflows/delegations.html", context, status=status)


def _kept(request: HttpRequest, form: forms.Form, act: Callable[[dict[str, Any]], str]) -> bool:
    """Carry out ``act`` with what a valid form says; its refusal stands above the form."""
    if not form.is_valid():
        return False
    try:
        done = act(form.cleaned_data)
    except StandingInRefusedError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, done)
    return True


def _whom(asked: Any, me: Person | None) -> Person:
    """Whom it is for: somebody named, else who is signed in. Raises ``PermissionDenied``."""
    whom: Person | None = asked or me
    if whom is None:
        raise PermissionDenied
    return whom


def _ended(request: HttpRequest, act: Callable[[], object], done: str) -> HttpResponse:
    try:
        act()
    except StandingInRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("delegations")


@require_POST
@require()
def delegation_new(request: HttpRequest) -> HttpResponse:
    """Let somebody decide in one's place; HR also in others'."""
    me, for_others, today = _setting(request)
    form = DelegationForm(request.POST, for_others=for_others, today=today)
    away = AbsenceForm(for_others=for_others, today=today, initial={"person": me})

    def act(values: dict[str, Any]) -> str:
        row = delegation_make(
            approver=_whom(values.get("approver"), me),
            delegate=values["delegate"],
            kind=values["kind"],
            starts_on=values["starts_on"],
            ends_on=values["ends_on"],
            now=clock.now(),
            actor=request.user,
        )
        return f"{row.delegate} may decide in place of {row.approver}."

    if _kept(request, form, act):
        return redirect("delegations")
    return _page(request, me, for_others, form, away, status=422)


@require_POST
@require()
def absence_new(request: HttpRequest) -> HttpResponse:
    """Say that one is away; HR also of others."""
    me, for_others, today = _setting(request)
    away = AbsenceForm(request.POST, for_others=for_others, today=today)
    form = DelegationForm(for_others=for_others, today=today, initial={"approver": me})

    def act(values: dict[str, Any]) -> str:
        person = _whom(values.get("person"), me)
        absence_set(
            person,
            starts_on=values["starts_on"],
            ends_on=values["ends_on"],
            now=clock.now(),
            actor=request.user,
        )
        return f"{person} is away."

    if _kept(request, away, act):
        return redirect("delegations")
    return _page(request, me, for_others, form, away, status=422)


@require_POST
@require()
def delegation_over(request: HttpRequest, pk: int) -> HttpResponse:
    """End a delegation of one's own; HR any."""
    me, for_others, _ = _setting(request)
    rows = Delegation.objects.all() if for_others else Delegation.objects.filter(approver=me)
    row = get_object_or_404(rows.select_related("approver", "delegate"), pk=pk)
    return _ended(
        request,
        lambda: delegation_end(row, now=clock.now(), actor=request.user),
        f"{row.delegate} decides nothing more for {row.approver}.",
    )


@require_POST
@require()
def absence_over(request: HttpRequest, pk: int) -> HttpResponse:
    """Back again."""
    me, for_others, _ = _setting(request)
    rows = Absence.objects.all() if for_others else Absence.objects.filter(person=me)
    row = get_object_or_404(rows.select_related("person"), pk=pk)
    return _ended(
        request,
        lambda: absence_end(row, now=clock.now(), actor=request.user),
        f"{row.person} is back.",
    )
