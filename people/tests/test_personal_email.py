"""The personal email: from the source, private, set by hand only as an address."""

from __future__ import annotations

import pytest
from django.test import Client

from people.export import export_rows
from people.identity import fields_hidden_from
from people.models import Person
from people.overriding import OverrideError, person_override_set
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company

pytestmark = pytest.mark.django_db
SECRET = "report@home.test"


@pytest.fixture
def company() -> Company:
    made = small_company()
    person_override_set(
        made.people["report"], field="personal_email", value="Report@Home.test", reason="Told us",
        now=clock.now(), actor=made.users["hr"],
    )  # fmt: skip
    return made


def _pages(company: Company) -> list[str]:
    pk = company.people["report"].pk
    tabs = [f"/people/{pk}/{tab}" for tab in ("", "?tab=timeline", "?tab=sources")]
    return [*tabs, "/people/?column=personal_email", f"/admin/people/person/{pk}/change/"]


@pytest.mark.parametrize(("who", "sees"), [("hr", True), ("it", False), ("manager", False)])
def test_it_is_shown_to_hr_alone(company: Company, who: str, sees: bool) -> None:
    client = Client()
    client.force_login(company.users[who])
    seen = [page for page in _pages(company) if SECRET in client.get(page).content.decode()]
    assert bool(seen) is sees, seen
    (row,) = export_rows(
        Person.objects.filter(pk=company.people["report"].pk),
        hidden=fields_hidden_from(company.users[who]),
    )
    assert (row.get("personal_email") == SECRET) is sees


def test_what_is_no_address_cannot_be_set(company: Company) -> None:
    person = company.people["report"]
    with pytest.raises(OverrideError, match="Write an email address"):
        person_override_set(
            person, field="personal_email", value="home", reason="x", now=clock.now()
        )
    assert Person.objects.get(pk=person.pk).personal_email == SECRET
