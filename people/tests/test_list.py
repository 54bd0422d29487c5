"""The list of people: tabs, filters, views, columns, the file, and what is done to many."""

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from people.many import people_override
from people.models import FieldOverride, FieldPolicy, ListColumns, Person, SavedView
from people.overriding import OverrideError
from people.tests.build import NOW, boss, day, feed, person, worker
from siit_remote.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
LIST = "/admin/people/person/"


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner"))
    return client


def staff(client: Client, *permissions: str, name: str = "it") -> User:
    user = User.objects.create(username=name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return user


def names(client: Client, **query: Any) -> set[str]:
    page = client.get(LIST, query)
    assert page.status_code == 200
    return {str(found) for found in page.context["cl"].result_list}


def company() -> None:
    feed(
        [
            boss(),
            worker("lead", team="Design"),
            worker("ana", manager_email="lead@acme.test", worker_type="contractor"),
            worker("tom", manager_email="ana@acme.test", start_date=day(20), country="DEU"),
            worker("eva", end_date=day(9), legal_entity="Acme GmbH", legal_entity_id="ent-2"),
            worker("new", contract_status="upcoming", start_date=day(30)),
        ]
    )


def test_address_of_people_keeps_what_was_asked_for(owner: Client) -> None:
    company()
    found = owner.get("/people/", {"q": "eva", "tab": "offboarding"})
    assert found.headers["Location"] == f"{LIST}?q=eva&tab=offboarding"
    assert owner.get("/people/").headers["Location"] == LIST


def test_list_begins_with_current_staff_and_search_looks_at_everybody(owner: Client) -> None:
    company()
    assert "New" not in names(owner)
    assert names(owner, tab="hired") == {"New", "Tom"}
    assert names(owner, tab="offboarding") == {"Eva"}
    assert names(owner, q="new") == {"New"}
    assert names(owner, q="new", tab="active") == set()
    assert len(names(owner, tab="all")) == 6
    assert names(owner, tab="problems") == {"Boss", "Tom"}
    assert names(owner, tab="nonsense") == names(owner)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"type": "contractor"}, {"Ana"}),
        ({"employment": "contractor"}, {"Ana"}),
        ({"country": "DEU"}, {"Tom"}),
        ({"manager": "lead@acme.test"}, {"Ana"}),
        ({"manager": "lead@acme.test", "below": "1"}, {"Ana", "Tom"}),
        ({"manager": "LEAD"}, {"Ana"}),
        ({"manager": "nobody at all"}, set()),
        ({"manager": "none"}, {"Boss"}),
        ({"start_from": day(20).isoformat(), "start_to": day(25).isoformat()}, {"Tom"}),
        ({"end_from": day(1).isoformat()}, {"Eva"}),
        ({"end_to": "soon"}, set()),
        ({"problem": "no_manager"}, {"Boss"}),
        ({"team": "x"}, set()),
    ],
)
def test_filter_narrows_the_list(owner: Client, query: dict[str, str], found: set[str]) -> None:
    company()
    assert names(owner, tab="all", **query) == found


def test_filters_of_objects_go_by_their_key(owner: Client) -> None:
    company()
    team = person("lead").team_id
    assert names(owner, tab="all", team=team) == {"Lead"}
    assert names(owner, tab="all", entity=person("eva").legal_entity_id) == {"Eva"}
    Person.objects.filter(work_email="eva@acme.test").update(protected=True)
    assert names(owner, tab="all", protected="yes") == {"Eva"}


def test_hidden_field_can_neither_be_shown_nor_searched_by(client: Client) -> None:
    company()
    Person.objects.update(job_title="Acrobat")
    for field in ("country", "job_title"):
        FieldPolicy.objects.create(field=field, visible_to=["HR admin"])
    staff(client, "view_person")
    page = client.get(LIST, {"tab": "all"})
    assert "Germany" not in page.content.decode()
    assert "Acrobat" not in page.content.decode()
    assert names(client, tab="all", country="DEU") == names(client, tab="all")
    assert client.get(LIST, {"country__exact": "DEU"}).status_code == 400
    assert client.get(LIST, {"date_of_birth__year": "1990"}).status_code == 400


def test_view_is_saved_shared_renamed_and_deleted(owner: Client) -> None:
    company()
    query = "tab=all&type=contractor&p=3&evil=1"
    owner.post(reverse("people-view-save"), {"name": " Our  contractors ", "query": query})
    view = SavedView.objects.get()
    assert (view.name, view.query, view.shared) == (
        "Our contractors",
        "tab=all&type=contractor",
        False,
    )
    assert names(owner, tab="all", type="contractor", view=view.pk) == {"Ana"}
    other = Client()
    staff(other, "view_person")
    assert "Our contractors" not in other.get(LIST).content.decode()
    owner.post(
        reverse("people-view-change", args=[view.pk]),
        {"name": "Contractors", "query": query, "shared": "1"},
    )
    assert "Contractors" in other.get(LIST).content.decode()
    other.post(reverse("people-view-delete", args=[view.pk]))
    assert SavedView.objects.filter(pk=view.pk, name="Contractors").exists()
    owner.post(reverse("people-view-delete", args=[view.pk]))
    assert not SavedView.objects.exists()
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["people_view.saved", "people_view.saved", "people_view.deleted"]


