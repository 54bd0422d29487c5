"""Somebody asks, somebody decides on a phone, and a real SCIM server shows the access."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail
from playwright.sync_api import expect

from integrations.models import Application
from integrations.services import connection_save, connection_test
from people.models import LegalEntity, Person, Role
from siit_remote.demo import GALLERY
from siit_remote.lib import clock
from siit_remote.roles import EMPLOYEE, user_roles_set
from siit_remote.tasks import run_due as engine_pass
from siit_remote.tests.e2e.peers import ScimServer, scim_server
from siit_remote.tests.people_with_roles import PASSWORD, Company
from workflows.document import load_document
from workflows.engine.service import run_due
from workflows.models import Approval, ApproverPolicy, Request, Service
from workflows.services import workflow_import


@pytest.fixture
def acme(company: Company, settings: Any, live_server: Any) -> Company:
    """Lea leads Acme SAS, which Employee belongs to; Report belongs to another entity."""
    settings.SITE_URL = live_server.url
    now = clock.now()
    lea = Person.objects.create(
        work_email="lea@acme.test", full_name="Lea Blanc", status="active", country="FRA",
        created_at=now, updated_at=now,
    )  # fmt: skip
    for name in ("lea", "report"):
        user = User.objects.create_user(name, f"{name}@acme.test", PASSWORD)
        user_roles_set(user, roles=[EMPLOYEE])
        company.users[name] = user
    company.people["lea"] = lea
    entity = LegalEntity.objects.get(name="Acme SAS")
    LegalEntity.objects.filter(pk=entity.pk).update(lead=lea)
    Person.objects.filter(work_email="employee@acme.test").update(
        legal_entity=entity, manager=company.people["manager"]
    )
    Role.objects.create(name="hr").members.add(company.people["hr"])
    Application.objects.get_or_create(key="github", defaults={"name": "GitHub"})
    Approval.objects.all().delete()
    Service.objects.create(
        key="application-access", name="Access to an application", category="Access", icon="key",
        fields=[
            {"name": "application", "label": "Application", "type": "application",
             "required": True},
            {"name": "reason", "label": "What for", "type": "text", "required": True},
        ],
    )  # fmt: skip
    document = load_document((GALLERY / "access-request.yaml").read_bytes())
    workflow_import(document, publish=True, now=now)
    return company


@pytest.fixture
def scim() -> Iterator[ScimServer]:
    with scim_server() as server:
        yield server


def _ask(visitor: Any, who: str, width: int) -> Request:
    """Through the portal, from the search to the confirmation."""
    page = visitor(who, width=width).open("/requests/?q=application")
    page.get_by_role("link", name="Access to an application").click()
    page.get_by_label("Application").select_option(label="GitHub")
    page.get_by_label("What for").fill("Reviews")
    page.get_by_role("button", name="Send request").click()
    page.get_by_text("the request is sent").wait_for()
    run_due(now=clock.now())
    return Request.objects.latest("pk")


def _link(email: str) -> str:
    """The address in the newest mail to ``email``."""
    (sent, *_) = [item for item in reversed(mail.outbox) if item.to == [email]]
    found = re.search(r"https?://\S+/approvals/\d+/", str(sent.body))
    assert found is not None
    return found.group()


def _decide(browser: Any, email: str, who: str, width: int, button: str) -> None:
    """Open the mail's link signed out, sign in, read, press the button."""
    context = browser.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto(_link(email))
    assert "/sign-in/" in page.url
    page.get_by_label("User name or work email").fill(who)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("heading", name="Access to an application").wait_for()
    expect(page.get_by_text("GitHub").first).to_be_visible()
    expect(page.get_by_text("Reviews")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name=button, exact=True).click()
    page.get_by_text("Approved: Access to an application").wait_for()
    context.close()
    run_due(now=clock.now())


@pytest.mark.peer
@pytest.mark.parametrize("width", [390, 1440])
def test_employee_of_acme_sas_gets_the_application_from_the_french_lead(
    width: int, browser: Any, visitor: Any, acme: Company, scim: ScimServer
) -> None:
    tenant = f"portal-{width}"
    connection = connection_save(
        key="idp",
        connector="scim",
        name="Identity provider",
        config={"base_url": scim.base_url(tenant)},
        secrets={"bearer_token": scim.token},
    )
    assert not connection_test(connection).problems
    Application.objects.update(connection=connection, provision_by="account", provision={})
    made = _ask(visitor, "employee", width)
    _decide(browser, "lea@acme.test", "lea", width, "Approve")
    made.refresh_from_db()
    assert (made.status, made.status_reason) == ("resolved", "Approved by Lea Blanc.")
    (account,) = scim.resources(tenant)
    assert account["emails"][0]["value"] == "employee@acme.test"
    assert account["active"] is True
    page = visitor("employee", width=width).open(f"/requests/{made.pk}/")
    expect(page.get_by_text("Approved by Lea Blanc.").first).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("width", [390, 1440])
