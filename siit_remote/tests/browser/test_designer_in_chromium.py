"""An HR admin builds the three workflows in Chromium: by mouse, by keyboard alone, on a phone."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from integrations.models import Bundle
from people.models import EmploymentType, Role
from siit_remote.tests.browser.building import PAUSE, Builder, Keys, saved_with
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company
from workflows.document import WorkflowDocument, load_document, parse_document
from workflows.models import ApproverPolicy, MessageTemplate, Service, Workflow

pytestmark = pytest.mark.browser
GALLERY = settings.BASE_DIR / "workflows" / "gallery"


def _there(model: Any, *, key: str, **values: Any) -> None:
    """A row with this key: the small company's own, or a new one."""
    model.objects.get_or_create(key=key, defaults=values)


@pytest.fixture
def workspace(company: Company) -> Company:
    """What the three workflows name."""
    text = {"default": True, "subject": "s", "body": "b"}
    for key in ("welcome", "contractor-left"):
        _there(MessageTemplate, key=key, name=key.capitalize(), variants=[text])
    _there(Bundle, key="laptop", name="Standard laptop")
    _there(EmploymentType, key="employee", name="Employee")
    for role in ("hr", "it"):
        Role.objects.get_or_create(name=role)
    _there(Service, key="application-access", name="Access to an application")
    _there(ApproverPolicy, key="by-entity", name="By entity", baseline={"type": "manager"})
    return company


def _expected(name: str) -> WorkflowDocument:
    return load_document((GALLERY / f"{name}.yaml").read_text())


def _plain(value: Any) -> Any:
    """A document without the keys of its steps, which the designer chooses itself."""
    if isinstance(value, dict):
        left_out = (
            ("key", "owner", "description", "category", "name") if "steps" in value else ("key",)
        )
        is_node = "action" in value or "wait" in value or "branch" in value or "steps" in value
        found = {name: _plain(item) for name, item in value.items()}
        return {
            name: item
            for name, item in found.items()
            if not (is_node and name in left_out) and item not in ([], {})
        }
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _contractor(build: Builder) -> None:
    build.choose("trigger-type", "person.end_date")
    build.write("trigger-timing-at", "18:00")
    build.press("Condition", within="#card-conditions")
    build.choose("only-if-conditions-row-0-field", "person.worker_type")
    build.choose("only-if-conditions-row-0-value", "contractor")
    build.add("apps.revoke")
    build.add("slack.close_access")
    build.add("message.send")
    build.write("step-message-params-to", "Their manager")
    build.choose("step-message-params-template", "contractor-left")
    build.choose("step-message-option-on_error", "continue")


def _onboarding(build: Builder) -> None:
    build.choose("trigger-type", "person.start_date")
    build.write("trigger-timing-at", "08:00")
    build.press("Condition", within="#card-conditions")
    build.choose("only-if-conditions-row-0-field", "person.worker_type")
    build.choose("only-if-conditions-row-0-operator", "in")
    for kind in ("eor_employee", "direct_employee", "contractor"):
        build.tick(f"only-if-conditions-row-0-value-{kind}")
    build.add("idp.create_account")
    build.add("apps.assign")
    build.choose("step-assign-params-by", "team")
    build.add("equipment.ship")
    build.choose("step-ship-params-bundle", "laptop")
    build.press("Do this step only for some people", within="#step-ship")
    build.choose("only-if-ship-when-row-0-field", "person.employment_type")
    build.choose("only-if-ship-when-row-0-value", "employee")
    build.choose("step-ship-option-on_error", "continue")
    build.add("message.send")
    build.write("step-message-params-to", "The person")
    build.choose("step-message-params-template", "welcome")
    build.choose("step-message-option-on_error", "continue")


def _access(build: Builder) -> None:
    build.choose("trigger-type", "request.submitted")
    build.choose("trigger-trigger-service", "application-access")
    build.press("Condition", within="#card-conditions")
    build.choose("only-if-conditions-row-0-field", "request.service")
    build.choose("only-if-conditions-row-0-value", "application-access")
    build.add("approval.request")
    build.choose("step-approval-params-approver-type", "policy")
    build.choose("step-approval-params-approver-key", "by-entity")
    build.choose("step-approval-params-fallback-type", "role")
    build.choose("step-approval-params-fallback-name", "hr")
    build.write("step-approval-params-due-working_days", "3")
    build.press("If approved …")
    build.add("request.set_status", to="-approval-approved")
    build.choose("step-set-status-params-status", "in_progress")
    build.add("apps.assign", to="-approval-approved")
    build.choose("step-assign-params-by", "request")
    build.add("request.set_status", to="-approval-approved")
    build.choose("step-set-status-2-params-status", "resolved")
    build.press("If rejected …")
    build.add("request.set_status", to="-approval-rejected")
    build.choose("step-set-status-3-params-status", "resolved")


