"""Okta and Slack connected in Chromium, and an approval decided in Slack that the page shows."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from playwright.sync_api import expect
from slack_sdk.signature import SignatureVerifier

from integrations.models import Connection
from integrations.tests.connectors.fake_okta import TOKEN, FakeOkta
from integrations.tests.connectors.fake_slack import FakeSlack, buttons, press
from integrations.tests.servers import serving
from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company
from workflows.approval_mail import approver_tell
from workflows.chat import chat_refresh
from workflows.models import Approval, ChatMessage, WorkflowVersion

pytestmark = pytest.mark.browser
SIZES = [(1440, "light"), (390, "dark")]


@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_okta_is_connected_after_a_wrong_token(
    width: int, theme: str, visitor: Any, company: Company
) -> None:
    okta = FakeOkta()
    okta.add_user("admin@acme.test")
    guest = visitor("hr", width=width, theme=theme)
    with serving(okta) as server:
        okta.url = server.url
        page = guest.open("/settings/integrations/connect/okta/")
        problems = faults(page)
        page.get_by_label("Organisation's address").fill(server.url)
        page.get_by_label("API token").fill("wrong")
        page.get_by_role("button", name="Authorize").click()
        page.get_by_text("refused the API token").first.wait_for()
        problems += faults(page)
        page.get_by_role("link", name="Settings", exact=True).last.click()
        page.wait_for_url("**/settings/")
        page.get_by_label("API token").fill(TOKEN)
        problems += faults(page)
        page.get_by_role("button", name="Save and test").click()
        page.get_by_text("Connected", exact=True).first.wait_for()
        problems += faults(page)
    assert problems == []
    assert guest.violations == []
    found = Connection.objects.get(connector="okta")
    assert found.status == Connection.Status.READY
    assert found.account["signed_in_as"] == "admin@acme.test"


def test_slack_is_connected_and_a_press_there_shows_in_the_inbox(
    visitor: Any, company: Company, live_server: Any
) -> None:
    approval: Approval = company.objects["approval"]
    # What takes something from somebody is approved on its page alone; this one takes nothing.
    version = approval.step.run.version
    (asks,) = [step for step in version.document["steps"] if step["key"] == "ask"]
    document = version.document | {"steps": [{**asks, "outcomes": {}}]}
    WorkflowVersion.objects.filter(pk=version.pk).update(document=document)
    approval = Approval.objects.get(pk=approval.pk)
    slack = FakeSlack()
    slack.add("UBOSS", approval.approver.work_email)
    guest = visitor("hr")
    with serving(slack) as server:
        page = guest.open("/settings/integrations/connect/slack/")
        page.get_by_label("Web API address").fill(f"{server.url}/api")
        page.get_by_label("Bot token").fill("xoxb-1")
        page.get_by_label("Signing secret").fill("a-signing-secret")
        page.get_by_role("button", name="Authorize").click()
        page.get_by_text("Connected", exact=True).first.wait_for()
        row = Connection.objects.get(connector="slack")
        approver_tell(approval, now=clock.now(), subject=approval.title)
        posted = ChatMessage.objects.get()
        place = (posted.channel, posted.ts)
        button = buttons(slack.messages[place]["blocks"])["Approve"]
        body, stamp = press("UBOSS", place, button), str(int(time.time()))
        signature = SignatureVerifier("a-signing-secret").generate_signature(
            timestamp=stamp, body=body
        )
        answer = requests.post(
            f"{live_server.url}/slack/{row.key}/",
            data=body,
            headers={
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Slack-Request-Timestamp": stamp,
                "X-Slack-Signature": signature or "",
            },
            timeout=30,
        )
        assert answer.status_code == 200
        approval.refresh_from_db()
        assert approval.status == Approval.Status.APPROVED, slack.whispers
        assert chat_refresh(now=clock.now()) == 1
        assert f"Approved by {approval.approver}" in slack.shown(place)
    page = visitor("hr").open(f"/approvals/{approval.pk}/")
    page.get_by_text("Approved").first.wait_for()
    expect(page.get_by_text(str(approval.approver)).first).to_be_visible()
    assert guest.violations == []
