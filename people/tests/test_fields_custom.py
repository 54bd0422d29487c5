"""Own custom fields, and custom fields taken into use."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from people.export import csv_lines, export_rows
from people.fields_custom import custom_field_use_set, definitions_take, typed_values
from people.fields_registry import custom_words, directory_field, directory_fields
from people.models import CustomField, LifecycleEvent, Person
from people.overriding import person_override_set
from people.records import CustomDefinition
from people.tests.build import NOW, boss, feed, person, worker
from siit_remote.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def admin(client: Client) -> Client:
    user = User.objects.create(username="hana")
    names = ["view_customfield", "add_customfield", "change_customfield"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    return client


def test_own_field_is_made_changed_and_used_like_any_other(admin: Client) -> None:
    feed([boss(), worker("w1")])
    new = reverse("custom-field-new")
    answer = admin.post(new, {"label": "Parking  Spot", "type": "choice", "options": "North"})
    assert answer.status_code == 422
    assert "at least two choices" in answer.content.decode()
    admin.post(new, {"label": "Parking  Spot", "type": "choice", "options": "North\nSouth\n"})
    row = CustomField.objects.get()
    assert (row.key, row.label, row.options) == ("parking_spot", "Parking Spot", ["North", "South"])
    person_override_set(
        person("w1"), field="custom.parking_spot", value="south", reason="Asked", now=LATER
    )
    assert person("w1").custom == {"parking_spot": "South"}
    change = reverse("custom-field", kwargs={"key": row.key})
    admin.post(change, {"label": "Parking", "options": "North\nSouth\nWest"})
    row.refresh_from_db()
    assert (row.key, row.label, len(row.options)) == ("parking_spot", "Parking", 3)
    page = admin.get(reverse("custom-fields")).content.decode()
    assert "custom.parking_spot" in page
    actions = list(AuditEntry.objects.values_list("action", flat=True).order_by("pk"))
    assert actions == ["custom_field.created", "person.overridden", "custom_field.changed"]


def test_two_fields_of_one_name_have_keys_of_their_own(admin: Client) -> None:
    for _ in range(2):
        admin.post(reverse("custom-field-new"), {"label": "Équipe", "type": "text"})
    assert set(CustomField.objects.values_list("key", flat=True)) == {"equipe", "equipe_2"}


DEFINED = (
    CustomDefinition(external_id="d1", label="Level", type="number"),
    CustomDefinition(external_id="d2", label="Site", type="choice", options=("Paris", "Rome")),
)


def test_definitions_of_a_source_keep_their_key_when_renamed_and_are_marked_when_gone() -> None:
    assert definitions_take("remote", DEFINED, now=NOW) == 2
    assert definitions_take("remote", DEFINED, now=LATER) == 0
    renamed = CustomDefinition(external_id="d1", label="Grade", type="number")
    assert definitions_take("remote", [renamed], now=LATER) == 2
    level, site = CustomField.objects.get(key="level"), CustomField.objects.get(key="site")
    assert (level.label, level.missing_since) == ("Grade", None)
    assert site.missing_since == LATER
    definitions_take("remote", DEFINED, now=LATER)
    site.refresh_from_db()
    assert site.missing_since is None


def test_a_field_comes_into_use_and_goes_for_everybody_and_starts_nothing(admin: Client) -> None:
    definitions_take("remote", DEFINED, now=NOW)
    feed([boss(), worker("w1", custom={"level": 7, "site": "Rome"})])
    LifecycleEvent.objects.all().delete()
    assert person("w1").custom == {}
    assert "custom.level" not in {found.key for found in directory_fields()}
    use = reverse("custom-field-use", kwargs={"key": "level"})
    admin.post(use, {"use": "yes"})
    assert person("w1").custom == {"level": 7}
    assert directory_field("custom.level") is not None
    assert OrmQ.objects.exists()
    admin.post(use, {"use": "no"})
    assert person("w1").custom == {}
    assert not LifecycleEvent.objects.exists()
    row = CustomField.objects.get(key="level")
    assert not custom_field_use_set(row, enabled=False, now=LATER)
    assert AuditEntry.objects.filter(action="custom_field.dropped").count() == 1


def test_a_sources_field_cannot_be_changed_here(admin: Client) -> None:
    definitions_take("remote", DEFINED, now=NOW)
    url = reverse("custom-field", kwargs={"key": "level"})
    assert admin.post(url, {"label": "Mine"}).status_code == 404


def test_values_that_do_not_fit_are_left_out() -> None:
    definitions_take("remote", DEFINED, now=NOW)
    fields = CustomField.objects.all()
    assert typed_values(fields, {"d1": "7,5", "d2": "paris"}) == {"level": 7.5, "site": "Paris"}
    assert typed_values(fields, {"d1": "high", "d2": "Oslo", "d9": 1}) == {}


def test_export_has_a_column_for_each_field_in_use_but_not_for_hidden_ones() -> None:
    for key, kind in (("level", "number"), ("desk", "text")):
        CustomField.objects.create(key=key, label=key, type=kind, enabled=True, created_at=NOW)
    CustomField.objects.create(key="unused", label="Unused", created_at=NOW)
    feed([worker("w1", custom={"level": 7, "desk": "=A1"})])
    (row,) = export_rows(Person.objects.all())
    assert {name: value for name, value in row.items() if name.startswith("custom.")} == {
        "custom.desk": "=A1",
        "custom.level": 7,
    }
    hidden = frozenset({"custom.level"})
    head, line = csv_lines(export_rows(Person.objects.all(), hidden=hidden), hidden=hidden)
    assert head.rstrip().endswith(",custom.desk")
    assert line.rstrip().endswith(",'=A1")


def test_words_of_custom_values_for_messages() -> None:
    for key, kind in (("start", "date"), ("laptop", "boolean"), ("desk", "text")):
        CustomField.objects.create(key=key, label=key, type=kind, enabled=True, created_at=NOW)
    feed([worker("w1", custom={"start": "2026-12-01", "laptop": True})])
    assert custom_words(person("w1")) == {"start": "1 Dec 2026", "laptop": "Yes", "desk": ""}