WAYS = {
    "contractor-offboarding": _contractor,
    "global-day-1-onboarding": _onboarding,
    "access-request": _access,
}


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("name", list(WAYS))
def test_hr_admin_builds_and_publishes_each_workflow_with_the_mouse(
    name: str, width: int, calm: Any, workspace: Company
) -> None:
    guest = calm("hr", width=width)
    build = Builder(guest.page)
    build.begin(guest.base, name)
    WAYS[name](build)
    page = guest.page
    assert faults(page) == []
    page.get_by_role("link", name="Publish …").click()
    page.get_by_role("button", name="Publish").click()
    _as_in_the_gallery(page, name)
    assert guest.violations == []


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 1440) for name in WAYS), ("contractor-offboarding", 390)]
)
def test_hr_admin_builds_and_publishes_each_workflow_with_the_keyboard_alone(
    name: str, width: int, calm: Any, workspace: Company
) -> None:
    guest = calm("hr", width=width)
    build, page = Keys(guest.page), guest.page
    build.begin(guest.base, name)
    WAYS[name](build)
    build.follow(page.get_by_role("link", name="Publish …"))
    page.wait_for_url(f"**/workflows/{name}/publish/")
    build.follow(page.get_by_role("button", name="Publish"))
    _as_in_the_gallery(page, name)
    assert guest.violations == []


def _as_in_the_gallery(page: Page, name: str) -> None:
    """What was published says what the gallery's document says."""
    page.wait_for_url(f"**/workflows/{name}/")
    published = Workflow.objects.get(key=name).live_version
    assert published is not None
    expected = _expected(name).to_data()
    found = parse_document(published.document).to_data()
    assert _plain(_defaults_aside(found)) == _plain(_defaults_aside(expected))


