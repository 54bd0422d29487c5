"""The card of a call to an endpoint: everything it can say is there, and comes back as it was."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from siit_remote.lib import clock
from siit_remote.roles import HR_ADMIN, roles_set_up, user_roles_set
from workflows.document import parse_document
from workflows.services import draft_save
from workflows.tests.form_fields import cards_of

pytestmark = pytest.mark.django_db
PARAMS: dict[str, Any] = {
    "connection": "hr-robot",
    "method": "PUT",
    "path": "people/{{ person.work_email }}",
    "query": {"dry": "no"},
    "headers": {"X-Name": "{{ person.full_name }}"},
    "body": '{"to": "{{ callback.url }}"}',
    "expect": "200, 202",
    "answer": {"done": "/status = done", "failed": "/error exists"},
    "callback": True,
    "timeout_hours": 48,
    "on_timeout": "task",
}


@pytest.fixture
def hr(client: Client) -> Client:
    roles_set_up()
    user = User.objects.create_user("hr", "hr@acme.test", "x")
    user_roles_set(user, roles=[HR_ADMIN])
    client.force_login(user)
    return client


def test_card_shows_every_setting_and_keeps_it_when_saved_untouched(hr: Client) -> None:
    document = parse_document(
        {
            "format": "siit.workflow/1",
            "key": "robot",
            "name": "Robot",
            "trigger": {"type": "person.end_date"},
            "steps": [{"key": "call", "action": "http.call", "params": PARAMS}],
        }
    )
    workflow = draft_save(document, now=clock.now())
    html = hr.get("/workflows/robot/edit/").content.decode()
    for label in (
        "Query",
        "Expected status",
        "Done when",
        "Not yet when",
        "Failed when",
        "It calls back when it is done",
        "Hours to wait for the call",
        "IT gets a task and the step waits for it",
        "As /status = done, ok",
    ):
        assert label in html
    before = workflow.draft
    card = next(sent for name, sent in cards_of(html).items() if "call" in name)
    hr.post(
        "/workflows/robot/edit/save/",
        {"revision": workflow.draft_revision, **card},
        follow=True,
    )
    workflow.refresh_from_db()
    assert workflow.draft["steps"] == before["steps"]
