"""The directory in the site admin."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from people.models import FieldOverride, FieldPolicy, LegalEntity, Person, WorkerTypeMapping
from people.tests.build import boss, day, feed, person, worker
from siit_remote.audit.models import AuditEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("owner"))
    return client


@pytest.mark.parametrize(
    "model", [model._meta.model_name for model in apps.get_app_config("people").get_models()]
)
def test_every_model_has_its_pages(owner: Client, model: str) -> None:
    feed([boss(), worker("w1")])
    feed([boss(), worker("w1", work_email="new@acme.test")])
    assert owner.get(reverse(f"admin:people_{model}_changelist")).status_code == 200
    first = apps.get_model("people", model).objects.first()
    if first is not None:
        page = owner.get(reverse(f"admin:people_{model}_change", args=[first.pk]))
        assert page.status_code == 200


def test_values_of_people_cannot_be_changed_but_protection_can(owner: Client) -> None:
    feed([worker("w1")])
    url = reverse("admin:people_person_change", args=[person("w1").pk])
    owner.post(url, {"full_name": "Mallory", "protected": "on"})
    assert (person("w1").full_name, person("w1").protected) == ("W1", True)
    assert AuditEntry.objects.filter(action="person.protected").count() == 1


def test_search_and_problem_filter_narrow_the_list(owner: Client) -> None:
    feed([boss(), worker("w1", "Ána Łopez", manager_email="who@acme.test")])
    url = reverse("admin:people_person_changelist")
    assert owner.get(url, {"q": "lopez"}).context["cl"].result_count == 1
    assert owner.get(url, {"problem": "manager_unknown"}).context["cl"].result_count == 1
    assert owner.get(url, {"problem": "any"}).context["cl"].result_count == 2
    assert owner.get(url, {"problem": "manager_cycle"}).context["cl"].result_count == 0


def test_list_of_people_takes_a_fixed_number_of_queries(
    owner: Client, django_assert_max_num_queries: object
) -> None:
    feed([worker(f"w{number}") for number in range(60)])
    with django_assert_max_num_queries(23):  # type: ignore[operator]
        assert owner.get(reverse("admin:people_person_changelist")).status_code == 200


def test_mapping_is_read_here_and_changed_where_a_preview_comes_first(owner: Client) -> None:
    feed([worker("w1", worker_type="contractor")])
    row = WorkerTypeMapping.objects.get(worker_type="contractor")
    employee = WorkerTypeMapping.objects.get(worker_type="eor_employee").employment_type_id
    url = reverse("admin:people_workertypemapping_change", args=[row.pk])
    assert owner.get(url).status_code == 200
    answer = owner.post(url, {"worker_type": "contractor", "employment_type": employee})
    assert answer.status_code == 403
    assert person("w1").employment_type == "contractor"


def test_override_is_added_changed_and_removed_through_the_service(owner: Client) -> None:
    feed([worker("w1")])
    data = {"person": person("w1").pk, "field": "end_date", "value": "soon", "reason": "Agreed"}
    add = reverse("admin:people_fieldoverride_add")
    assert b"Write the date as" in owner.post(add, data).content
    owner.post(add, {**data, "value": day(5).isoformat()})
    assert person("w1").end_date == day(5)
    override = FieldOverride.objects.get()
    owner.post(
        reverse("admin:people_fieldoverride_change", args=[override.pk]),
        {**data, "value": day(6).isoformat()},
    )
    assert person("w1").end_date == day(6)
    owner.post(reverse("admin:people_fieldoverride_delete", args=[override.pk]), {"post": "yes"})
    assert person("w1").end_date is None


def test_removed_former_address_lets_its_new_owner_in(owner: Client) -> None:
    feed([worker("w1", "Ana Lopez")])
    moved = worker("w1", "Ana Lopez", work_email="ana.silva@acme.test")
    feed([moved, worker("w2", "Tom Berg", work_email="ana.lopez@acme.test")])
    alias = person("ana.silva").aliases.get()
    owner.post(reverse("admin:people_personalias_delete", args=[alias.pk]), {"post": "yes"})
    assert person("ana.lopez").full_name == "Tom Berg"


def test_field_policy_is_read_here_and_changed_where_a_preview_comes_first(owner: Client) -> None:
    row = FieldPolicy.objects.create(field="job_title", sources=["idp"])
    page = owner.get(reverse("admin:people_fieldpolicy_change", args=[row.pk]))
    assert reverse("field", args=["job_title"]).encode() in page.content
    assert owner.get(reverse("admin:people_fieldpolicy_add")).status_code == 403
    owner.post(reverse("admin:people_fieldpolicy_change", args=[row.pk]), {"sources": "remote"})
    row.refresh_from_db()
    assert row.sources == ["idp"]


def test_private_fields_and_payloads_need_their_rights(client: Client) -> None:
    feed([worker("w1", date_of_birth=day(-9000))])
    user = User.objects.create(username="it", is_staff=True)
    names = ["view_person", "view_sourcerecord", "view_personchange"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(user)
    page = client.get(reverse("admin:people_person_change", args=[person("w1").pk]))
    assert b"Date of birth" not in page.content
    record = Person.objects.get().source_records.get()
    page = client.get(reverse("admin:people_sourcerecord_change", args=[record.pk]))
    assert day(-9000).isoformat().encode() not in page.content


@pytest.mark.parametrize("sent", ["x", "\x00", "²", "-1", "1e9"])
def test_choice_that_is_no_number_is_refused_in_words(owner: Client, sent: str) -> None:
    feed([worker("w1")])
    entity = LegalEntity.objects.get()
    for url, field in (
        (reverse("admin:people_role_add"), "members"),
        (reverse("admin:people_legalentity_change", args=[entity.pk]), "lead"),
        (reverse("admin:people_fieldoverride_add"), "person"),
    ):
        page = owner.post(url, {field: sent, "name": "x"})
        assert page.status_code == 200
        assert "errorlist" in page.content.decode()
        assert owner.get(url, {field: sent}).status_code == 200
