"""The designer's pages, as a browser without JavaScript uses them."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from people.models import FieldPolicy, Person
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.roles import HR_ADMIN, OWNER, roles_set_up, user_roles_set
from workflows.document import load_document, parse_document
from workflows.drafts import KEPT
from workflows.models import Workflow, WorkflowVersion
from workflows.nodes import ACTIONS, APPROVERS, TRIGGERS
from workflows.services import draft_save
from workflows.tests.form_fields import cards_of
from workflows.tests.test_node_contract import GOOD

pytestmark = pytest.mark.django_db
GALLERY = settings.BASE_DIR / "workflows/gallery"


@pytest.fixture
def hr(client: Client) -> Client:
    roles_set_up()
    user = User.objects.create_user("hr", "hr@acme.test", "x")
    user_roles_set(user, roles=[HR_ADMIN])
    client.force_login(user)
    return client


def _made(name: str = "contractor-offboarding") -> Workflow:
    text = (GALLERY / f"{name}.yaml").read_text()
    return draft_save(load_document(text), now=clock.now())


def _post(hr: Client, workflow: Workflow, verb: str, **sent: Any) -> Any:
    workflow.refresh_from_db()
    query = sent.pop("query", "")
    url = f"/workflows/{workflow.key}/edit/{verb}/{query}"
    answer = hr.post(url, {"revision": workflow.draft_revision, **sent}, follow=True)
    workflow.refresh_from_db()
    return answer


@pytest.mark.parametrize(
    "name", ["contractor-offboarding", "global-day-1-onboarding", "access-request"]
)
def test_designer_shows_each_workflow_of_the_gallery(hr: Client, name: str) -> None:
    workflow = _made(name)
    page = hr.get(f"/workflows/{workflow.key}/edit/")
    assert page.status_code == 200
    html = page.content.decode()
    for _, step in load_document((GALLERY / f"{name}.yaml").read_text()).walk():
        assert f'id="step-{step.key}"' in html


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["contractor-offboarding", "global-day-1-onboarding", "access-request"]
)
def test_saving_every_card_untouched_changes_nothing(hr: Client, name: str) -> None:
    workflow = _made(name)
    before = workflow.draft
    cards = cards_of(hr.get(f"/workflows/{workflow.key}/edit/").content.decode())
    assert {"about", "trigger", "conditions"} < set(cards)
    for fields in cards.values():
        _post(hr, workflow, "save", **fields)
        assert workflow.draft == before
    assert workflow.draft_revision == 0


NODES = [
    *(("action", key, params) for key, many in GOOD.items() if ACTIONS.get(key) for params in many),
    *(
        ("trigger", key, params)
        for key, many in GOOD.items()
        if TRIGGERS.get(key)
        for params in many
    ),
    *(
        ("approver", key, params)
        for key, many in GOOD.items()
        if APPROVERS.get(key)
        for params in many
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "key", "params"), NODES)
def test_every_node_is_shown_and_saved_without_loss(
    hr: Client, kind: str, key: str, params: dict[str, Any]
) -> None:
    """A node added as one file is in the designer at once, with a form that keeps its params."""
    data: dict[str, Any] = {"format": "siit.workflow/1", "key": "any", "name": "Any", "steps": []}
    if kind == "trigger":
        data["trigger"] = {"type": key, "params": params}
    elif kind == "action":
        data["steps"] = [{"key": "one", "action": key, "params": params}]
    else:
        asked = {"approver": {"type": key, **params}, "fallback": {"type": "manager"}}
        data["steps"] = [{"key": "one", "action": "approval.request", "params": asked}]
    workflow = draft_save(parse_document(data), now=clock.now())
    before = workflow.draft
    html = hr.get("/workflows/any/edit/").content.decode()
    card = "trigger" if kind == "trigger" else "step:one"
    for name in params:
        assert f".{name}" in html
    if kind != "approver":
        assert f'<option value="{key}"' in html
    _post(hr, workflow, "save", **cards_of(html)[card])
    assert workflow.draft == before


def test_a_workflow_is_built_from_nothing_without_javascript(hr: Client) -> None:
    answer = hr.post("/new-workflow/", {"name": "Contractors leave"})
    assert answer["Location"] == "/workflows/contractors-leave/edit/"
    workflow = Workflow.objects.get(key="contractors-leave")
    _post(hr, workflow, "save", card="trigger", **{"trigger.type": "person.end_date"})
    _post(hr, workflow, "save", card="trigger", **{"timing.at": "18:00"})
    _post(hr, workflow, "add-rule", query="?row=conditions:", card="conditions")
    _post(hr, workflow, "save", card="conditions", **{"row.0.field": "person.worker_type"})
    value = {"row.0.value.shown": "1", "row.0.value": "contractor"}
    _post(hr, workflow, "save", card="conditions", **value)
    _post(hr, workflow, "add-step", kind="apps.revoke", place="")
    _post(hr, workflow, "add-step", kind="slack.close_access", place="")
    answer = _post(hr, workflow, "add-step", kind="message.send", place="")
    fields = {"params.to": "Their manager", "params.body": "Bye", "option.on_error": "continue"}
    _post(hr, workflow, "save", card="step:message", **fields)
    expected = load_document((GALLERY / "contractor-offboarding.yaml").read_text())
    built = parse_document(workflow.draft)
    assert built.trigger == expected.trigger
    assert built.conditions == expected.conditions
    assert [step.action for _, step in built.walk()] == [s.action for _, s in expected.walk()]
    assert built.step("message").params == {"to": "manager", "body": "Bye"}
    assert built.step("message").on_error == "continue"
    assert answer.status_code == 200


def test_a_second_editor_is_told_who_changed_what_and_may_keep_theirs(hr: Client) -> None:
    workflow = _made()
    other = User.objects.create_user(
        "ana", "ana@acme.test", "x", first_name="Ana", last_name="Lopez"
    )
    user_roles_set(other, roles=[HR_ADMIN])
    ana = Client()
    ana.force_login(other)
    url = f"/workflows/{workflow.key}/edit/save/"
    ana.post(url, {"revision": "0", "card": "about", "about.name": "Theirs"})
    mine = {"revision": "0", "card": "trigger", "timing.at": "20:00"}
    answer = hr.post(url, mine)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "Ana Lopez" in html
    assert "Name: Contractor offboarding → Theirs" in html
    assert "When, at: 18:00 → 20:00" in html
    workflow.refresh_from_db()
    assert workflow.draft["trigger"]["params"]["at"] == "18:00"
    again = hr.post(url, mine | {"revision": str(workflow.draft_revision)})
    workflow.refresh_from_db()
    assert again.status_code == 302
    assert (workflow.draft["name"], workflow.draft["trigger"]["params"]["at"]) == (
        "Theirs",
        "20:00",
    )


def test_undo_brings_back_the_exact_draft_and_redo_the_change(hr: Client) -> None:
    workflow = _made()
    seen = [workflow.draft]
    for verb, query in (
        ("delete-step", "?step=slack"),
        ("switch-step", "?step=tell"),
        ("move-step", "?step=tell&go=up"),
    ):
        _post(hr, workflow, verb, query=query)
        seen.append(workflow.draft)
    for before in reversed(seen[:-1]):
        _post(hr, workflow, "undo")
        assert workflow.draft == before
    for after in seen[1:]:
        _post(hr, workflow, "redo")
        assert workflow.draft == after
    revision = workflow.draft_revision
    _post(hr, workflow, "redo")
    assert workflow.draft_revision == revision


@pytest.mark.slow
def test_fifty_states_are_kept(hr: Client) -> None:
    workflow = _made()
    for _ in range(KEPT + 5):
        _post(hr, workflow, "switch-step", query="?step=slack")
    assert workflow.draft_states.count() == KEPT


def test_what_cannot_be_saved_says_why_and_changes_nothing(hr: Client) -> None:
    workflow = _made()
    answer = _post(hr, workflow, "save", card="about", **{"about.owner": "no address"})
    assert "Not saved. Owner: Expected a work email" in answer.content.decode()
    assert workflow.draft_revision == 0


def test_discarding_goes_back_to_what_is_live(hr: Client) -> None:
    workflow = _made("access-request")
    answer = _post(hr, workflow, "discard")
    assert "Nothing is live yet" in answer.content.decode()
    live = parse_document(workflow.draft)
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=live.to_data(), digest="d", published_at=clock.now()
    )
    Workflow.objects.filter(pk=workflow.pk).update(live_version=version)
    _post(hr, workflow, "delete-step", query="?step=provide")
    assert workflow.draft != version.document
    _post(hr, workflow, "discard")
    assert workflow.draft == version.document
    _post(hr, workflow, "undo")
    assert workflow.draft != version.document


def test_a_copy_is_a_draft_of_its_own(hr: Client) -> None:
    workflow = _made()
    hr.post(f"/workflows/{workflow.key}/duplicate/")
    copy = Workflow.objects.get(key="contractor-offboarding-copy")
    assert (copy.name, copy.status) == ("Contractor offboarding (copy)", "draft")
    assert copy.draft["steps"] == workflow.draft["steps"]


def test_a_template_of_the_gallery_opens_as_a_draft(hr: Client) -> None:
    hr.post("/new-workflow/", {"start": "global-day-1-onboarding"})
    made = Workflow.objects.get()
    assert made.draft["steps"][0]["action"] == "idp.create_account"
    assert hr.post("/new-workflow/", {"start": "nothing-such"}).status_code == 422


def test_one_sitting_leaves_one_line_in_the_log(hr: Client) -> None:
    workflow = _made()
    before = AuditEntry.objects.filter(action="workflow.draft_saved").count()
    for _ in range(3):
        _post(hr, workflow, "switch-step", query="?step=slack")
    assert AuditEntry.objects.filter(action="workflow.draft_saved").count() == before + 1


def test_picks_find_by_name_and_answer_with_names(hr: Client) -> None:
    now = clock.now()
    Person.objects.create(
        work_email="ana@acme.test", full_name="Ana López", job_title="Tailor",
        search_text="ana lopez ana@acme.test tailor", created_at=now, updated_at=now,
    )  # fmt: skip
    assert "Ana López (ana@acme.test)" in hr.get("/pick/person/?q=lopez").content.decode()
    assert "Their manager" in hr.get("/pick/recipient/?q=manag").content.decode()
    assert "France" in hr.get("/pick/country/?q=fran").content.decode()
    assert hr.get("/pick/nothing/").status_code == 404
    assert "Ana López" in hr.get("/pick/person/?q=lopez+tailor").content.decode()
    FieldPolicy.objects.update_or_create(field="job_title", defaults={"visible_to": [OWNER]})
    assert "Ana López" not in hr.get("/pick/person/?q=lopez+tailor").content.decode()


def test_a_step_is_inserted_before_another_from_its_menu(hr: Client) -> None:
    workflow = _made()
    html = hr.get(f"/workflows/{workflow.key}/edit/").content.decode()
    card = cards_of(html)["step:slack"]
    query = "?place=&at=1"
    assert f'formaction="/workflows/{workflow.key}/edit/add-step/?place=&amp;at=1"' in html
    _post(hr, workflow, "add-step", query=query, **card | {"kind": ["wait"]})
    assert [step["key"] for step in workflow.draft["steps"]][:3] == ["revoke", "wait", "slack"]


def test_a_condition_moves_to_a_position_and_says_so(hr: Client) -> None:
    workflow = _made()
    rules = [{"field": "person.team", "operator": "is", "value": name} for name in ("A", "B", "C")]
    data = workflow.draft | {"conditions": {"combinator": "and", "rules": rules}}
    draft_save(parse_document(data), now=clock.now())
    card = cards_of(hr.get(f"/workflows/{workflow.key}/edit/").content.decode())["conditions"]
    answer = _post(hr, workflow, "move-row", query="?row=conditions:0", **card | {"to.0": ["3"]})
    assert [rule["value"] for rule in workflow.draft["conditions"]["rules"]] == ["B", "C", "A"]
    assert "Moved to position 3 of 3" in answer.content.decode()
    refused = _post(hr, workflow, "move-row", query="?row=conditions:0")
    assert "Say to which position." in refused.content.decode()


def test_limits_of_a_day_and_of_a_week_are_edited_and_taken_away(hr: Client) -> None:
    workflow = _made()

    def about(**changes: str) -> None:
        html = hr.get(f"/workflows/{workflow.key}/edit/").content.decode()
        fields = cards_of(html)["about"]
        _post(hr, workflow, "save", **fields | {key: [value] for key, value in changes.items()})

    about(
        **{"limits.people": "5", "limits.per_hours": "12", "week.people": "9", "week.percent": "3"}
    )
    assert workflow.draft["limits"] == {
        "hold_above": {"people": 5, "per_hours": 12},
        "hold_above_week": {"people": 9, "percent": 3},
    }
    about(**{"limits.people": "", "limits.per_hours": ""})
    assert workflow.draft["limits"] == {"hold_above_week": {"people": 9, "percent": 3}}
    about(**{"week.people": "", "week.percent": ""})
    assert "limits" not in workflow.draft


def test_one_step_is_tested_with_a_person(hr: Client) -> None:
    workflow = _made()
    now = clock.now()
    Person.objects.create(
        work_email="ana@acme.test",
        full_name="Ana Lopez",
        worker_type="contractor",
        created_at=now,
        updated_at=now,
    )
    url = f"/workflows/{workflow.key}/test/"
    assert f'href="{url}?step=slack"' in hr.get(f"/workflows/{workflow.key}/edit/").content.decode()
    shown = hr.get(url, {"person": "ana@acme.test", "step": "slack"}).content.decode()
    assert 'class="d-this" aria-current="step" id="step-slack"' in shown
    _post(hr, workflow, "switch-step", query="?step=slack")
    off = hr.get(url, {"person": "ana@acme.test", "step": "slack"}).content.decode()
    assert "would not be reached for Ana Lopez" in off
