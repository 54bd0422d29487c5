"""Gaps: what no single workflow shows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from integrations.models import Application, Connection
from people.models import LegalEntity, Person
from workflows.document.parse import parse_document
from workflows.engine.service import run_due
from workflows.gap_memory import gaps_count, gaps_known, gaps_look
from workflows.gaps import GapKind, gaps_find
from workflows.models import ApproverPolicy, Delegation, Run, Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
REVOKE = {"key": "take", "action": "apps.revoke", "params": {"apps": "all"}}
ASSIGN = {"key": "give", "action": "apps.assign", "params": {"apps": ["github"]}}
TELL = {"key": "tell", "action": "task.create", "params": {"title": "t", "assignee": "it"}}


def _person(name: str, **values: Any) -> Person:
    dates = dict.fromkeys(("start_date", "end_date"), "2026-11-01T08:00:00+00:00")
    return Person.objects.create(
        **{
            "work_email": f"{name}@acme.test", "full_name": name.title(), "status": "active",
            "timezone": "Europe/Paris", "created_at": NOW, "updated_at": NOW, "known_at": dates,
            "worker_type": "contractor", **values,
        }
    )  # fmt: skip


def _live(key: str, trigger: str, *steps: dict[str, Any], **document: Any) -> Workflow:
    since = document.pop("since", NOW - timedelta(days=1))
    data = parse_document(
        {
            "format": "siit.workflow/1", "key": key, "name": key.title(),
            "trigger": {"type": trigger}, "steps": list(steps), **document,
        }
    ).to_data()  # fmt: skip
    workflow = Workflow.objects.create(
        key=key, name=key.title(), draft=data, draft_saved_at=NOW, created_at=NOW,
        owner=data.get("owner", ""),
    )  # fmt: skip
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=data, digest=key, published_at=since
    )
    Workflow.objects.filter(pk=workflow.pk).update(
        live_version=version, live_since=since, status="live"
    )
    return workflow


def _found(kind: GapKind) -> list[Any]:
    return [gap for gap in gaps_find(now=NOW) if gap.kind is kind]


def test_leavers_are_covered_only_by_what_takes_access_away() -> None:
    soon = TODAY + timedelta(days=10)
    ana, bob = _person("ana", end_date=soon), _person("bob", end_date=soon, worker_type="other")
    _person("eve", end_date=TODAY + timedelta(days=60))
    _live("tell", "person.end_date", TELL)
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    assert {gap.person for gap in _found(GapKind.LEAVER)} == {ana, bob}
    _live("take", "person.end_date", REVOKE, conditions={"combinator": "and", "rules": [rule]})
    (gap,) = _found(GapKind.LEAVER)
    assert (gap.person, gap.on) == (bob, soon)


def test_joiners_are_covered_by_anything_that_starts_also_days_before() -> None:
    start = TODAY + timedelta(days=3)
    ana = _person("ana", status="hired", start_date=start)
    assert [gap.person for gap in _found(GapKind.JOINER)] == [ana]
    before = {"type": "person.start_date", "params": {"direction": "before", "days": 7}}
    workflow = _live("welcome", "person.start_date", TELL, since=NOW - timedelta(days=30))
    data = {**workflow.draft, "trigger": before}
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=2, document=data, digest="2", published_at=NOW
    )
    Workflow.objects.update(live_version=version)
    run_due(now=NOW)
    assert Run.objects.get().person == ana
    assert _found(GapKind.JOINER) == []


@pytest.mark.parametrize(
    ("given", "taken", "apart", "collides"),
    [
        (["github"], "all", 3, True),
        (["github"], ["github"], 7, True),
        (["github"], ["figma"], 3, False),
        (["github"], "all", 9, False),
    ],
)
def test_opposite_actions_on_one_application_collide_within_days(
    given: list[str], taken: Any, apart: int, collides: bool
) -> None:
    start = TODAY + timedelta(days=5)
    ana = _person("ana", status="hired", start_date=start, end_date=start + timedelta(days=apart))
    _live("join", "person.start_date", {**ASSIGN, "params": {"apps": given}})
    _live("leave", "person.end_date", {**REVOKE, "params": {"apps": taken}})
    found = _found(GapKind.COLLISION)
    assert [gap.person for gap in found] == ([ana] if collides else [])
    if collides:
        assert "“Join” on 15 Nov 2026 and “Leave”" in found[0].words


def test_an_account_made_and_suspended_on_one_day_collides() -> None:
    day = TODAY + timedelta(days=5)
    ana = _person("ana", status="hired", start_date=day, end_date=day)
    _live("join", "person.start_date", {"key": "a", "action": "idp.create_account"})
    _live("leave", "person.end_date", {"key": "a", "action": "idp.suspend_account"})
    (gap,) = _found(GapKind.COLLISION)
    assert (gap.person, "the account" in gap.words) == (ana, True)
    Person.objects.update(end_date=day + timedelta(days=2))
    assert _found(GapKind.COLLISION) == []


def test_a_workflow_nobody_met_for_ninety_days_is_named() -> None:
    _live("old", "person.birthday", TELL, since=NOW - timedelta(days=91))
    _live("young", "person.birthday", TELL, since=NOW - timedelta(days=89))
    assert [gap.workflow for gap in _found(GapKind.UNUSED)] == ["old"]


def test_names_that_lead_nowhere_are_named() -> None:
    gone = _person("gone", status="ended")
    here, silent = _person("here"), _person("silent")
    User.objects.create_user("here", "Here@acme.test")
    ask = {
        "key": "ask",
        "action": "approval.request",
        "params": {
            "approver": {"type": "person", "email": "silent@acme.test"},
            "fallback": {"type": "role", "name": "hr"},
        },
    }
    _live("ask", "manual", ask, owner="stranger@acme.test")
    LegalEntity.objects.create(name="Acme SAS", lead=gone)
    Application.objects.create(key="github", name="GitHub", owner=here)
    Delegation.objects.create(approver=here, delegate=silent, starts_on=TODAY, created_at=NOW)
    assert sorted(gap.words for gap in _found(GapKind.NOBODY)) == [
        "Approver in “Ask”: nobody is in the role hr.",
        "Approver in “Ask”: silent@acme.test has no account to sign in with.",
        "Lead of Acme SAS: gone@acme.test has left, or is not in the directory.",
        "Owner of “Ask”: stranger@acme.test has left, or is not in the directory.",
        "Stands in for Here: silent@acme.test has no account to sign in with.",
    ]


def test_connections_a_live_workflow_needs_and_that_are_not_ready() -> None:
    idp = Connection.objects.create(
        key="idp", connector="scim", name="Identity", status="needs_attention", created_at=NOW
    )
    Application.objects.create(key="github", name="GitHub", connection=idp, provision_by="group")
    close = {"key": "c", "action": "slack.close_access", "params": {"connection": "slack"}}
    _live("leave", "person.end_date", REVOKE, close)
    assert [(gap.links[0].args[0], gap.words) for gap in _found(GapKind.CONNECTION)] == [
        ("idp", "“Leave” needs Identity, which is not ready: needs attention."),
        ("leave", "“Leave” needs slack, which is not ready: does not exist."),
    ]
    Connection.objects.update(status="ready")
    assert len(_found(GapKind.CONNECTION)) == 1


def test_the_number_of_queries_does_not_grow_with_the_people(
    django_assert_max_num_queries: Any,
) -> None:
    _live("leave", "person.end_date", REVOKE)
    day = date(2026, 11, 20)
    for index in range(30):
        _person(f"p{index}", end_date=day)
    with django_assert_max_num_queries(30):
        assert _found(GapKind.LEAVER) == []


def test_gaps_are_remembered_and_looked_for_again_when_asked(
    django_assert_max_num_queries: Any,
) -> None:
    Person.objects.all().delete()
    one = _person("leaver", end_date=TODAY + timedelta(days=3))
    first = gaps_look(now=NOW)
    assert [gap.person for gap in first.gaps] == [one]
    _person("second", end_date=TODAY + timedelta(days=4))
    later = NOW + timedelta(minutes=10)
    with django_assert_max_num_queries(3):
        known = gaps_known(now=later)
    assert (known.at, known.gaps) == (NOW, first.gaps)
    assert gaps_count(now=later) == 1
    assert len(gaps_known(now=NOW + timedelta(minutes=31)).gaps) == 2
    Person.objects.filter(pk=one.pk).delete()
    assert len(gaps_known(now=NOW + timedelta(minutes=32)).gaps) == 1


def test_every_gap_leads_to_where_it_is_mended() -> None:
    policy = ApproverPolicy.objects.create(
        key="p", name="P", baseline={"type": "person", "email": "gone@acme.test"}
    )
    Application.objects.create(key="github", name="GitHub", owner=_person("owner"))
    _person("leaver", end_date=TODAY + timedelta(days=3))
    workflow = _live("away", "person.birthday", TELL, owner="gone@acme.test")
    found = gaps_find(now=NOW)
    assert {gap.kind for gap in found} >= {GapKind.LEAVER, GapKind.NOBODY}
    links = {link for gap in found for link in gap.links}
    assert all(gap.links for gap in found)
    assert {(link.url_name, link.args) for link in links} >= {
        ("designer", (workflow.key,)),
        ("policy-edit", (policy.key,)),
        ("application-edit", ("github",)),
    }
    for link in links:
        assert reverse(link.url_name, args=link.args)
