"""What is grave asks who it is when that was last proved more than a quarter of an hour ago."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from integrations.models import Connection
from people.defaults import workspace_get
from siit_remote.audit.models import AuditEntry
from siit_remote.confirming import TRIES
from siit_remote.tests.people_with_roles import PASSWORD, Company
from siit_remote.tests.sessions import proof_age
from workflows.models import Approval, Run, Workflow, WorkflowVersion

ASKED = "Confirm that it is you"
TOKEN = "ra_live_very-secret-token"


@pytest.fixture
def someone(company: Company) -> Any:
    """Makes a client of a role whose last proof is 20 minutes old."""
    cache.clear()

    def make(who: str, *, minutes: float = 20) -> Client:
        client = Client()
        client.force_login(company.users[who])
        proof_age(client, minutes)
        return client

    return make


def _held(company: Company) -> str:
    return f"/held/{company.objects['hold'].pk}/release/"


GRAVE = {
    "release a held list": ("owner", _held),
    "release a held run": ("owner", lambda made: f"/runs/{made.objects['run'].pk}/release/"),
    "apply a held sync": (
        "hr",
        lambda made: f"/settings/integrations/remote/syncs/{made.objects['sync'].pk}/apply/",
    ),
    "let go on after a restore": ("hr", lambda made: "/held/recovery/end/"),
    "replace a signing key": ("hr", lambda made: "/settings/integrations/remote/webhooks/rotate/"),
    "disconnect": ("hr", lambda made: "/settings/integrations/remote/disconnect/"),
}


def test_a_grave_post_is_not_carried_out_but_asks_and_keeps_what_was_typed(
    someone: Any, company: Company
) -> None:
    clients = {who: (someone(who), someone(who, minutes=14)) for who in ("owner", "hr")}
    before = AuditEntry.objects.count()
    typed = (("reason", "It's <right>"), ("runs", "1"), ("runs", "2"))
    for case, (who, address) in GRAVE.items():
        url = address(company)
        answer = clients[who][0].post(url, {"reason": "It's <right>", "runs": ["1", "2"]})
        page = answer.content.decode()
        assert (answer.status_code, ASKED in page) == (403, True), case
        assert f'action="{url}"' in page, case
        for name, value in typed:
            assert f'<input type="hidden" name="{name}" value="{value}">' in unescape(page), case
    assert AuditEntry.objects.count() == before
    for case, (who, address) in GRAVE.items():
        assert clients[who][1].post(address(company), {}).status_code != 403, case


def test_the_password_lets_the_same_post_go_on(someone: Any, company: Company) -> None:
    run = company.objects["run"]
    client = someone("owner")
    url, typed = f"/runs/{run.pk}/release/", {"reason": "Looked at it."}
    assert client.post(url, typed).status_code == 403
    key = client.session.session_key

    wrong = client.post(url, typed | {"confirm_password": "guess"})
    assert wrong.status_code == 422
    assert "That is not your password" in wrong.content.decode()
    assert 'value="guess"' not in wrong.content.decode()
    assert Run.objects.get(pk=run.pk).status == "held"

    assert client.post(url, typed | {"confirm_password": PASSWORD}).status_code == 302
    assert Run.objects.get(pk=run.pk).status != "held"
    assert client.session.session_key != key, "a new key with every proof"
    found = AuditEntry.objects.filter(action__startswith="user.confirm").order_by("pk")
    assert [(one.action, one.actor_label) for one in found] == [
        ("user.confirm_failed", "owner"),
        ("user.confirmed", "owner"),
    ]
    assert PASSWORD not in str(list(AuditEntry.objects.values()))
    # Within a quarter of an hour nothing asks again.
    assert client.post(f"/held/{company.objects['hold'].pk}/release/", {}).status_code == 302


def test_guesses_share_the_brake_of_the_sign_in(someone: Any, company: Company) -> None:
    client = someone("owner")
    url = f"/runs/{company.objects['run'].pk}/release/"
    for _ in range(TRIES):
        client.post(url, {"reason": "x", "confirm_password": "guess"})
    braked = client.post(url, {"reason": "x", "confirm_password": PASSWORD})
    assert braked.status_code == 429
    assert "Too many failed tries" in braked.content.decode()
    assert Run.objects.get(pk=company.objects["run"].pk).status == "held"
    sign_in = Client().post("/sign-in/", {"username": "owner", "password": PASSWORD})
    assert sign_in.status_code == 429


def test_a_form_with_secrets_asks_before_it_is_shown_and_keeps_nothing(someone: Any) -> None:
    assert someone("hr").get("/settings/integrations/connect/slack/").status_code == 302
    url = "/settings/integrations/remote/settings/"
    client = someone("hr")
    answer = client.get(url, follow=True)
    where = answer.redirect_chain[0][0]
    assert where.startswith("/sign-in/confirm/?next=")
    assert ASKED in answer.content.decode()
    # With four minutes left a token would be typed in vain.
    assert someone("hr", minutes=11).get(url).status_code == 302

    late = client.post(url, {"name": "X", "token": TOKEN}, HTTP_REFERER=f"http://testserver{url}")
    assert late["Location"].startswith("/sign-in/confirm/")
    page = client.get(late["Location"]).content.decode()
    assert "enter it once more" in page
    assert TOKEN not in page + str(dict(client.session))

    wrong = client.post("/sign-in/confirm/", {"next": url, "confirm_password": "guess"})
    assert (wrong.status_code, "not your password" in wrong.content.decode()) == (422, True)
    right = client.post("/sign-in/confirm/", {"next": url, "confirm_password": PASSWORD})
    assert right["Location"] == url
    assert client.get(url).status_code == 200


def test_the_wizards_authorize_asks(someone: Any, company: Company) -> None:
    Connection.objects.filter(key="remote").update(status="new", finished_at=None)
    url = "/settings/integrations/remote/review/"
    client = someone("hr")
    assert client.get(url)["Location"].startswith("/sign-in/confirm/")
    assert client.post(url, {"token": TOKEN})["Location"].startswith("/sign-in/confirm/")
    assert someone("hr", minutes=1).get(url).status_code == 200


def test_the_page_never_leads_away(someone: Any) -> None:
    answer = someone("hr").post(
        "/sign-in/confirm/", {"next": "https://evil.test/", "confirm_password": PASSWORD}
    )
    assert answer["Location"] == "/"
    page = someone("hr").get("/sign-in/confirm/", {"doing": "<b>send money</b>"}).content.decode()
    assert "send money" not in page


def test_limits_ask_and_the_form_goes_on(someone: Any) -> None:
    client = someone("hr")
    form = client.get("/settings/limits/").context["form"]
    data = {name: form.initial.get(name) or "" for name in form.fields}
    data |= {"limit_floor": 7, "reason": "Smaller."}
    assert client.post("/settings/limits/", data).status_code == 403
    assert (
        client.post("/settings/limits/", data | {"confirm_password": PASSWORD}).status_code == 302
    )
    assert workspace_get().limit_floor == 7


def _approve(client: Client, company: Company, answer: str = "approve") -> Any:
    url = f"/approvals/{company.objects['approval'].pk}/decide/"
    return client.post(url, {"decision": answer, "comment": "Because."})


def _steps(company: Company, steps: list[dict[str, Any]]) -> None:
    version = company.objects["run"].version
    document = version.document | {"steps": steps}
    WorkflowVersion.objects.filter(pk=version.pk).update(document=document)


ASK = {"key": "ask", "action": "approval.request", "params": {"approver": {"type": "manager"}}}
TELL = {"key": "tell", "action": "flow.stop", "params": {"reason": "Done."}}
TAKE = {"key": "take", "action": "apps.revoke", "params": {"apps": "all"}}


WAYS: list[tuple[list[dict[str, Any]], bool]] = [
    ([ASK | {"outcomes": {"approved": [TELL]}}], False),
    ([ASK | {"outcomes": {"rejected": [TAKE]}}], False),
    ([TAKE, ASK], False),
    ([ASK | {"outcomes": {"approved": [TAKE | {"disabled": True}]}}], False),
    ([ASK | {"outcomes": {"approved": [TAKE]}}], True),
    ([ASK | {"outcomes": {"rejected": [TELL]}}, TAKE], True),
    ([ASK, {"key": "b", "branch": {"lanes": [{"name": "x", "steps": [TAKE]}]}}], True),
]


def test_only_approving_what_takes_something_asks(someone: Any, company: Company) -> None:
    Run.objects.filter(pk=company.objects["run"].pk).update(status="running")
    found = Approval.objects.filter(pk=company.objects["approval"].pk)
    client = someone("manager")
    for steps, asked in WAYS:
        found.update(status="pending", decided_by=None, decided_at=None)
        _steps(company, steps)
        assert (_approve(client, company).status_code == 403) is asked, steps
        assert (found.get().status == "pending") is asked


def test_rejecting_never_asks(someone: Any, company: Company) -> None:
    Run.objects.filter(pk=company.objects["run"].pk).update(status="running")
    assert _approve(someone("manager"), company, "reject").status_code == 302
    assert Approval.objects.get(pk=company.objects["approval"].pk).status == "rejected"


def test_approving_several_asks_once_for_all(someone: Any, company: Company) -> None:
    approval = company.objects["approval"]
    Run.objects.filter(pk=company.objects["run"].pk).update(status="running")
    Approval.objects.filter(pk=approval.pk).update(bulk=True)
    client = someone("manager")
    answer = client.post("/approvals/approve/", {"approval": [approval.pk]})
    assert answer.status_code == 403
    typed = {"approval": [approval.pk], "confirm_password": PASSWORD}
    assert client.post("/approvals/approve/", typed).status_code == 302
    assert Approval.objects.get(pk=approval.pk).status == "approved"


def test_publishing_asks_the_first_time_and_when_its_limits_change(
    someone: Any, company: Company
) -> None:
    rows = Workflow.objects.filter(pk=company.objects["workflow"].pk)
    draft, client = rows.get().draft, someone("hr")

    def asked(**changes: Any) -> bool:
        rows.update(draft=draft | changes)
        answer = client.post("/workflows/offboarding/publish/", {"everybody": "on"})
        return bool(answer.status_code == 403)

    assert asked(limits={"hold_above": {"people": 500}})
    assert not asked(name="Changed")
    assert not asked(steps=[TELL])
    rows.update(live_version=None, status="draft")
    assert not asked(steps=[TELL])
    rows.update(live_version=None, status="draft")
    assert asked()


def test_the_site_admin_asks_where_it_changes_accounts_and_settings(
    someone: Any, company: Company
) -> None:
    owner = someone("owner")
    pages = [
        f"/admin/auth/user/{company.users['hr'].pk}/change/",
        f"/admin/auth/user/{company.users['hr'].pk}/password/",
        "/admin/auth/user/add/",
        f"/admin/people/workspace/{workspace_get().pk}/change/",
        f"/admin/integrations/connection/{company.objects['connection'].pk}/change/",
    ]
    for url in pages:
        for answer in (owner.get(url), owner.post(url, {"password1": "x" * 20})):
            assert answer["Location"].startswith("/sign-in/confirm/"), url
    assert owner.get("/admin/auth/user/").status_code == 200
    bulk = owner.post("/admin/integrations/connection/", {"action": "disconnect"})
    assert bulk["Location"].startswith("/sign-in/confirm/")
    # Reading, and what is not grave, stay as they were.
    assert owner.get("/admin/people/team/add/").status_code == 200
    assert someone("it").get(pages[-1]).status_code == 200
    assert someone("owner", minutes=1).get(pages[0]).status_code == 200


def test_who_has_no_password_here_is_told_what_to_do(someone: Any, company: Company) -> None:
    user = User.objects.get(pk=company.users["owner"].pk)
    user.set_unusable_password()
    user.save()
    client = Client()
    client.force_login(user)
    proof_age(client, 20)
    page = client.post(f"/runs/{company.objects['run'].pk}/release/", {"reason": "x"})
    assert "Ask the owner of the workspace" in page.content.decode()
    assert b"confirm-password" not in page.content
    answer = client.post(
        f"/runs/{company.objects['run'].pk}/release/", {"reason": "x", "confirm_password": ""}
    )
    assert answer.status_code == 422
