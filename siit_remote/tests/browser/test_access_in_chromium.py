"""From an empty catalogue to the evidence of a leaver, in Chromium, against a real SCIM server."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from django_q.models import OrmQ
from playwright.sync_api import expect

from integrations.models import AccessEvent, AppAccess, Application, Connection
from integrations.tasks import read_access
from integrations.tests.worker import work
from people.models import Person, Team
from siit_remote.lib import clock
from siit_remote.tests.browser.leaving import goes_live, left_yesterday
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.e2e.peers import ScimServer, scim_server
from siit_remote.tests.people_with_roles import Company
from workflows.engine.service import run_due
from workflows.models import Run

pytestmark = pytest.mark.browser
SIZES = [(1440, "light"), (390, "dark")]
REVOKE = {"key": "revoke", "action": "apps.revoke", "params": {"apps": "all"}}


@pytest.fixture(scope="module")
def peer() -> Iterator[ScimServer]:
    with scim_server() as running:
        yield running


@pytest.fixture
def empty(company: Company) -> Company:
    """Nothing is connected and no application is known."""
    AppAccess.objects.all().delete()
    Application.objects.all().delete()
    Connection.objects.all().delete()
    OrmQ.objects.all().delete()
    return company


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_connect_add_an_application_give_it_by_rule_offboard_and_read_the_evidence(
    width: int, theme: str, visitor: Any, empty: Company, peer: ScimServer
) -> None:
    tenant, person = f"t{uuid.uuid4().hex[:12]}", empty.people["report"]
    Person.objects.filter(pk=person.pk).update(team=Team.objects.get(name="Design"))
    account = requests.post(
        f"{peer.base_url(tenant)}/Users",
        headers={"Authorization": f"Bearer {peer.token}"},
        json={
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": person.work_email,
            "active": True,
        },
        timeout=10,
    ).json()["id"]
    guest = visitor("owner", width=width, theme=theme)
    problems: list[str] = []

    def look(page: Any) -> None:
        problems.extend(faults(page))

    _connect(guest, peer, tenant)
    _add_application(guest, look)
    assert Application.objects.get(key="figma").entitle == {
        "combinator": "and",
        "rules": [{"field": "person.team", "operator": "is", "value": "Design"}],
    }

    page = guest.open("/applications/figma/")
    look(page)
    page.get_by_label(f"Choose {person}").check()
    page.get_by_role("button", name="Give to the chosen").click()
    page.get_by_text("One run started").wait_for()
    run_due(now=clock.now())
    assert account in peer.members(tenant, "design"), Run.objects.latest("pk").reason
    page = guest.open("/applications/figma/")
    with page.expect_navigation():
        page.get_by_role("button", name="Read now").click()
    work(only="integrations.tasks.read_access")
    read_access()
    page = guest.open("/applications/figma/")
    page.get_by_text("1 account", exact=False).wait_for()
    look(page)

    page = guest.open("/applications/")
    page.get_by_role("button", name="Look now").click()
    page.get_by_text("Counted for one application.").wait_for()
    page.get_by_text("Differences as of", exact=False).wait_for()
    assert Application.objects.get(key="figma").reading.drift == {}

    goes_live("leaving", on="end_date", steps=[REVOKE])
    left_yesterday(person)
    run_due(now=clock.now())
    run = Run.objects.get(workflow__key="leaving")
    assert run.status == "done", run.reason
    assert account not in peer.members(tenant, "design")

    _accounts_suspended(person)
    page = guest.open("/leavers/?state=all")
    look(page)
    page.get_by_role("link", name=f"Evidence of {person}").click()
    page.get_by_role("heading", name="Evidence").wait_for()
    page.get_by_text("Read back: not a member of the group").first.wait_for()
    page.get_by_text("Revoke app access").first.wait_for()
    look(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    page = guest.open(f"/people/{person.pk}/access/")
    look(page)
    page = guest.open("/")
    page.get_by_role("heading", name="Last day to last revoke").wait_for()
    look(page)
    assert problems == []
    assert guest.violations == []


def _accounts_suspended(person: Person) -> None:
    """The account itself stays at the provider; only the application was to go."""
    assert person.accounts.filter(active=True).exists()


def _connect(guest: Any, peer: ScimServer, tenant: str) -> None:
    page = guest.open("/settings/integrations/connect/scim/")
    page.get_by_label("Base address").fill(peer.base_url(tenant))
    page.get_by_label("Bearer token").fill(peer.token)
    page.locator("form.form button[type=submit], form button.btn-primary").last.click()
    expect(page.get_by_text("Connected", exact=True).first).to_be_visible()
    assert Connection.objects.get(connector="scim").status == "ready"


def _add_application(guest: Any, look: Any) -> None:
    page = guest.open("/applications/")
    look(page)
    page.get_by_role("link", name="New application").first.click()
    page.get_by_label("Name", exact=True).fill("Figma")
    page.get_by_label("Category").fill("Design")
    page.get_by_label("Owner").fill("Manager Example (manager@acme.test)")
    page.get_by_label("How it is given").select_option("group")
    page.get_by_label("Connection").select_option(Connection.objects.get(connector="scim").key)
    page.get_by_label("Group or application there").fill("design")
    page.get_by_role("button", name="Give it by rule").click()
    page.get_by_label("Field").select_option("person.team")
    page.locator("select[name='row.0.value']").select_option("Design")
    page.get_by_text("fits 1 of", exact=False).wait_for()
    look(page)
    page.get_by_role("button", name="Save", exact=True).last.click()
    page.get_by_text("Figma is saved.").wait_for()


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_owner_without_a_role_takes_it_from_somebody_and_reads_what_became_of_it(
    width: int, theme: str, visitor: Any, company: Company
) -> None:
    access, report = company.objects["access"], company.people["report"]
    now = clock.now()
    AccessEvent.objects.bulk_create(
        AccessEvent(
            access=access, at=now, state="granted", evidence={"read_back": f"seen {number}"}
        )
        for number in range(40)
    )  # fmt: skip
    guest = visitor("manager", width=width, theme=theme)
    problems: list[str] = []

    def look(page: Any) -> None:
        problems.extend(faults(page))

    page = guest.open("/applications/")
    look(page)
    page.get_by_role("link", name="GitHub", exact=True).click()
    page.get_by_role("link", name="Who has it").click()
    expect(page.get_by_label(f"Choose {report}")).to_be_visible()
    look(page)
    page.get_by_label(f"Choose {report}").check()
    page.get_by_label("Why (needed", exact=False).fill("Left the team")
    page.get_by_role("button", name="Take from the chosen").click()
    page.get_by_text("One run started").wait_for()
    run = Run.objects.get(workflow__key="access-changes")
    assert (run.person, run.started_by) == (report, "manager")
    page = guest.open(f"/access/{access.pk}/")
    look(page)
    page.get_by_text("Proof: seen 39").wait_for()
    page.get_by_role("link", name="Next").click()
    page.get_by_text("Proof: seen 3", exact=True).wait_for()
    look(page)
    assert problems == []
    assert guest.violations == []


def test_what_is_chosen_while_the_server_still_answers_is_kept_and_counted(
    visitor: Any, empty: Company
) -> None:
    del empty
    guest = visitor("it")
    late: list[Any] = []
    page = guest.open("/new-application/")
    page.get_by_role("button", name="Give it by rule").click()
    page.get_by_label("Field").select_option("person.status")
    value = page.locator("[name='row.0.value']")
    value.wait_for()
    page.route("**/application-rule/save/", lambda route: late.append(route), times=1)
    with page.expect_request("**/application-rule/save/"):
        page.get_by_label("How to compare").select_option("is_not")
    value.select_option("ended")
    page.get_by_role("button", name="Condition", exact=True).click()
    assert len(late) == 1, "one request after the other"
    late.pop().continue_()
    page.locator("#only-if-conditions-row-1-field").wait_for()
    expect(value).to_have_value("ended")
    expect(page.get_by_label("How to compare").first).to_have_value("is_not")
    people = Person.objects.count()
    gone = Person.objects.filter(status="ended").count()
    expect(page.locator("#count-only-if-conditions-row-0")).to_contain_text(f"{people - gone} ✓")

    page.route("**/application-rule/counts/", lambda route: late.append(route), times=1)
    with page.expect_request("**/application-rule/counts/"):
        value.select_option("active")
    value.select_option("hired")
    late.pop().continue_()
    hired = Person.objects.filter(status="hired").count()
    expect(page.locator("#count-only-if-conditions-row-0")).to_contain_text(f"{people - hired} ✓")

    # The button that was pressed has the focus when it is counted anew, and is not pressed again.
    page.locator("#only-if-conditions-row-0-down").click()
    expect(page.locator("#count-only-if-conditions-row-1")).to_contain_text(f"{people - hired} ✓")
    expect(page.locator("#only-if-conditions-row-0-field")).to_have_value("")
    assert guest.violations == []


def test_rule_is_edited_without_scripts_and_nothing_that_was_typed_is_lost(
    browser: Any, live_server: Any, visitor: Any, empty: Company
) -> None:
    guest = visitor("it")
    context = browser.new_context(
        java_script_enabled=False, storage_state=guest.context.storage_state()
    )
    page = context.new_page()
    page.goto(f"{live_server.url}/new-application/")
    page.get_by_label("Name", exact=True).fill("Figma")
    page.get_by_role("button", name="Give it by rule").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("Figma")
    page.get_by_label("Field").select_option("person.status")
    page.get_by_role("button", name="Condition", exact=True).click()
    page.locator("[name='row.0.value']").select_option("active")
    page.locator("#only-if-conditions-row-1-menu").click()
    page.get_by_role("button", name="Delete condition 2").click()
    page.get_by_role("button", name="Save", exact=True).last.click()
    expect(page.get_by_text("Figma is saved.")).to_be_visible()
    assert Application.objects.get(key="figma").entitle == {
        "combinator": "and",
        "rules": [{"field": "person.status", "operator": "is", "value": "active"}],
    }
    context.close()