def test_other_entitys_request_goes_to_the_manager_and_moves_on_when_they_leave(
    width: int, browser: Any, visitor: Any, acme: Company
) -> None:
    chief = acme.people["owner"]
    Person.objects.filter(work_email="manager@acme.test").update(manager=chief)
    made = _ask(visitor, "report", width)
    assert _link("manager@acme.test")
    Person.objects.filter(work_email="manager@acme.test").update(status="ended")
    # Nobody pokes the run: the worker's next pass sees that its approver is gone.
    engine_pass()
    assert [item.to for item in mail.outbox if "Not needed" in item.subject] == []
    page = visitor("report", width=width).open(f"/requests/{made.pk}/")
    moved_on = page.get_by_text("Manager Example has left. Owner Example is asked")
    expect(moved_on.first).to_be_visible()
    _decide(browser, "owner@acme.test", "owner", width, "Approve")
    made.refresh_from_db()
    assert made.status_reason == "Approved by Owner Example."


@pytest.mark.browser
def test_request_is_decided_by_the_keyboard_alone(visitor: Any, acme: Company) -> None:
    _ask(visitor, "employee", 1440)
    page = visitor("lea").open("/approvals/")
    link = page.get_by_role("link", name=re.compile("Access to an application"))
    for _ in range(60):
        page.keyboard.press("Tab")
        if link.evaluate("node => node === document.activeElement"):
            break
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_label(re.compile("Comment")).wait_for()
    button = page.get_by_role("button", name="Approve", exact=True)
    for _ in range(60):
        page.keyboard.press("Tab")
        if button.evaluate("node => node === document.activeElement"):
            break
    expect(button).to_be_focused()
    assert button.evaluate("node => getComputedStyle(node).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.get_by_text("Approved: Access to an application").wait_for()
    assert Approval.objects.get().status == "approved"


TALL = (
    *("/requests/", "/approvals/", "/approvals/stuck/", "/delegations/", "/tasks/?show=all"),
    *("/policies/", "/policies/by-entity/", "/policies/by-entity/rules/0/", "/services/software/"),
    *("/equipment/", "/equipment/bundles/", "/entity-leads/"),
    *("/requests/new/software/", "APPROVAL", "TASK", "SHIPMENT"),
)
_TEXT_TWICE = """() => {
  const all = [...document.body.querySelectorAll("*")];
  const sizes = all.map((one) => parseFloat(getComputedStyle(one).fontSize));
  all.forEach((one, index) => { one.style.fontSize = `${sizes[index] * 2}px`; });
}"""
_CUT_OFF = """() => [...document.querySelectorAll("main *")].filter((one) => {
  const style = getComputedStyle(one);
  if (!["hidden", "clip"].includes(style.overflowX)) return false;
  if (one.closest(".visually-hidden")) return false;
  return one.scrollWidth > one.clientWidth + 1 && one.textContent.trim();
}).map((one) => one.outerHTML.slice(0, 120))"""


def _address(path: str, acme: Company) -> str:
    kinds = {"APPROVAL": "approvals", "TASK": "tasks", "SHIPMENT": "equipment"}
    if path not in kinds:
        return path
    return f"/{kinds[path]}/{acme.objects[path.lower()].pk}/"


@pytest.mark.browser
@pytest.mark.parametrize("how", ["zoomed", "text only"])
@pytest.mark.parametrize("path", TALL)
def test_text_at_twice_the_size_spills_nowhere(
    path: str, how: str, visitor: Any, company: Company
) -> None:
    """A window of 1280 px at 200 % is 640 px wide; text alone may grow, too. Nothing is lost."""
    guest = visitor("owner", width=640 if how == "zoomed" else 1280)
    page = guest.open(_address(path, company))
    if how == "text only":
        page.evaluate(_TEXT_TWICE)
    wide = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert wide[0] <= wide[1] + 1
    assert page.evaluate(_CUT_OFF) == []
    expect(page.get_by_role("heading", level=1)).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("script", [True, False])
def test_hr_builds_a_rule_of_a_policy_with_the_designers_rows(
    script: bool, browser: Any, visitor: Any, acme: Company
) -> None:
    guest = visitor("hr", width=1440)
    context = browser.new_context(
        java_script_enabled=script, storage_state=guest.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{guest.base}/policies/by-entity/")
    page.get_by_role("link", name="Add a rule").click()
    page.get_by_role("button", name="Choose for whom").click()
    field = page.get_by_label("Field", exact=True)
    field.select_option(label="Legal entity")
    if not script:
        # The page comes back with an input that fits the field, and says what is missing.
        page.get_by_role("button", name="Save the rule").click()
    value = page.locator('[name="row.0.value"]')
    value.wait_for()
    if value.evaluate("node => node.tagName") == "SELECT":
        value.select_option(label="Acme SAS")
    else:
        value.fill("Acme SAS")
    page.locator('[name="approver.type"]').select_option(label="Role")
    if not script:
        page.get_by_role("button", name="Save the rule").click()
    page.locator('[name="approver.name"]').select_option(label="hr")
    page.get_by_role("button", name="Save the rule").click()
    page.get_by_text("is saved.").wait_for()
    rule = ApproverPolicy.objects.get(key="by-entity").rules[-1]
    assert rule["approver"] == {"type": "role", "name": "hr"}
    assert rule["when"]["rules"][0] == {
        "field": "person.legal_entity", "operator": "is", "value": "Acme SAS"
    }  # fmt: skip
    context.close()
