"""Delegations and absences: by dates, never backwards, never in a circle."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from people.choices import PersonStatus
from people.models import Person
from siit_remote.audit.models import AuditEntry
from workflows.models import Delegation
from workflows.standing_in import (
    StandingInRefusedError,
    absence_end,
    absence_set,
    delegation_end,
    delegation_make,
    stands_in_for,
)
from workflows.tests.asking_kit import T0, day, person_make

pytestmark = pytest.mark.django_db
TODAY = T0.date()
PERMANENT = Delegation.Kind.PERMANENT


def make(approver: Person, delegate: Person, **values: Any) -> Delegation:
    values = {
        "kind": PERMANENT,
        "starts_on": TODAY,
        "ends_on": None,
        "now": T0,
        "actor": None,
    } | values
    return delegation_make(approver=approver, delegate=delegate, **values)


def test_permanent_one_holds_until_it_is_ended_and_is_kept() -> None:
    ana, bob = person_make("ana"), person_make("bob")
    row = make(ana, bob)
    assert stands_in_for(bob, day(400)) == {ana.pk}
    delegation_end(row, now=T0, actor=None)
    assert stands_in_for(bob, T0) == set()
    assert Delegation.objects.count() == 1
    with pytest.raises(StandingInRefusedError, match="ended already"):
        delegation_end(row, now=T0, actor=None)
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert actions == {"delegation.made", "delegation.ended"}


def test_while_away_holds_on_the_days_of_absence_only() -> None:
    ana, bob = person_make("ana"), person_make("bob")
    make(ana, bob, kind=Delegation.Kind.WHILE_AWAY)
    assert stands_in_for(bob, T0) == set()
    absence = absence_set(
        ana, starts_on=TODAY + timedelta(2), ends_on=TODAY + timedelta(4), now=T0, actor=None
    )
    held = [bool(stands_in_for(bob, day(number))) for number in range(7)]
    assert held == [False, False, True, True, True, False, False]
    absence_end(absence, now=day(3), actor=None)
    assert stands_in_for(bob, day(3)) == set()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"starts_on": TODAY - timedelta(1)}, "never in the past"),
        ({"kind": "dates"}, "last day"),
        ({"kind": "dates", "ends_on": TODAY - timedelta(1)}, "before the first"),
    ],
)
def test_what_reaches_back_or_makes_no_sense_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(StandingInRefusedError, match=said):
        make(person_make("ana"), person_make("bob"), **values)
    assert not Delegation.objects.exists()


def test_the_past_is_the_approvers_own() -> None:
    ana, bob = person_make("ana", timezone="Pacific/Auckland"), person_make("bob")
    evening = T0.replace(hour=20)
    with pytest.raises(StandingInRefusedError):
        make(ana, bob, now=evening, starts_on=date(2026, 11, 2))
    make(ana, bob, now=evening, starts_on=date(2026, 11, 3))


def test_circle_of_any_length_is_refused_while_the_days_overlap() -> None:
    people = [person_make(name) for name in ("ana", "bob", "kim")]
    ana, bob, kim = people
    make(ana, bob)
    make(bob, kim, kind="dates", ends_on=TODAY + timedelta(5))
    with pytest.raises(StandingInRefusedError, match="circle: Kim → Ana → Bob → Kim"):
        make(kim, ana)
    with pytest.raises(StandingInRefusedError, match="circle"):
        make(bob, ana)
    make(kim, ana, starts_on=TODAY + timedelta(6))


def test_nobody_stands_in_for_themselves_or_after_leaving() -> None:
    ana, gone = person_make("ana"), person_make("gone", status=PersonStatus.ENDED)
    for approver, delegate in ((ana, ana), (ana, gone), (gone, ana)):
        with pytest.raises(StandingInRefusedError):
            make(approver, delegate)
