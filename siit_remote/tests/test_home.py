"""The first page shows to each what they may see and must do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse

from people.models import FieldPolicy, Person
from siit_remote.health import overview
from siit_remote.home import SHOWN, coming_up, notices, waiting_for
from siit_remote.lib import clock
from siit_remote.roles import HR_ADMIN
from siit_remote.tests.people_with_roles import Company

TODAY = date(2026, 12, 1)


def _dates(person: Person, **dates: date) -> None:
    Person.objects.filter(pk=person.pk).update(**dates)


def _open(company: Company, who: str) -> str:
    client = Client()
    client.force_login(company.users[who])
    return client.get(reverse("home")).content.decode()


def test_notices_name_what_is_held_and_where_to_look(company: Company) -> None:
    found = notices(overview(company.users["hr"]))
    sync, run = company.objects["sync"], company.objects["run"]
    assert [note.url for note in found] == [
        reverse("sync-run", args=["remote", sync.pk]),
        reverse("holds"),
        reverse("integrations"),
        f"{reverse('runs')}?state=held",
    ]
    assert "Would end 9 people." in found[0].words
    assert "nothing is taken from anybody" in found[2].words
    assert run.reason not in found[3].words


def test_notices_are_empty_for_who_may_not_see_connections(company: Company) -> None:
    assert notices(overview(company.users["employee"])) == []


@pytest.mark.parametrize("days", [0, 30])
def test_coming_up_includes_both_ends_of_the_span(company: Company, days: int) -> None:
    _dates(company.people["report"], start_date=TODAY + timedelta(days=days))
    found = coming_up(company.users["hr"], today=TODAY)
    assert [(item.person.pk, item.leaves) for item in found] == [
        (company.people["report"].pk, False)
    ]


@pytest.mark.parametrize("days", [-1, 31])
def test_coming_up_leaves_out_other_days(company: Company, days: int) -> None:
    _dates(company.people["report"], end_date=TODAY + timedelta(days=days))
    assert coming_up(company.users["hr"], today=TODAY) == []


def test_coming_up_shows_a_manager_only_their_own_reports(company: Company) -> None:
    for name in ("report", "employee", "manager"):
        _dates(company.people[name], end_date=TODAY)
    found = coming_up(company.users["manager"], today=TODAY)
    assert [item.person.pk for item in found] == [company.people["report"].pk]


def test_coming_up_keeps_hidden_dates_hidden(company: Company) -> None:
    _dates(company.people["report"], end_date=TODAY)
    FieldPolicy.objects.create(field="end_date", visible_to=[HR_ADMIN])
    assert coming_up(company.users["it"], today=TODAY) == []
    assert len(coming_up(company.users["hr"], today=TODAY)) == 1


def test_coming_up_is_sorted_and_short(company: Company) -> None:
    now = clock.now()
    for number in range(SHOWN + 3):
        Person.objects.create(
            work_email=f"n{number}@acme.test",
            status="active",
            start_date=TODAY + timedelta(days=SHOWN + 3 - number),
            created_at=now,
            updated_at=now,
        )
    found = coming_up(company.users["hr"], today=TODAY)
    assert len(found) == SHOWN
    assert [item.on for item in found] == sorted(item.on for item in found)


def test_waiting_is_what_the_person_is_asked(company: Company) -> None:
    waiting = waiting_for(company.people["manager"])
    assert waiting.approvals == [company.objects["approval"]]
    assert waiting_for(company.people["employee"]).requests == [company.objects["request"]]
    assert waiting_for(None).approvals == []


def test_strangers_see_nobody_coming(db: None) -> None:
    assert coming_up(AnonymousUser(), today=TODAY) == []


def test_page_greets_by_name_and_shows_what_waits(company: Company) -> None:
    page = _open(company, "manager")
    assert "Ship a laptop" in page
    assert '<span class="account-name">Manager Example</span>' in page
    assert "Connections" not in page
