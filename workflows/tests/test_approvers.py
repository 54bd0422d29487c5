"""Who is asked: never the subject, only people who are here, and a reason where nobody is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from integrations.models import Application
from people.choices import PersonStatus
from people.models import LegalEntity, Person, Role
from workflows.approvers.policy import resolve_spec
from workflows.models import ApproverPolicy
from workflows.nodes import APPROVERS, Resolution

T0 = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db

Make = Callable[..., Person]


@pytest.fixture
def make() -> Make:
    def build(name: str, **values: Any) -> Person:
        values.setdefault("status", PersonStatus.ACTIVE)
        return Person.objects.create(
            work_email=f"{name}@acme.test",
            full_name=name.title(),
            created_at=T0,
            updated_at=T0,
            **values,
        )

    return build


def resolve(spec: dict[str, Any], subject: Person, **facts: Any) -> Resolution:
    return resolve_spec(spec, subject=subject, facts=facts, now=T0)


def names(found: Resolution) -> list[str]:
    return [person.full_name for person in found.people]


def test_manager_is_asked_with_words_why(make: Make) -> None:
    ana = make("ana", manager=make("boss"))
    found = resolve({"type": "manager"}, ana)
    assert (names(found), found.how) == (["Boss"], "manager of Ana")


def test_managers_manager_is_two_levels_up(make: Make) -> None:
    ana = make("ana", manager=make("boss", manager=make("chief")))
    assert names(resolve({"type": "managers_manager"}, ana)) == ["Chief"]


@pytest.mark.parametrize("kind", ["manager", "managers_manager", "entity_lead", "app_owner"])
def test_nobody_there_gives_the_reason(make: Make, kind: str) -> None:
    found = resolve({"type": kind}, make("ana"))
    assert not found.people
    assert found.reason


def test_circle_of_two_never_asks_the_subject(make: Make) -> None:
    ana = make("ana")
    ana.manager = make("boss", manager=ana)
    ana.save()
    found = resolve({"type": "managers_manager"}, ana)
    assert (names(found), found.reason) == ([], "Nobody approves for themselves.")


def test_own_manager_never_asks_the_subject(make: Make) -> None:
    ana = make("ana")
    ana.manager = ana
    ana.save()
    assert not resolve({"type": "manager"}, ana).people
    assert not resolve({"type": "managers_manager"}, ana).people


def test_person_by_address_without_regard_to_case(make: Make) -> None:
    make("eve")
    assert names(resolve({"type": "person", "email": " EVE@acme.test"}, make("ana"))) == ["Eve"]


def test_unknown_address_is_a_reason(make: Make) -> None:
    found = resolve({"type": "person", "email": "who@acme.test"}, make("ana"))
    assert "who@acme.test" in found.reason


def test_role_asks_every_member_who_is_here_and_is_not_the_subject(make: Make) -> None:
    ana = make("ana")
    role = Role.objects.create(name="hr")
    role.members.add(ana, make("eve"), make("bob"), make("gone", status=PersonStatus.ENDED))
    assert names(resolve({"type": "role", "name": "hr"}, ana)) == ["Bob", "Eve"]


@pytest.mark.parametrize("members", ["nobody", "subject", "gone"])
def test_role_without_anybody_to_ask_gives_the_reason(make: Make, members: str) -> None:
    ana = make("ana")
    role = Role.objects.create(name="hr")
    if members == "subject":
        role.members.add(ana)
    if members == "gone":
        role.members.add(make("gone", status=PersonStatus.ENDED))
    found = resolve({"type": "role", "name": "hr"}, ana)
    assert not found.people
    assert found.reason


def test_entity_lead_is_of_the_subjects_entity(make: Make) -> None:
    entity = LegalEntity.objects.create(name="Acme SAS", lead=make("lead"))
    assert names(resolve({"type": "entity_lead"}, make("ana", legal_entity=entity))) == ["Lead"]


def test_app_owner_is_of_the_application_asked_for(make: Make) -> None:
    Application.objects.create(key="github", name="GitHub", owner=make("owner"))
    facts = {"request.form.application": "github"}
    assert names(resolve({"type": "app_owner"}, make("ana"), **facts)) == ["Owner"]


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "manager"},
        {"type": "person", "email": "boss@acme.test"},
        {"type": "entity_lead"},
        {"type": "app_owner"},
        {"type": "role", "name": "hr"},
        {"type": "policy", "key": "by-entity"},
    ],
)
def test_who_has_left_is_never_asked(make: Make, spec: dict[str, Any]) -> None:
    boss = make("boss", status=PersonStatus.ENDED)
    entity = LegalEntity.objects.create(name="Acme SAS", lead=boss)
    Application.objects.create(key="github", name="GitHub", owner=boss)
    Role.objects.create(name="hr").members.add(boss)
    ApproverPolicy.objects.create(key="by-entity", baseline={"type": "manager"})
    ana = make("ana", manager=boss, legal_entity=entity)
    found = resolve(spec, ana, **{"request.form.application": "github"})
    assert not found.people
    assert found.reason


ACME = {"field": "person.legal_entity", "operator": "is", "value": "Acme SAS"}
RULE = {"when": {"combinator": "and", "rules": [ACME]}, "approver": {"type": "entity_lead"}}


@pytest.mark.parametrize(
    ("entity", "expected"), [("Acme SAS", "Lead"), ("Other Ltd", "Boss"), (None, "Boss")]
)
def test_policy_takes_the_first_rule_that_matches_else_the_baseline(
    make: Make, entity: str | None, expected: str
) -> None:
    acme = LegalEntity.objects.create(name="Acme SAS", lead=make("lead"))
    ApproverPolicy.objects.create(
        key="by-entity",
        rules=[RULE, {**RULE, "approver": {"type": "person", "email": "no@acme.test"}}],
        baseline={"type": "manager"},
    )
    ana = make("ana", manager=make("boss"), legal_entity=acme if entity == "Acme SAS" else None)
    found = resolve({"type": "policy", "key": "by-entity"}, ana, **{"person.legal_entity": entity})
    assert names(found) == [expected]
    assert ("rule 1" if expected == "Lead" else "baseline") in found.how


def test_policies_in_a_circle_end_with_a_reason(make: Make) -> None:
    ApproverPolicy.objects.create(key="a", baseline={"type": "policy", "key": "b"})
    ApproverPolicy.objects.create(key="b", baseline={"type": "policy", "key": "a"})
    found = resolve({"type": "policy", "key": "a"}, make("ana"))
    assert not found.people
    assert "circle" in found.reason


@pytest.mark.parametrize("spec", [{}, {"type": "nobody"}, {"type": None}, {"type": "policy"}])
def test_unknown_type_is_a_reason_and_no_error(make: Make, spec: dict[str, Any]) -> None:
    found = resolve(spec, make("ana"))
    assert not found.people
    assert found.reason


@pytest.mark.parametrize("key", APPROVERS.keys())
def test_every_type_has_words(key: str) -> None:
    approver = APPROVERS.get(key)
    assert approver is not None
    assert approver.label
    assert approver.sentence({})[0].islower() or approver.sentence({}) == ""
