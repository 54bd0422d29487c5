"""Who is who, and who sees whom."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, Permission, User

from people.models import FieldPolicy, LegalEntity, Person
from people.selectors import (
    manager_chain,
    people_visible_to,
    person_by_email,
    reports_tree_ids,
    search,
    timezone_of,
    visible_fields,
)
from people.tabs import people_tabs
from people.tests.build import NOW, boss, feed, person, worker

pytestmark = pytest.mark.django_db


def chain() -> None:
    feed(
        [
            boss(),
            worker("lead"),
            worker("ana", "Ána Łopez", work_email="ana@acme.test", manager_email="lead@acme.test"),
            worker("tom", manager_email="ana@acme.test", contract_status="upcoming"),
        ]
    )


def test_former_address_still_finds_the_person() -> None:
    feed([worker("w1", "Ana")])
    feed([worker("w1", "Ana", work_email="ana.s@acme.test")], now=NOW + timedelta(hours=1))
    assert person_by_email(" ANA@acme.test") == person("ana.s")
    assert person_by_email("nobody@acme.test") is None
    assert person_by_email("") is None


def test_chain_and_tree_follow_managers() -> None:
    chain()
    assert [found.full_name for found in manager_chain(person("tom"))] == [
        "Ána Łopez",
        "Lead",
        "Boss",
    ]
    assert reports_tree_ids(person("lead")) == {person("ana").pk, person("tom").pk}


def test_chain_and_tree_end_in_a_circle() -> None:
    feed(
        [
            worker("a", manager_email="b@acme.test"),
            worker("b", manager_email="c@acme.test"),
            worker("c", manager_email="a@acme.test"),
        ]
    )
    assert [found.full_name for found in manager_chain(person("a"))] == ["B", "C"]
    assert len(reports_tree_ids(person("a"))) == 2
    assert person("a").problems == ["manager_cycle"]


@pytest.mark.parametrize(
    ("email", "seen"),
    [
        ("lead@acme.test", {"lead", "ana", "tom"}),
        ("tom@acme.test", {"tom"}),
        ("stranger@acme.test", set()),
    ],
)
def test_managers_see_their_tree_and_employees_themselves(email: str, seen: set[str]) -> None:
    chain()
    user = User.objects.create(username=email, email=email)
    visible = people_visible_to(user).values_list("work_email", flat=True)
    assert set(visible) == {f"{name}@acme.test" for name in seen}
    assert not people_visible_to(AnonymousUser()).exists()


def test_staff_sees_everybody_but_private_fields_only_with_the_right() -> None:
    chain()
    user = User.objects.create(username="it")
    user.user_permissions.add(Permission.objects.get(codename="view_person"))
    FieldPolicy.objects.create(field="seniority", visible_to=["HR admin"])
    assert people_visible_to(user).count() == 4
    assert not {"date_of_birth", "seniority"} & visible_fields(user)


def test_search_ignores_accents_and_order() -> None:
    chain()
    assert [found.full_name for found in search(Person.objects.all(), "lopez ANA")] == ["Ána Łopez"]
    assert not search(Person.objects.all(), "lopez tom").exists()


def test_tabs_count_statuses_and_problems() -> None:
    chain()
    assert people_tabs(Person.objects.all()) == {
        "current": 4,
        "hired": 0,
        "active": 4,
        "offboarding": 0,
        "ended": 0,
        "external": 0,
        "problems": 1,
        "all": 4,
    }


def test_time_zone_falls_back_to_entity_and_workspace() -> None:
    feed([worker("w1", country="USA")])
    assert timezone_of(person("w1")) == "UTC"
    LegalEntity.objects.update(timezone="America/Denver")
    assert timezone_of(person("w1")) == "America/Denver"
