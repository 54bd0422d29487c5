"""Approver policies: built in the browser, rehearsed for everybody, used by which workflows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from people.models import LegalEntity, Person, Role
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.models import Absence, ApproverPolicy, Delegation, Workflow, WorkflowVersion
from workflows.policies import policies_using, policy_uses
from workflows.rehearsal import TOO_MANY, Asked, rehearse
from workflows.tests.asking_kit import T0, person_make

POLICY = {"type": "policy", "key": "by-entity"}


@pytest.fixture
def company(db: None) -> Company:
    return small_company()


def _as(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


ACME = {
    "combinator": "and",
    "rules": [{"field": "person.legal_entity", "operator": "is", "value": "Acme SAS"}],
}
SPAIN = {
    "combinator": "or",
    "rules": [
        {"field": "person.country", "operator": "is", "value": "ESP"},
        {"field": "person.team", "operator": "is_empty"},
    ],
}


def _form(**values: str) -> dict[str, Any]:
    return {
        "name": "French requests",
        "rule-0-asked": "{}",
        "rule-0.type": "entity_lead",
        "rule-0-when": json.dumps(ACME),
        "rule-1-asked": json.dumps({"type": "person", "email": "hr@acme.test"}),
        "rule-1.type": "person",
        "rule-1.email": "hr@acme.test",
        "rule-1-when": json.dumps(SPAIN),
        "baseline.type": "manager",
        "do": "save",
        **values,
    }


def test_policy_is_built_in_the_browser_and_read_aloud(company: Company) -> None:
    client = _as(company, "hr")
    new = {"name": "French requests", "baseline.type": "manager", "do": "save"}
    assert client.post("/policies/new/", new)["Location"] == "/policies/french-requests/"
    url = "/policies/french-requests/rules"
    first = {"rule": json.dumps(ACME), "approver.type": "entity_lead"}
    assert client.post(f"{url}/0/", first).status_code == 302
    second = {
        "rule": json.dumps(SPAIN), "approver-asked": '{"type": "person"}',
        "approver.type": "person", "approver.email": "HR Example (hr@acme.test)",
    }  # fmt: skip
    assert client.post(f"{url}/1/", second).status_code == 302
    made = ApproverPolicy.objects.get(key="french-requests")
    assert made.baseline == {"type": "manager"}
    assert made.rules == [
        {"when": ACME, "approver": {"type": "entity_lead"}},
        {"when": SPAIN, "approver": {"type": "person", "email": "hr@acme.test"}},
    ]
    html = client.get("/policies/").content.decode()
    assert "If legal entity is Acme SAS: ask the lead of the legal entity." in html
    assert "Otherwise: ask the manager." in html
    assert AuditEntry.objects.filter(action="policy.saved").count() == 3
    assert client.get(f"{url}/2/").status_code == 200
    assert client.get(f"{url}/3/").status_code == 404


def test_saving_what_the_page_shows_changes_nothing(company: Company) -> None:
    client = _as(company, "hr")
    client.post("/policies/new/", _form())
    before = ApproverPolicy.objects.get(key="french-requests").rules
    assert [rule["when"] for rule in before] == [ACME, SPAIN]
    client.post("/policies/french-requests/", _form())
    assert ApproverPolicy.objects.get(key="french-requests").rules == before


def test_rules_move_without_saving(company: Company) -> None:
    client = _as(company, "hr")
    moved = client.post("/policies/new/", _form(do="up-rule-1")).content.decode()
    assert moved.index("hr@acme.test") < moved.index("Acme SAS")
    gone = client.post("/policies/new/", _form(do="delete-rule-0")).content.decode()
    assert "Acme SAS" not in gone
    assert not ApproverPolicy.objects.filter(key="french-requests").exists()


def test_rows_of_a_rule_are_those_of_the_designer_and_nothing_is_saved(company: Company) -> None:
    client, url = _as(company, "hr"), "/policies/by-entity/rules/0"
    before = list(ApproverPolicy.objects.values())
    page = client.get(f"{url}/").content.decode()
    assert 'name="row.0.field"' in page
    assert "Answers of the request" in page
    added = client.post(
        f"{url}/add-rule/?row=conditions:",
        {"rule": json.dumps(ACME)},
        headers={"HX-Request": "true"},
    )
    assert added.status_code == 200
    assert 'name="row.1.field"' in added.content.decode()
    assert "rule-focus" in added["HX-Trigger-After-Swap"]
    # Without scripts the whole page comes back, with who is asked as it was chosen.
    typed = {"rule": json.dumps(ACME), "approver-asked": '{"type": "role"}',
             "approver.type": "role", "approver.name": "hr"}  # fmt: skip
    whole = client.post(f"{url}/add-group/?row=conditions:", typed).content.decode()
    assert 'name="row.1.mode"' in whole
    assert 'value="hr"' in whole
    counts = client.post(
        f"{url}/counts/", {"rule": json.dumps(ACME)}, headers={"HX-Request": "true"}
    )
    assert b"people pass this condition" in counts.content
    broken = client.post(f"{url}/save/", {"rule": "{not json"}, headers={"HX-Request": "true"})
    assert b"came in pieces" in broken.content
    assert list(ApproverPolicy.objects.values()) == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"rule": ""}, "Say for whom"),
        ({"rule": "{not json"}, "came in pieces"),
        ({"approver.type": "person", "approver.email": ""}, "Rule 2, approver"),
        ({"row.0.field": "person.country", "row.0.value": "Atlantis"}, "Rule 2"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_in_words(
    company: Company, values: dict[str, str], said: str
) -> None:
    before = list(ApproverPolicy.objects.values())
    form = {"rule": json.dumps(SPAIN), "approver.type": "manager", **values}
    answer = _as(company, "hr").post("/policies/by-entity/rules/1/", form)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert list(ApproverPolicy.objects.values()) == before


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"rule-0-when": ""}, "Rule 1: Say for whom"),
        ({"rule-0-when": "{not json"}, "Rule 1: Say for whom"),
        ({"rule-1.email": ""}, "Rule 2, approver"),
        ({"baseline.type": "nobody"}, "Baseline, type: Unknown approver type"),
        ({"key": "by-entity"}, "already"),
    ],
)
def test_what_is_wrong_with_a_policy_is_said_in_words(
    company: Company, values: dict[str, str], said: str
) -> None:
    before = list(ApproverPolicy.objects.values())
    answer = _as(company, "hr").post("/policies/new/", _form(**values))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert list(ApproverPolicy.objects.values()) == before


def _uses(*policies: str) -> None:
    step = {
        "key": "ask",
        "action": "approval.request",
        "params": {
            "approver": {"type": "policy", "key": policies[0]},
            "also": [{"type": "policy", "key": key} for key in policies[1:]],
            "fallback": {"type": "manager"},
        },
    }
    WorkflowVersion.objects.update(
        document={"format": "siit.workflow/1", "key": "x", "name": "X", "steps": [step]}
    )


def test_policy_that_is_used_is_not_deleted(company: Company) -> None:
    _uses("by-entity")
    client = _as(company, "hr")
    assert [use.workflow.key for use in policy_uses("by-entity")] == ["offboarding"]
    answer = client.post("/policies/by-entity/delete/", follow=True)
    assert b"is used by Offboarding" in answer.content
    Workflow.objects.update(status="archived")
    ApproverPolicy.objects.create(key="other", baseline=POLICY)
    assert [policy.key for policy in policies_using("by-entity")] == ["other"]
    assert b"is used by other" in client.post("/policies/by-entity/delete/", follow=True).content
    ApproverPolicy.objects.filter(key="other").delete()
    client.post("/policies/by-entity/delete/")
    assert not ApproverPolicy.objects.exists()


def test_leads_are_set_all_or_none(company: Company) -> None:
    entity = LegalEntity.objects.get()
    other = LegalEntity.objects.create(name="Beta Ltd")
    client = _as(company, "hr")
    form = {f"lead-{entity.pk}": "hr@acme.test", f"lead-{other.pk}": "nobody@acme.test"}
    assert b"nobody has the work email" in client.post("/entity-leads/", form, follow=True).content
    entity.refresh_from_db()
    assert entity.lead is None
    client.post("/entity-leads/", form | {f"lead-{other.pk}": ""})
    entity.refresh_from_db()
    assert entity.lead == company.people["hr"]
    client.post("/entity-leads/", {})
    entity.refresh_from_db()
    assert entity.lead is None
    assert AuditEntry.objects.filter(action="entity.lead_changed").count() == 2


@pytest.fixture
def acme(db: None) -> dict[str, Person]:
    """Ana of Acme SAS, whose lead is Lea; Bob, who reports to Boss; Boss reports to nobody."""
    boss = person_make("boss")
    lea = person_make("lea", manager=boss)
    entity = LegalEntity.objects.create(name="Acme SAS", lead=lea)
    ana = person_make("ana", legal_entity=entity, manager=boss)
    ApproverPolicy.objects.create(
        key="by-entity",
        rules=[
            {
                "when": {
                    "combinator": "and",
                    "rules": [
                        {"field": "person.legal_entity", "operator": "is", "value": "Acme SAS"}
                    ],
                },
                "approver": {"type": "entity_lead"},
            }
        ],
        baseline={"type": "manager"},
    )
    return {"boss": boss, "lea": lea, "ana": ana, "bob": person_make("bob", manager=boss)}


def _row(name: str, *stages: dict[str, Any]) -> Asked:
    found = rehearse(stages or (POLICY,), now=T0)
    return next(row for row in found.rows if row.person.work_email == f"{name}@acme.test")


def test_rehearsal_asks_whom_the_run_would(acme: dict[str, Person]) -> None:
    assert _row("ana").people == (acme["lea"],)
    assert "rule 1 of by-entity" in _row("ana").how
    assert _row("bob").people == (acme["boss"],)
    assert (_row("boss").findings, _row("boss").words) == (("none",), "Boss has no manager.")


@pytest.mark.django_db
def test_rehearsal_finds_each_weakness(acme: dict[str, Person]) -> None:
    lea, boss = acme["lea"], acme["boss"]
    Person.objects.filter(pk=lea.pk).update(legal_entity=LegalEntity.objects.get())
    assert _row("lea").findings == ("self",)
    Person.objects.filter(pk=lea.pk).update(end_date=T0.date() + timedelta(3))
    assert _row("ana").findings == ("leaving",)
    Person.objects.filter(pk=lea.pk).update(end_date=None)
    Absence.objects.create(person=lea, starts_on=T0.date(), created_at=T0)
    assert _row("ana").findings == ("away",)
    Delegation.objects.create(
        approver=lea, delegate=boss, starts_on=T0.date(), created_at=T0, kind="permanent"
    )
    assert _row("ana").findings == ()
    User.objects.create_user("lea", lea.work_email, is_active=False)
    assert _row("ana").findings == ("inactive",)
    assert _row("bob", {"type": "manager"}, POLICY).findings == ("twice",)
    ApproverPolicy.objects.create(key="a", baseline={"type": "policy", "key": "b"})
    ApproverPolicy.objects.create(key="b", baseline={"type": "policy", "key": "a"})
    assert _row("bob", {"type": "policy", "key": "a"}).findings == ("loop",)
    Person.objects.filter(pk=boss.pk).update(manager=acme["bob"])
    assert _row("bob", {"type": "manager"}).findings == ("loop",)


def test_rehearsal_counts_who_is_asked_too_often(acme: dict[str, Person]) -> None:
    for number in range(TOO_MANY):
        person_make(f"p{number}", manager=acme["boss"])
    (load, *_) = rehearse([{"type": "manager"}], now=T0).loads
    assert (load.approver, load.people, load.too_many) == (acme["boss"], TOO_MANY + 3, True)


def test_rehearsal_page_shows_findings_and_everybody(company: Company) -> None:
    html = _as(company, "hr").get("/policies/by-entity/rehearsal/").content.decode()
    assert "Nobody can be asked" in html
    assert "Employee Example has no manager." in html
    assert "Manager Example" in html
    _uses("by-entity", "by-entity")
    twice = _as(company, "hr").get("/policies/by-entity/rehearsal/?step=offboarding.ask")
    assert b"Manager Example is asked twice." in twice.content
    assert clock.now()


def test_who_is_asked_is_drawn_anew_for_another_type(company: Company) -> None:
    Role.objects.get_or_create(name="hr")
    client = _as(company, "hr")
    typed = {"approver-asked": '{"type": "manager"}', "approver.type": "role"}
    drawn = client.post("/policy-approver/approver/?policy=by-entity", typed).content.decode()
    assert 'name="approver.name"' in drawn
    assert '<option value="hr">hr</option>' in drawn
    chosen = {"rule-3-asked": '{"type": "policy"}', "rule-3.type": "policy"}
    offered = client.post("/policy-approver/rule-3/?policy=by-entity", chosen).content.decode()
    assert 'name="rule-3.key"' in offered
    assert 'value="by-entity"' not in offered, "a policy is not offered to itself"
    broken = client.post("/policy-approver/approver/", {"approver-asked": "[" * 9_000})
    assert broken.status_code == 200
    assert client.post("/policy-approver/anything/", typed).status_code == 404


def test_person_is_shown_by_name_and_stored_by_email(company: Company) -> None:
    client = _as(company, "hr")
    client.post("/policies/new/", _form())
    page = client.get("/policies/french-requests/").content.decode()
    assert f'value="{company.people["hr"].full_name} (hr@acme.test)"' in page
