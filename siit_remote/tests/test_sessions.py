"""How long a session lasts, and what keeps it going."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as real_settings
from django.contrib.auth.models import User
from django.test import Client

from siit_remote.sessions import BACKGROUND, SEEN, SIGNED_IN
from siit_remote.tests.people_with_roles import PASSWORD, Company
from siit_remote.tests.sessions import session_age

TEMPLATES = Path(real_settings.BASE_DIR) / "templates"


def _client(company: Company, who: str = "hr") -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def test_half_an_hour_without_use_ends_a_session_and_says_so(company: Company) -> None:
    client = _client(company)
    session_age(client, 29, SEEN)
    assert client.get("/approvals/").status_code == 200
    session_age(client, 31, SEEN)
    answer = client.get("/approvals/", follow=True)
    assert answer.redirect_chain[0][0].startswith("/sign-in/?next=")
    assert "after 30 minutes without use" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_what_a_page_asks_by_itself_is_no_use(company: Company) -> None:
    client = _client(company)
    for _ in range(3):
        session_age(client, 9, SEEN)
        assert client.get("/approvals/", headers={BACKGROUND: "true"}).status_code == 200
    session_age(client, 4, SEEN)
    assert client.get("/approvals/", headers={BACKGROUND: "true"}).status_code == 302
    # The same without the header: somebody is there.
    client = _client(company)
    for _ in range(4):
        session_age(client, 9, SEEN)
        assert client.get("/approvals/").status_code == 200


def test_an_answer_to_what_a_page_asked_with_the_old_key_leaves_the_new_one(
    company: Company,
) -> None:
    client, name = _client(company), real_settings.SESSION_COOKIE_NAME
    old = client.session.session_key
    session = client.session
    session.cycle_key()
    late = Client()
    late.cookies[name] = old
    answer = late.get("/approvals/", headers={BACKGROUND: "true"})
    assert answer.status_code == 302
    assert name not in answer.cookies
    # Asked by a person, it is taken away, as ever.
    assert late.get("/approvals/").cookies[name]["max-age"] == 0


def test_every_page_that_asks_by_itself_says_so() -> None:
    polling = [
        (path, tag)
        for path in TEMPLATES.rglob("*.html")
        for tag in re.findall(r"<[^>]*hx-trigger=\"[^\"]*every [^>]*>", path.read_text(), re.S)
    ]
    assert len(polling) >= 2
    assert [path.name for path, tag in polling if f'"{BACKGROUND}"' not in tag] == []


def test_a_session_ends_after_twelve_hours_however_busy(company: Company) -> None:
    client = _client(company)
    session_age(client, 11.9 * 60, SIGNED_IN)
    assert client.get("/approvals/").status_code == 200
    session_age(client, 0.2 * 60, SIGNED_IN)
    answer = client.get("/approvals/", follow=True)
    assert "a sign-in lasts 12 hours" in answer.content.decode()


def test_a_session_from_before_these_limits_counts_from_now(company: Company) -> None:
    client = _client(company)
    session = client.session
    for name in (SIGNED_IN, SEEN, "confirmed_at"):
        del session[name]
    session.save()
    assert client.get("/approvals/").status_code == 200
    assert client.session[SIGNED_IN] > 0
    assert client.get("/settings/integrations/remote/settings/").status_code == 302


def test_idle_time_can_be_left_out(company: Company, settings: Any) -> None:
    settings.SESSION_IDLE_MINUTES = 0
    client = _client(company)
    session_age(client, 600, SEEN)
    assert client.get("/approvals/").status_code == 200


def test_a_sign_in_gets_a_new_key(company: Company) -> None:
    client = Client()
    client.get("/sign-in/")
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[real_settings.SESSION_COOKIE_NAME] = session.session_key
    before = session.session_key
    client.post("/sign-in/", {"username": "hr", "password": PASSWORD})
    assert client.session["_auth_user_id"] == str(company.users["hr"].pk)
    assert client.session.session_key != before


def test_a_changed_password_ends_the_other_sessions(company: Company) -> None:
    here, there = Client(), Client()
    for client in (here, there):
        client.post("/sign-in/", {"username": "hr", "password": PASSWORD})
    new = "another horse battery staple"
    data = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert here.post("/account/password/", data).status_code == 302
    assert here.get("/approvals/").status_code == 200
    assert there.get("/approvals/").status_code == 302


@pytest.mark.parametrize(
    ("password", "fine"), [("short-pass1", False), ("password1234", False), ("x7 " * 30, True)]
)
def test_passwords_are_long_and_not_common(password: str, fine: bool, company: Company) -> None:
    client = Client()
    client.post("/sign-in/", {"username": "hr", "password": PASSWORD})
    data = {"old_password": PASSWORD, "new_password1": password, "new_password2": password}
    assert (client.post("/account/password/", data).status_code == 302) is fine
    assert User.objects.get(username="hr").check_password(password) is fine


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SESSION_HOURS", "0", "SESSION_HOURS must lie"),
        ("SESSION_IDLE_MINUTES", "3", "SESSION_IDLE_MINUTES must"),
        ("SESSION_IDLE_MINUTES", "1000", "SESSION_IDLE_MINUTES must"),
        ("PASSWORD_SIGN_IN", "false", "nobody could sign in"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused(name: str, value: str, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import siit_remote.settings"],
        cwd=real_settings.BASE_DIR,
        env={name: value, "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert said in done.stderr
