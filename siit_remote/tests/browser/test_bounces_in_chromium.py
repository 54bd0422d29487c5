"""A mail that bounced, as IT sees it at the run and as HR gets the task."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from integrations.models import Connection, Delivery, MailEvent
from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company
from workflows.bounces import bounces_follow
from workflows.models import Attempt, Run, StepRun, Task

pytestmark = pytest.mark.browser


@pytest.fixture
def bounced(company: Company) -> StepRun:
    """A welcome that was sent, bounced, and was followed."""
    now = clock.now()
    mail = Connection.objects.create(
        key="mail", connector="mail-api", name="Brevo", status="ready", created_at=now
    )
    first = company.objects["run"]
    run = Run.objects.create(
        workflow=first.workflow, version=first.version, person=company.people["report"],
        trigger="person.start_date", anchor="2026-11-25", key="bounced", status="done",
        due_at=now, created_at=now, started_at=now, finished_at=now,
        document={
            **first.version.document,
            "steps": [
                {
                    "key": "tell",
                    "action": "message.send",
                    "params": {"to": "person", "subject": "Welcome", "body": "See you on Monday."},
                }
            ],
        },
    )  # fmt: skip
    step = StepRun.objects.create(
        run=run, key="tell", action="message.send", position=0, status="done", attempts=1,
        idempotency_key="bounced-1", created_at=now,
        outcome={"summary": "Sent by Brevo.", "message": "<m-1@relay>", "channel": "email"},
    )  # fmt: skip
    Attempt.objects.create(
        step=step, number=1, started_at=now, ended_at=now, outcome="done", phase="ended"
    )
    Delivery.objects.create(
        connection=mail, operation="POST /v3/smtp/email", target="api.brevo.com/v3/smtp/email",
        purpose="Send a message", run_id=run.pk, started_at=now, milliseconds=180, outcome="ok",
        status_code=201, idempotency_key="bounced-1", request_id="req-81",
    )  # fmt: skip
    MailEvent.objects.create(
        connection=mail, message_id="<m-1@relay>", kind="bounced", digest="d", received_at=now,
        why="The address does not exist or is badly written.",
    )  # fmt: skip
    assert bounces_follow(now=now) == 1
    return step


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_a_bounced_mail_is_seen_at_the_run_and_told_by_hand(
    bounced: StepRun, visitor: Any, width: int, theme: str
) -> None:
    guest = visitor("it", width=width, theme=theme)
    page = guest.open(f"/runs/{bounced.run_id}/")
    step = page.locator(".timeline > li").first
    expect(step.locator(".chip").first).to_have_text("Bounced")
    expect(step).to_contain_text("A task for HR was opened")
    step.get_by_text("2 attempts").click()
    expect(step).to_contain_text("req-81")
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    other = visitor("hr", width=width, theme=theme)
    task = Task.objects.get(step=bounced)
    page = other.open(f"/tasks/{task.pk}/")
    expect(page.locator("main")).to_contain_text("See you on Monday.")
    page.get_by_label("What did you do?").fill("Told them by phone.")
    page.get_by_role("button", name="Mark as done").click()
    page.wait_for_url("**/tasks/")
    task.refresh_from_db()
    assert task.status == Task.Status.DONE
    assert guest.violations == other.violations == []
