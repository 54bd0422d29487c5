"""Values set by hand: typed, with a reason, shown, taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from people.fields_overrides import overrides_of
from people.fields_registry import DirectoryField, directory_fields
from people.fields_values import UnfitValueError, value_of_kind
from people.models import CustomField, FieldOverride, FieldPolicy, Person, PersonChange
from people.overriding import OverrideError, person_override_remove, person_override_set
from people.services import people_resolve_all
from people.tests.build import NOW, boss, day, feed, person, worker

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def admin(client: Client) -> Client:
    user = User.objects.create(username="hana", first_name="Hana", last_name="Ito")
    names = [
        "view_person",
        "view_private_fields",
        *(f"{verb}_fieldoverride" for verb in ("add", "change", "delete")),
    ]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def url(field: str, name: str = "w1", *, suffix: str = "") -> str:
    return f"/people/{person(name).pk}/override/{field}/{suffix}"


def test_value_is_set_with_who_when_and_why_and_taken_back(admin: Client) -> None:
    feed([boss(), worker("w1", end_date=day(30))])
    answer = admin.post(url("end_date"), {"value": day(10).isoformat(), "reason": "Agreed"})
    assert answer.status_code == 302
    assert (person("w1").end_date, person("w1").value_sources["end_date"]) == (day(10), "manual")
    page = " ".join(admin.get(f"/people/{person('w1').pk}/override/").content.decode().split())
    assert "“Agreed” · Hana Ito" in page
    assert "remote says: 24 Dec 2026" in page
    admin.post(url("end_date", suffix="remove/"))
    assert person("w1").end_date == day(30)
    assert not FieldOverride.objects.exists()


@pytest.mark.parametrize(
    ("field", "data", "said"),
    [
        ("end_date", {"value": "soon", "reason": "x"}, "Enter a valid date"),
        ("end_date", {"value": "2026-12-01"}, "This field is required"),
        ("end_date", {"reason": "x"}, "Give a value, or tick that there is none"),
        ("end_date", {"value": "2026-12-01", "nothing": "on", "reason": "x"}, "not both"),
        ("country", {"value": "France", "reason": "x"}, "Select a valid choice"),
        ("manager", {"value": "nobody@acme.test", "reason": "x"}, "Nobody in the directory"),
        ("manager", {"value": "w1@acme.test", "reason": "x"}, "Nobody is their own manager"),
        ("timezone", {"value": "Mars/Base", "reason": "x"}, "Select a valid choice"),
    ],
)
def test_unfit_input_is_said_in_words(
    admin: Client, field: str, data: dict[str, str], said: str
) -> None:
    feed([boss(), worker("w1")])
    answer = admin.post(url(field), data)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not FieldOverride.objects.exists()


def test_every_field_has_an_input_that_takes_its_present_value(admin: Client) -> None:
    feed([boss(), worker("w1", end_date=day(10), timezone="Europe/Paris", job_title="Lead")])
    for found in directory_fields():
        answer = admin.get(url(found.key))
        assert answer.status_code == (200 if found.overridable else 404), found.key
    assert 'value="2026-12-04"' in admin.get(url("end_date")).content.decode()
    assert 'value="FRA" selected' in admin.get(url("country")).content.decode()
    assert 'value="boss@acme.test"' in admin.get(url("manager")).content.decode()


def test_nothing_on_purpose_hides_what_the_source_says(admin: Client) -> None:
    feed([boss(), worker("w1", end_date=day(30))])
    admin.post(url("end_date"), {"nothing": "on", "reason": "Stays after all"})
    assert (person("w1").end_date, person("w1").status) == (None, "active")
    (row,) = overrides_of(person("w1"), hidden=())
    assert row.words == "Explicitly nothing"


def test_hidden_field_does_not_exist_for_the_reader(admin: Client) -> None:
    feed([boss(), worker("w1")])
    FieldPolicy.objects.create(field="job_title", visible_to=["Owner"])
    assert admin.get(url("job_title")).status_code == 404
    assert admin.post(url("job_title", suffix="remove/")).status_code == 404
    chosen = admin.get(reverse("person-overrides", kwargs={"pk": person("w1").pk}))
    assert "job_title" not in chosen.content.decode()


def alone(**values: Any) -> Person:
    """Somebody of whom no source has a record."""
    return Person.objects.create(
        work_email="solo@acme.test",
        full_name="Solo",
        created_at=NOW,
        updated_at=NOW,
        **values,
    )


def test_override_is_shown_on_somebody_without_any_record() -> None:
    feed([boss()])
    solo = alone(job_title="Advisor", seniority="Senior")
    person_override_set(solo, field="job_title", value="Counsel", reason="Known", now=LATER)
    person_override_set(solo, field="manager", value="boss@acme.test", reason="Known", now=LATER)
    found = person("solo")
    assert (found.job_title, found.seniority) == ("Counsel", "Senior")
    assert found.manager == person("boss")
    assert (found.status, found.problems) == ("external", [])
    assert found.value_sources == {"job_title": "manual", "manager": "manual"}
    assert people_resolve_all(now=LATER, correlation="again").updated == 0
    assert person_override_remove(solo, field="job_title", now=LATER)
    found = person("solo")
    assert (found.job_title, found.manager) == ("", person("boss"))
    assert found.value_sources == {"manager": "manual"}
    assert PersonChange.objects.filter(field="job_title").count() == 2


def test_override_of_dates_moves_the_status_of_somebody_without_records() -> None:
    solo = alone(status="active", start_date=day(-30), contract_status="active")
    person_override_set(solo, field="end_date", value=day(9), reason="Leaves", now=LATER)
    assert person("solo").status == "offboarding"
    person_override_set(solo, field="worker_type", value="contractor", reason="Is one", now=LATER)
    assert person("solo").employment_type == ""


def test_custom_value_is_stored_in_its_fields_type() -> None:
    feed([boss(), worker("w1")])
    CustomField.objects.create(
        key="level", label="Level", type="number", enabled=True, created_at=NOW
    )
    person_override_set(person("w1"), field="custom.level", value="7", reason="Review", now=LATER)
    assert person("w1").custom == {"level": 7}
    with pytest.raises(OverrideError, match="Give a number"):
        person_override_set(person("w1"), field="custom.level", value="high", reason="x", now=LATER)
    with pytest.raises(OverrideError, match="no custom field"):
        person_override_set(person("w1"), field="custom.other", value="1", reason="x", now=LATER)


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        ("text", " Paris ", "Paris"),
        ("text", 7, "7"),
        ("number", "12,5", 12.5),
        ("number", 3.0, 3),
        ("date", "2026-03-01T10:00:00Z", "2026-03-01"),
        ("boolean", "Yes", True),
        ("boolean", 0, False),
        ("choice", "gold", "Gold"),
        ("choice", "  ", None),
    ],
)
def test_custom_values_become_json_of_their_type(kind: str, value: Any, stored: Any) -> None:
    found = DirectoryField(
        key="custom.x", label="X", group="", kind=kind, choices=(("Gold", "Gold"),)
    )
    assert value_of_kind(found, value) == stored


UNFIT = [
    ("number", "x"),
    ("number", True),
    ("number", float("nan")),
    ("date", "soon"),
    ("boolean", "maybe"),
    ("choice", "Tin"),
    ("text", ["a"]),
    ("text", "x" * 2001),
]


@pytest.mark.parametrize(("kind", "value"), UNFIT)
def test_unfit_custom_values_are_refused(kind: str, value: Any) -> None:
    found = DirectoryField(
        key="custom.x", label="X", group="", kind=kind, choices=(("Gold", "Gold"),)
    )
    with pytest.raises(UnfitValueError):
        value_of_kind(found, value)


@pytest.mark.django_db
def test_a_value_set_by_hand_resolves_whom_it_concerns_and_nobody_else() -> None:
    feed([boss(), worker("w1"), worker("w2", manager_email="w1@acme.test"), worker("w3")])
    Person.objects.filter(work_email="w3@acme.test").update(job_title="Not looked at")
    gone = NOW.date() - timedelta(days=3)
    person_override_set(
        person("w1"), field="end_date", value=gone, reason="Left", now=NOW + timedelta(hours=1)
    )
    assert person("w1").status == "ended"
    assert "manager_ended" in person("w2").problems
    assert person("w3").job_title == "Not looked at"
    person_override_remove(person("w1"), field="end_date", now=NOW + timedelta(hours=2))
    assert person("w1").status == "active"
    assert "manager_ended" not in person("w2").problems


@pytest.mark.django_db
def test_a_circle_made_by_hand_is_seen_all_around_it() -> None:
    feed([boss(), worker("w1"), worker("w2", manager_email="w1@acme.test"), worker("w3")])
    person_override_set(
        person("boss"),
        field="manager",
        value="w2@acme.test",
        reason="Mistake",
        now=NOW + timedelta(hours=1),
    )
    circling = Person.objects.filter(problems__icontains="manager_cycle")
    assert {found.work_email for found in circling} == {
        f"{name}@acme.test" for name in ("boss", "w1", "w2")
    }
