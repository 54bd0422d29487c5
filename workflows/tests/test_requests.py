"""Requests: every field judged by the service's form, all problems at once."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django_q.models import OrmQ
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.models import Application
from people.choices import PersonStatus
from people.models import Person
from siit_remote.audit.models import AuditEntry
from workflows.models import Request, Service
from workflows.problems import DocumentError
from workflows.requests import read_form, request_status_set, request_submit

T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
FIELDS: list[dict[str, Any]] = [
    {"name": "model", "label": "Model", "type": "text", "required": True},
    {"name": "count", "type": "number"},
    {"name": "colour", "type": "choice", "choices": ["red", "blue"]},
    {"name": "for", "type": "person"},
    {"name": "app", "type": "application"},
    {"name": "day", "type": "date"},
]
SERVICE = Service(key="laptop", name="Laptop", fields=FIELDS)


def person_make(name: str = "ana", **values: Any) -> Person:
    values.setdefault("status", PersonStatus.ACTIVE)
    return Person.objects.create(
        work_email=f"{name}@acme.test", created_at=T0, updated_at=T0, **values
    )


@pytest.mark.django_db
def test_request_is_kept_audited_and_the_worker_called() -> None:
    service = Service.objects.create(key="laptop", name="Laptop", fields=FIELDS)
    ana = person_make()
    found = request_submit(service=service, requester=ana, form={"model": " M4 "}, now=T0)
    assert (found.form, found.status, found.consumed_at) == ({"model": "M4"}, "new", None)
    assert AuditEntry.objects.filter(action="request.submitted").count() == 1
    assert OrmQ.objects.count() == 1


@pytest.mark.django_db
def test_every_kind_of_field_is_read() -> None:
    person_make("eve")
    Application.objects.create(key="github", name="GitHub")
    form = {
        "model": "x",
        "count": "2.50",
        "colour": "red",
        "for": "EVE@acme.test",
        "app": "github",
        "day": "2026-12-24",
    }
    assert read_form(SERVICE, form) == {
        "model": "x",
        "count": 2.5,
        "colour": "red",
        "for": "eve@acme.test",
        "app": "github",
        "day": "2026-12-24",
    }


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("form", "paths"),
    [
        ({}, ["model"]),
        ({"model": "  "}, ["model"]),
        ({"model": "x" * 5_001}, ["model"]),
        ({"model": "a\x00b"}, ["model"]),
        ({"model": "\ud800"}, ["model"]),
        ({"model": "x", "modell": "y"}, ["modell"]),
        ({"model": "x", "count": "two"}, ["count"]),
        ({"model": "x", "count": "nan"}, ["count"]),
        ({"model": "x", "count": "1e999"}, ["count"]),
        ({"model": "x", "count": "9" * 4_999}, ["count"]),
        ({"model": "x", "colour": "green"}, ["colour"]),
        ({"model": "x", "for": "who@acme.test"}, ["for"]),
        ({"model": "x", "app": "nothing"}, ["app"]),
        ({"model": "x", "day": "2026-02-30"}, ["day"]),
        ({"model": "x", "day": "20261224"}, ["day"]),
        ({"model": "x", "day": "2026-W52-4"}, ["day"]),
        ({"nope": "x", "count": "y", "day": "z"}, ["count", "day", "model", "nope"]),
    ],
    ids=str,
)
def test_what_is_wrong_is_named_all_at_once(form: dict[str, Any], paths: list[str]) -> None:
    with pytest.raises(DocumentError) as caught:
        read_form(SERVICE, form)
    assert sorted(problem.path for problem in caught.value.problems) == paths


@pytest.mark.django_db
@settings(max_examples=50, deadline=None)
@given(
    form=st.dictionaries(
        st.sampled_from([field["name"] for field in FIELDS]),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2),
    )
)
def test_any_form_is_read_or_refused_in_words(form: dict[str, Any]) -> None:
    try:
        values = read_form(SERVICE, form)
    except DocumentError as error:
        assert all(problem.path and problem.message for problem in error.problems)
    else:
        assert set(values) <= {field["name"] for field in FIELDS}


@pytest.mark.django_db
def test_service_that_is_withdrawn_and_person_who_left_are_refused() -> None:
    closed = Service.objects.create(key="a", name="A", active=False)
    service = Service.objects.create(key="b", name="B")
    gone = person_make("gone", status=PersonStatus.ENDED)
    for which, who in ((closed, person_make()), (service, gone)):
        with pytest.raises(DocumentError):
            request_submit(service=which, requester=who, form={}, now=T0)
    assert not Request.objects.exists()


@pytest.mark.django_db
def test_status_moves_once_and_never_out_of_cancelled() -> None:
    service = Service.objects.create(key="b", name="B")
    found = request_submit(service=service, requester=person_make(), form={}, now=T0)
    assert request_status_set(found, "resolved", reason="", now=T0)
    assert not request_status_set(found, "resolved", reason="", now=T0)
    Request.objects.update(status="cancelled")
    assert not request_status_set(found, "new", reason="", now=T0)