def _defaults_aside(data: dict[str, Any]) -> dict[str, Any]:
    """What a document says although it is the default, and what the demo's texts say besides."""
    plain: dict[str, Any] = {**data}

    def strip(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        result = []
        for step in steps:
            params = dict(step.get("params", {}))
            for name, value in {
                "apps": "all",
                "channels": ["email"],
                "on_no_response": "escalate",
                "assignee": "it",
            }.items():
                if params.get(name) == value:
                    params.pop(name)
            kept = {**step, "params": params}
            if "outcomes" in step:
                kept["outcomes"] = {key: strip(inner) for key, inner in step["outcomes"].items()}
            result.append(kept)
        return result

    plain["steps"] = strip(data["steps"])
    return plain


@pytest.mark.parametrize("width", [1440, 390])
def test_steps_are_moved_undone_and_done_again_with_the_keyboard_alone(
    width: int, calm: Any, workspace: Company
) -> None:
    guest = calm("hr", width=width)
    page: Page = guest.open("/new-workflow/")
    keys = page.keyboard

    build = Keys(page)

    def tab_to(element: str) -> None:
        build.reach(page.locator(f"#{element}"))

    def typed(words: str) -> None:
        build.saved(lambda: keys.type(words))

    tab_to("id_name")
    keys.type("By keyboard")
    keys.press("Enter")
    page.locator("html.js").wait_for()
    tab_to("trigger-type")
    typed("End date")
    tab_to("only-if-conditions-row-add")
    keys.press("Enter")
    expect(page.locator("#only-if-conditions-row-0-field")).to_be_focused()
    typed("Worker type")
    tab_to("only-if-conditions-row-0-value")
    typed("Contractor")
    for words in ("revoke", "slack"):
        tab_to("add-step")
        keys.press("Enter")
        expect(page.locator("#add-search")).to_be_focused()
        keys.type(words)
        build.saved(lambda: keys.press("Enter"), holds="/add-step/")
    expect(page.locator("#step-close-access-edit")).to_be_focused()
    for _ in range(3):
        keys.press("Shift+Tab")
    expect(page.locator("#step-close-access-up")).to_be_focused()
    keys.press("Enter")
    expect(page.locator("#designer-said")).to_have_text("Moved to position 1 of 2")
    expect(page.locator("#step-close-access-up")).to_be_focused()
    expect(page.locator("#step-close-access-up")).to_have_attribute("aria-disabled", "true")
    keys.press("Control+z")
    expect(page.locator("#designer-said")).to_have_text("Undone")
    keys.press("Control+y")
    expect(page.locator("#designer-said")).to_have_text("Done again")
    steps: list[str] = []
    page.on("response", lambda answer: steps.append(answer.url.rsplit("/", 2)[-2]))
    revision = page.locator("#editor input[name=revision]").first
    before = int(revision.input_value())
    for key in ("Control+z", "Control+z", "Control+y", "Control+y"):  # faster than the answers
        keys.press(key)
    expect(revision).to_have_value(str(before + 4))
    assert [name for name in steps if name != "panel"] == ["undo", "undo", "redo", "redo"]
    expect(page.locator("#designer-said")).to_have_text("Done again")
    draft = Workflow.objects.get(key="by-keyboard").draft
    assert [step["action"] for step in draft["steps"]] == ["slack.close_access", "apps.revoke"]
    assert draft["conditions"]["rules"] == [
        {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    ]
    assert guest.violations == []


def test_typed_text_and_caret_survive_the_answer_of_the_autosave(
    calm: Any, workspace: Company
) -> None:
    guest = calm("hr")
    build = Builder(guest.page)
    build.begin(guest.base, "Typing")
    build.add("flow.stop")
    page = guest.page
    box, keys = page.locator("#step-stop-params-reason"), page.keyboard
    reason = f"{box.get_attribute('name')}=Because it"
    box.click()
    keys.type("Because it")
    # The second half is typed, and sent, while the first is still on its way.
    with page.expect_response(saved_with(f"{reason} is over&")) as last:
        page.clock.fast_forward(PAUSE)
        keys.type(" is over")
        page.clock.fast_forward(PAUSE)
        for _ in range(4):
            keys.press("ArrowLeft")
    assert last.value.status == 200
    expect(box).to_have_value("Because it is over")
    assert box.evaluate("box => box.selectionStart") == len("Because it is over") - 4
    expect(page.locator("#designer-saved")).to_contain_text("Saved")
    workflow = Workflow.objects.get(key="typing")
    assert workflow.draft["steps"][0]["params"]["reason"] == "Because it is over"
    # A button of another card at once after a letter: the letter is saved all the same.
    box.press_sequentially("x")
    build.saved(lambda: build.press("Condition", within="#card-conditions"), holds="is xover&")
    workflow.refresh_from_db()
    assert workflow.draft["steps"][0]["params"]["reason"] == "Because it is xover"
    expect(page.locator("#only-if-conditions-row-0-field")).to_be_visible()


def test_a_step_is_dragged_by_its_handle(calm: Any, workspace: Company) -> None:
    guest = calm("hr")
    build = Builder(guest.page)
    build.begin(guest.base, "Dragging")
    build.add("apps.revoke")
    build.add("slack.close_access")
    page = guest.page
    page.reload(wait_until="load")
    page.locator("html.js").wait_for()
    page.locator("#step-revoke [data-handle]").scroll_into_view_if_needed()
    first = page.locator("#step-revoke [data-handle]").bounding_box()
    last = page.locator("#step-close-access [data-handle]").bounding_box()
    assert first is not None
    assert last is not None
    page.mouse.move(first["x"] + 5, first["y"] + 8)
    page.mouse.down()
    for extra in (10, 30, 45):
        page.mouse.move(last["x"] + 5, last["y"] + extra, steps=6)
    page.mouse.up()
    expect(page.locator("#designer-said")).to_have_text("Moved to position 2 of 2")
    draft = Workflow.objects.get(key="dragging").draft
    assert [step["key"] for step in draft["steps"]] == ["close-access", "revoke"]
    assert guest.violations == []


def test_a_second_window_is_told_and_may_keep_its_change(calm: Any, workspace: Company) -> None:
    first, second = calm("hr"), calm("owner")
    build = Builder(first.page)
    build.begin(first.base, "Together")
    second.open("/workflows/together/edit/")
    second.page.locator("html.js").wait_for()
    build.choose("trigger-type", "person.birthday")
    second.page.locator("#about-about-category").fill("Joy")
    notice = second.page.locator(".conflict")
    expect(notice).to_contain_text("hr")
    expect(notice).to_contain_text("Starts on: nothing → Birthday")
    notice.get_by_role("button", name="Keep mine").click()
    expect(second.page.locator("#about-about-category")).to_have_value("Joy")
    draft = Workflow.objects.get(key="together").draft
    assert (draft["trigger"]["type"], draft["category"]) == ("person.birthday", "Joy")


def test_a_workflow_is_built_without_javascript(
    browser: Any, live_server: Any, calm: Any, workspace: Company
) -> None:
    guest = calm("hr")
    context = browser.new_context(
        java_script_enabled=False, storage_state=guest.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/new-workflow/")
    page.get_by_label("Name").fill("Plain")
    page.get_by_role("button", name="Create draft").click()
    page.get_by_label("Starts on").select_option("person.end_date")
    page.get_by_role("button", name="Save when it starts").click()
    page.locator("#card-conditions").get_by_role("button", name="Condition", exact=True).click()
    page.locator("#only-if-conditions-row-0-field").select_option("person.worker_type")
    page.get_by_role("button", name="Save the conditions").click()
    page.locator("#only-if-conditions-row-0-value").select_option("contractor")
    page.get_by_role("button", name="Save the conditions").click()
    for kind in ("apps.revoke", "slack.close_access"):
        page.get_by_label("What the next step does", exact=True).select_option(kind)
        page.get_by_role("button", name="Add step", exact=True).click()
    page.get_by_role("button", name="Move step 2 up").click()
    page.locator(".messages").get_by_text("Moved to position 1 of 2").wait_for()
    page.get_by_role("link", name="Publish …").click()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url("**/workflows/plain/")
    found = Workflow.objects.get(key="plain")
    assert found.status == "live"
    assert [step["key"] for step in found.draft["steps"]] == ["close-access", "revoke"]
    context.close()
