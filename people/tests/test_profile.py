"""One person's page and what it is made of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from people.models import FieldPolicy, LegalEntity
from people.moments import MomentError, moment_asked
from people.overriding import person_override_set
from people.records import WorkerRecord
from people.services import person_protect_set
from people.tests.build import NOW, TODAY, boss, day, feed, person, worker
from people.timeline import SIZE, timeline_page

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def staff(client: Client, *permissions: str) -> User:
    user = User.objects.create(username="it", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def owner() -> User:
    return User.objects.create_superuser("owner")


def company() -> None:
    feed([boss(), ana(), worker("tom")])


def ana(**values: Any) -> WorkerRecord:
    return worker("ana", date_of_birth=day(-9000), **values)


def page(client: Client, name: str, query: str = "") -> str:
    answer = client.get(f"/people/{person(name).pk}/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_value_set_by_hand_says_who_when_and_why(client: Client) -> None:
    company()
    user = owner()
    client.force_login(user)
    person_override_set(
        person("ana"), field="seniority", value="Staff", reason="Agreed in May", now=NOW, actor=user
    )
    html = page(client, "ana")
    for words in ("Staff", "Set by hand", "Agreed in May", "owner"):
        assert words in html
    assert "Agreed in May" in page(client, "ana", "?tab=sources")


def test_timeline_tells_changes_with_source_and_actor(client: Client) -> None:
    company()
    user = owner()
    feed([boss(), ana(team="Design")], now=NOW + HOUR, complete=False)
    person_protect_set(person("ana"), protected=True, now=NOW + HOUR, actor=user)
    found = timeline_page(person("ana"), user=user, hidden=frozenset())
    told = [(row.kind, row.title, row.before, row.after) for row in found.rows]
    assert ("changes", "Team", "Sales", "Design") in told
    assert ("activity", "Protected a person from automation", "", "") in told
    only = timeline_page(person("ana"), user=user, hidden=frozenset(), kind="changes")
    assert {row.kind for row in only.rows} == {"changes"}
    assert timeline_page(person("ana"), user=user, hidden={"team"}, kind="changes").rows == ()
    client.force_login(user)
    html = page(client, "ana", "?tab=timeline")
    assert "Design" in html
    assert "remote" in html


def test_timeline_has_pages_without_gaps_and_repetitions() -> None:
    company()
    user = owner()
    for step in range(SIZE + 5):
        feed([ana(job_title=f"T{step}")], now=NOW + step * HOUR, complete=False)
    pages = [timeline_page(person("ana"), user=user, hidden=(), number=n) for n in (1, 2, 3)]
    titles = [row.after for one in pages for row in one.rows]
    assert titles == [f"T{step}" for step in reversed(range(SIZE + 5))]
    assert [(one.has_previous, one.has_next) for one in pages] == [
        (False, True),
        (True, False),
        (True, False),
    ]


def test_page_shows_the_past_read_only(client: Client) -> None:
    company()
    client.force_login(owner())
    feed([boss(), ana(team="Design")], now=NOW + HOUR, complete=False)
    html = page(client, "ana", f"?as_of={NOW.isoformat().replace('+', '%2B')}")
    assert "This is the past" in html
    assert "Sales" in html
    assert "Design" not in html
    html = page(client, "ana", "?as_of=2020-01-01")
    assert "Not in the directory yet" in html


def test_list_of_then_counts_searches_and_leads_to_persons(client: Client) -> None:
    company()
    client.force_login(owner())
    feed([boss(), ana(full_name="Ana Silva", team="Design")], now=NOW + HOUR)
    text = NOW.isoformat().replace("+", "%2B")
    html = client.get(f"/people/?as_of={text}", follow=True).content.decode()
    assert "Ana Silva" not in html
    assert "Tom" in html
    html = client.get(f"/people/as-of/?as_of={text}&q=ana").content.decode()
    assert "Tom" not in html
    assert client.get("/people/as-of/?as_of=nonsense").status_code == 302


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        ("2026-11-23", "2026-11-23T23:59:59.999999+00:00"),
        (TODAY.isoformat(), NOW.isoformat()),
        ("2026-11-23T10:00", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T10:00 02:00", "2026-11-23T10:00:00+02:00"),
    ],
)
def test_moment_is_read_in_the_zone_of_the_workspace(text: str, expected: str | None) -> None:
    found = moment_asked(text, now=NOW)
    assert (found.isoformat() if found else None) == expected


@pytest.mark.parametrize("text", ["soon", "2026-13-01", "2026-11-25", "2027-01-01T00:00", "9" * 40])
def test_moment_that_is_none_or_to_come_is_refused(text: str) -> None:
    with pytest.raises(MomentError):
        moment_asked(text, now=NOW)


def test_payload_needs_its_right_and_never_shows_hidden_fields(client: Client) -> None:
    company()
    FieldPolicy.objects.create(field="legal_entity", visible_to=["HR admin"])
    user = staff(client, "view_person")
    assert "<pre" not in page(client, "ana", "?tab=sources")
    user.user_permissions.add(Permission.objects.get(codename="view_raw_payload"))
    html = page(client, "ana", "?tab=sources")
    assert "contract_status_raw" in html
    assert day(-9000).isoformat() not in html
    assert "Acme SAS" not in html
    assert "Acme SAS" not in page(client, "ana")


def test_problems_say_what_to_do_on_the_page_and_together(client: Client) -> None:
    feed([boss(), worker("ana", manager_email="who@acme.test"), worker("tom", country="USA")])
    client.force_login(owner())
    assert "Manager not found" in page(client, "ana")
    html = client.get("/people/problems/").content.decode()
    for words in ("No time zone", "Manager not found", "No manager", "who@acme.test"):
        assert words in html
    LegalEntity.objects.update(timezone="America/Denver")


def test_manager_sees_their_tree_with_allowed_fields_only(client: Client) -> None:
    feed(
        [
            boss(),
            worker("lead"),
            worker("ana", manager_email="lead@acme.test", date_of_birth=day(-9000)),
            worker("tom", manager_email="ana@acme.test", country="DEU"),
            worker("zoe"),
        ]
    )
    for hidden in ("country", "team"):
        FieldPolicy.objects.create(field=hidden, visible_to=["HR admin"])
    client.force_login(User.objects.create_user("lead", "lead@acme.test"))
    html = client.get("/people/").content.decode()
    assert "Ana" in html
    assert "Tom" in html
    assert "Zoe" not in html
    assert "Germany" not in html
    assert "Sales" not in html
    assert client.get("/people/", {"q": "tom"}).content.decode().count("person-name") == 1
    html = page(client, "tom")
    assert "Germany" not in html
    assert "Sales" not in html
    assert "Timeline" not in html
    assert "Sources" not in html
    assert client.get(f"/people/{person('zoe').pk}/").status_code == 404
    assert "This is the past" not in page(client, "tom", f"?as_of={TODAY.isoformat()}")


def test_country_that_is_hidden_has_no_pages(client: Client) -> None:
    company()
    staff(client, "view_person", "view_team", "view_legalentity", "view_employmenttype")
    assert "France" in client.get("/people/locations/").content.decode()
    assert "Ana" in client.get("/people/locations/FRA/").content.decode()
    assert client.get("/people/locations/ZZZ/").status_code == 404
    FieldPolicy.objects.create(field="country", visible_to=["HR admin"])
    assert client.get("/people/locations/FRA/").status_code == 404
    entity = LegalEntity.objects.get()
    html = client.get(f"/people/entities/{entity.pk}/").content.decode()
    assert "the workspace" in html
    assert "Sales" in client.get("/people/teams/").content.decode()
    assert "EOR Employee" in client.get("/people/employment-types/").content.decode()


def test_home_leads_to_data_problems_for_who_sees_everybody(client: Client) -> None:
    feed([boss(), worker("ana", manager_email="who@acme.test")])
    client.force_login(owner())
    assert "/people/problems/" in client.get("/").content.decode()
    client.force_login(User.objects.create_user("ana", "ana@acme.test"))
    assert "/people/problems/" not in client.get("/").content.decode()
