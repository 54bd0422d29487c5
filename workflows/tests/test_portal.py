"""The portal: who is offered what, who sees which request, and the catalogue's editor."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from people.models import Person, Team
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import ROLES, Company, small_company
from workflows.models import Approval, Request, Run, Service, Workflow, WorkflowVersion
from workflows.portal import requests_open_to, workflows_of
from workflows.problems import DocumentError
from workflows.requests import request_submit


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


FRANCE = {
    "combinator": "and",
    "rules": [{"field": "person.country", "operator": "is", "value": "FRA"}],
}
SPAIN = {
    "combinator": "and",
    "rules": [{"field": "person.country", "operator": "is", "value": "ESP"}],
}


def test_catalogue_shows_what_is_offered_to_the_person_and_finds_it(company: Company) -> None:
    Service.objects.create(key="metro", name="Métro ticket", category="Travel", audience=FRANCE)
    Service.objects.create(key="tram", name="Tram ticket", audience=SPAIN)
    Service.objects.create(key="old", name="Old ticket", active=False)
    client = _as(company, "employee")
    html = client.get("/requests/").content.decode()
    assert "Métro ticket" in html
    assert "Travel" in html
    assert "Tram ticket" not in html
    assert "Old ticket" not in html
    found = client.get("/requests/", {"q": "metro"}).content.decode()
    assert "Métro ticket" in found
    assert "Software access" not in found.split("Sent")[0].split("catalogue-title")[1]
    assert "Nothing is called that" in client.get("/requests/", {"q": "xyz"}).content.decode()


def test_what_is_not_offered_cannot_be_sent_either(company: Company) -> None:
    service = Service.objects.create(key="tram", name="Tram ticket", audience=SPAIN)
    with pytest.raises(DocumentError, match="not offered to"):
        request_submit(
            service=service, requester=company.people["employee"], form={}, now=clock.now()
        )
    answer = _as(company, "employee").post("/requests/new/tram/", {})
    assert b"not offered" in answer.content
    assert not Request.objects.filter(service=service).exists()


def test_hr_asks_on_behalf_and_both_names_stay(company: Company) -> None:
    form = {"for_whom": "report@acme.test", "answer_app": "Figma"}
    _as(company, "hr").post("/requests/new/software/", form)
    made = Request.objects.latest("pk")
    assert (made.requester, made.submitted_by) == (company.people["report"], company.people["hr"])
    html = _as(company, "hr").get(f"/requests/{made.pk}/").content.decode()
    assert "Hr Example for Report Example" in html
    # Who may not, asks for themselves whatever the form says.
    _as(company, "employee").post("/requests/new/software/", form)
    assert Request.objects.latest("pk").requester == company.people["employee"]


def test_manager_sees_own_reports_requests_and_those_they_are_asked_about(
    company: Company,
) -> None:
    now = clock.now()
    made = {
        name: Request.objects.create(
            service=company.objects["service"], requester=person, created_at=now, updated_at=now
        )
        for name, person in company.people.items()
    }
    Run.objects.update(request=made["it"])
    seen = {
        who: {
            name
            for name, row in made.items()
            if _as(company, who).get(f"/requests/{row.pk}/").status_code == 200
        }
        for who in ROLES
    }
    everybody = set(made)
    assert seen == {
        "owner": everybody,
        "hr": everybody,
        "it": everybody,
        "manager": {"manager", "report", "it"},
        "employee": {"employee"},
    }
    Approval.objects.all().delete()
    assert made["it"] not in requests_open_to(company.users["manager"], now)


def test_requester_changes_comments_and_takes_back(company: Company) -> None:
    row = company.objects["request"]
    client = _as(company, "employee")
    assert "Figma" in client.get(f"/requests/{row.pk}/change/").content.decode()
    url = f"/requests/{row.pk}/change/"
    assert client.post(url, {"answer_app": "", "revision": "1"}).status_code == 200
    client.post(url, {"answer_app": "Sketch", "revision": "1"})
    row.refresh_from_db()
    assert (row.form, row.revision) == ({"app": "Sketch"}, 2)
    client.post(f"/requests/{row.pk}/comment/", {"comment": "Please <b>hurry</b>."})
    html = client.get(f"/requests/{row.pk}/").content.decode()
    assert "Changed: Application. Whoever decides is asked anew." in html
    assert "Please &lt;b&gt;hurry&lt;/b&gt;." in html
    client.post(f"/requests/{row.pk}/cancel/", {"reason": "Found one"})
    row.refresh_from_db()
    assert (row.status, row.status_reason) == (
        "cancelled",
        "Taken back by Employee Example: Found one",
    )
    assert b"Take back" not in client.get(f"/requests/{row.pk}/").content


def test_nobody_changes_or_takes_back_what_is_not_theirs(company: Company) -> None:
    row = company.objects["request"]
    for who in ("hr", "it"):
        client = _as(company, who)
        assert client.post(f"/requests/{row.pk}/cancel/").status_code == 403
        assert client.post(f"/requests/{row.pk}/change/", {"revision": "1"}).status_code == 403
    row.refresh_from_db()
    assert (row.status, row.revision) == ("new", 1)


CHOICES = ["Small, narrow", "Large"]
SOUTH = {
    "combinator": "and",
    "rules": [{"field": "person.country", "operator": "in", "value": ["FRA", "ESP"]}],
}


def _form(**values: str) -> dict[str, Any]:
    return {
        "name": "Parking",
        "category": "Office",
        "icon": "map-pin",
        "active": "on",
        "field-0-label": "Licence plate",
        "field-0-type": "text",
        "field-0-required": "yes",
        "field-1-label": "Size",
        "field-1-type": "choice",
        "field-1-choices": "Small, narrow\r\n\r\n Large ",
        "rule": json.dumps(SOUTH),
        "do": "save",
        **values,
    }


def test_service_is_built_in_the_browser(company: Company) -> None:
    client = _as(company, "hr")
    assert client.post("/services/new/", _form()).status_code == 302
    made = Service.objects.get(key="parking")
    assert made.fields == [
        {"name": "licence_plate", "type": "text", "label": "Licence plate", "required": True},
        {"name": "size", "type": "choice", "label": "Size", "choices": CHOICES},
    ]
    assert made.audience == SOUTH
    assert AuditEntry.objects.filter(action="service.saved").count() == 1
    html = client.get("/services/parking/").content.decode()
    assert "Small, narrow\nLarge</textarea>" in html
    assert "No workflow reacts" in html
    assert "country is France or Spain" in client.get("/services/").content.decode()


@pytest.mark.parametrize(
    ("do", "labels"),
    [
        ("add-field", ["Licence plate", "Size", "New question"]),
        ("down-field-0", ["Size", "Licence plate"]),
        ("up-field-1", ["Size", "Licence plate"]),
        ("up-field-0", ["Licence plate", "Size"]),
        ("delete-field-0", ["Size"]),
        ("delete-field-9", ["Licence plate", "Size"]),
    ],
)
def test_rows_move_without_saving_anything(company: Company, do: str, labels: list[str]) -> None:
    before = Service.objects.count()
    answer = _as(company, "hr").post("/services/new/", _form(do=do))
    assert answer.status_code == 200
    html = answer.content.decode()
    places = [html.index(f"<strong>{n}. {label}</strong>") for n, label in enumerate(labels, 1)]
    assert places == sorted(places)
    assert f"<strong>{len(labels) + 1}. " not in html
    assert Service.objects.count() == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"field-1-choices": ""}, "Question 2, choices: A choice needs its values."),
        ({"field-0-type": "attachment"}, "Files are not taken"),
        ({"field-1-label": "Licence plate"}, "Two questions are called"),
        ({"rule": json.dumps(SOUTH).replace("FRA", "Atlantis")}, "is no country code"),
        ({"rule": json.dumps(SOUTH).replace('"in"', '"before"')}, "Audience"),
        ({"rule": "{not json"}, "came in pieces"),
        ({"key": "software"}, "already"),
        ({"name": ""}, "Name: Missing."),
    ],
)
def test_what_is_wrong_with_a_service_is_said_in_words(
    company: Company, values: dict[str, str], said: str
) -> None:
    before = list(Service.objects.values())
    answer = _as(company, "hr").post("/services/new/", _form(**values))
    assert answer.status_code == 422
    html = answer.content.decode()
    if said != "Audience":
        assert said in html
    assert "Nothing was saved" in html
    assert list(Service.objects.values()) == before


def test_choices_with_commas_survive_being_shown_and_saved(company: Company) -> None:
    client = _as(company, "hr")
    client.post("/services/new/", _form())
    shown = client.get("/services/parking/").content.decode()
    assert shown.count("Small, narrow") >= 2, "in the row and in the preview"
    named = {"field-0-name": "licence_plate", "field-1-name": "size"}
    client.post("/services/parking/", _form(**named))
    assert Service.objects.get(key="parking").fields[1]["choices"] == CHOICES


def test_rows_of_the_audience_are_those_of_the_designer_and_nothing_is_saved(
    company: Company,
) -> None:
    client, before = _as(company, "hr"), list(Service.objects.values())
    form = _form(service="software")
    part = client.post(
        "/services/rows/add-rule/?row=conditions:", form, headers={"HX-Request": "true"}
    )
    assert 'name="row.1.field"' in part.content.decode()
    whole = client.post("/services/rows/everybody/?host=conditions", form).content.decode()
    assert "Offer it to some only" in whole
    assert "Small, narrow" in whole
    assert list(Service.objects.values()) == before


def test_condition_with_groups_inside_is_shown_and_kept(company: Company) -> None:
    nested = {"combinator": "or", "rules": [FRANCE, SPAIN]}
    Service.objects.filter(key="software").update(audience=nested)
    client = _as(company, "hr")
    html = client.get("/services/software/").content.decode()
    assert 'name="row.0.0.field"' in html
    form = {"name": "Software", "active": "on", "field-0-label": "App", "field-0-name": "app"}
    form["rule"] = json.dumps(nested)
    assert client.post("/services/software/", form | {"do": "save"}).status_code == 302
    assert Service.objects.get(key="software").audience == nested


def test_service_names_the_workflows_it_sets_off(company: Company) -> None:
    def document(**params: str) -> dict[str, Any]:
        trigger = {"type": "request.submitted", "params": params}
        return {"format": "siit.workflow/1", "key": "x", "name": "X", "trigger": trigger}

    WorkflowVersion.objects.update(document=document(service="software"))
    assert [found.key for found in workflows_of("software")] == ["offboarding"]
    assert workflows_of("parking") == []
    WorkflowVersion.objects.update(document=document())
    assert [found.key for found in workflows_of("parking")] == ["offboarding"]
    Workflow.objects.update(status="archived")
    assert workflows_of("software") == []


def test_search_and_audience_do_not_tell_of_others(company: Company) -> None:
    Team.objects.create(name="Secret project")
    assert b"Secret project" not in _as(company, "employee").get("/requests/").content
    assert Person.objects.count() == len(company.people)


def test_a_file_sent_with_a_request_is_refused_with_a_word(company: Company) -> None:
    before = Request.objects.count()
    data = {"answer_app": "Figma", "file": SimpleUploadedFile("a.pdf", b"x")}
    answer = _as(company, "employee").post("/requests/new/software/", data)
    assert b"Files are not taken" in answer.content
    assert Request.objects.count() == before