def test_view_needs_a_name_of_its_own(owner: Client) -> None:
    owner.post(reverse("people-view-save"), {"name": "A", "query": ""})
    for name, said in (("A", "already"), (" ", "name"), ("B" * 9, "too long")):
        text = f"q={'x' * 3000}" if said == "too long" else ""
        url = reverse("people-view-save")
        page = owner.post(url, {"name": name, "query": text}, follow=True)
        assert said in page.content.decode()
    assert SavedView.objects.count() == 1


def test_columns_are_each_accounts_own_and_never_a_hidden_field(client: Client) -> None:
    company()
    user = staff(client, "view_person")
    client.post(reverse("people-columns"), {"column": ["work_email", "date_of_birth", "nonsense"]})
    assert ListColumns.objects.get(user=user).columns == [
        "person_cell",
        "work_email",
        "date_of_birth",
    ]
    assert client.get(LIST).context["cl"].list_display == ["person_cell", "work_email"]
    client.post(reverse("people-columns"), {})
    assert "status_chip" in client.get(LIST).context["cl"].list_display


def test_every_column_can_be_shown(owner: Client) -> None:
    company()
    keys = [column.key for column, _ in owner.get(LIST).context["column_choices"]]
    owner.post(reverse("people-columns"), {"column": keys})
    page = owner.get(LIST, {"tab": "all"}).content.decode()
    assert "No manager" in page
    assert "Employee" in page


def test_file_holds_the_filtered_list_without_formulas_and_hidden_fields(client: Client) -> None:
    company()
    Person.objects.filter(work_email="ana@acme.test").update(full_name="=1+1")
    user = staff(client, "view_person", "export_people")
    url = f"{reverse('admin:people_person_export')}?tab=all&type=contractor"
    answer = client.post(url)
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [row["full_name"] for row in rows] == ["'=1+1"]
    assert "date_of_birth" not in rows[0]
    entry = AuditEntry.objects.get(action="person.exported")
    assert (entry.actor_label, entry.detail["people"]) == (user.username, 1)
    assert client.get(url).status_code == 405


def test_file_needs_its_right(client: Client) -> None:
    staff(client, "view_person")
    assert client.post(reverse("admin:people_person_export")).status_code == 403
    assert "Export CSV" not in client.get(LIST).content.decode()


def test_protection_of_many_is_asked_for_with_a_reason(owner: Client) -> None:
    company()
    chosen = [person("ana").pk, person("eva").pk]
    data = {"action": "protect", "_selected_action": chosen}
    page = owner.post(LIST, data)
    assert "2 people" in page.content.decode()
    assert not Person.objects.filter(protected=True).exists()
    page = owner.post(LIST, {**data, "confirmed": "1", "reason": ""})
    assert "This field is required" in page.content.decode()
    owner.post(LIST, {**data, "confirmed": "1", "reason": "On leave"})
    assert set(Person.objects.filter(protected=True).values_list("pk", flat=True)) == set(chosen)
    entries = AuditEntry.objects.filter(action="person.protected")
    assert {entry.detail["reason"] for entry in entries} == {"On leave"}
    assert entries.count() == 2
    owner.post(LIST, {**data, "action": "unprotect", "confirmed": "1", "reason": "Back"})
    assert not Person.objects.filter(protected=True).exists()


def test_action_on_everybody_of_the_filtered_list_spares_the_others(owner: Client) -> None:
    company()
    owner.post(
        f"{LIST}?tab=all&type=contractor",
        {
            "action": "set_timezone",
            "_selected_action": [person("ana").pk],
            "select_across": "1",
            "confirmed": "1",
            "timezone": "America/Denver",
            "reason": "Works from there",
        },
    )
    assert [(row.person, row.value) for row in FieldOverride.objects.all()] == [
        (person("ana"), "America/Denver")
    ]
    assert person("ana").timezone == "America/Denver"


def test_actions_follow_rights(client: Client) -> None:
    company()
    staff(client, "view_person")
    assert not client.get(LIST).context["cl"].list_display[0].startswith("action")
    data = {"action": "protect", "_selected_action": [person("ana").pk], "confirmed": "1"}
    client.post(LIST, {**data, "reason": "Because"})
    assert not person("ana").protected


def test_value_for_many_is_all_or_nothing() -> None:
    company()
    people = [person("ana"), person("lead")]
    with pytest.raises(OverrideError, match="own manager"):
        people_override(people, field="manager", value="lead@acme.test", reason="x", now=NOW)
    assert not FieldOverride.objects.exists()
    changed = people_override(
        people, field="end_date", value=date(2027, 1, 31), reason="Agreed", now=NOW
    )
    assert changed == 2
    assert {person("ana").end_date, person("lead").end_date} == {date(2027, 1, 31)}


def test_hidden_field_tells_nothing_by_search_filter_order_or_address(client: Client) -> None:
    company()
    feed([worker("ana", job_title="Secret Agent", custom={"pay": "9"})], complete=False)
    feed([worker("tom", job_title="Agent")], complete=False)
    for field in ("job_title", "country", "custom.pay"):
        FieldPolicy.objects.create(field=field, visible_to=["HR admin"])
    staff(client, "view_person")
    assert names(client, tab="all", q="secret") == set()
    assert names(client, tab="all", q="ana") == {"Ana"}
    everybody = names(client, tab="all")
    assert names(client, tab="all", country="DEU") == everybody
    for query in ("country__exact=DEU", "job_title__startswith=S", "custom__pay=9",
                  "search_text__contains=secret", "manager__job_title=Agent"):  # fmt: skip
        page = client.get(f"{LIST}?tab=all&{query}")
        assert page.status_code in (302, 400), query
    page = client.get(f"{LIST}?tab=all")
    assert b"Secret" not in page.content
