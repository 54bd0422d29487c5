"""Roles, the staff flag, and signing in."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from siit_remote.audit.models import AuditEntry
from siit_remote.confirming import TRIES
from siit_remote.roles import PERMISSIONS, roles_set_up, staff_flag_set, user_roles_set
from siit_remote.tests.people_with_roles import PASSWORD, ROLES, Company

pytestmark = pytest.mark.django_db


def test_setup_roles_is_idempotent_and_mends_what_was_changed() -> None:
    first = roles_set_up()
    entries = AuditEntry.objects.count()
    assert roles_set_up() == first
    assert AuditEntry.objects.count() == entries
    group = Group.objects.get(name="Employee")
    group.permissions.add(Permission.objects.get(codename="add_user"))
    roles_set_up()
    assert not group.permissions.filter(codename="add_user").exists()


def test_no_role_may_touch_the_task_queue_or_forge_the_audit_log() -> None:
    for names in PERMISSIONS.values():
        assert not [name for name in names if name.startswith("django_q.")]
        assert names & {f"audit.{verb}_auditentry" for verb in ("add", "change", "delete")} == set()


def test_only_the_owner_may_change_accounts() -> None:
    for role, names in PERMISSIONS.items():
        assert ("auth.change_user" in names) == (role == "Owner")


def test_staff_flag_follows_from_the_roles(company: Company) -> None:
    flags = {name: company.users[name].is_staff for name in ROLES}
    assert flags == {"owner": True, "hr": True, "it": True, "manager": False, "employee": False}
    user = company.users["it"]
    user_roles_set(user, roles=["Employee"], actor=company.users["owner"])
    user.refresh_from_db()
    assert not user.is_staff
    user.is_superuser = True
    user.save()
    staff_flag_set(user)
    assert user.is_staff


def test_user_roles_set_refuses_an_unknown_role(company: Company) -> None:
    with pytest.raises(ValueError, match="Unknown role: King"):
        user_roles_set(company.users["it"], roles=["King"])


def test_command_gives_a_role_and_prints_json() -> None:
    User.objects.create_user("hana")
    out = StringIO()
    call_command("setup_roles", "--user", "hana", "--role", "HR admin", "--json", stdout=out)
    assert json.loads(out.getvalue())["given"] == ["HR admin"]
    assert User.objects.get(username="hana").is_staff
    with pytest.raises(CommandError, match="no user"):
        call_command("setup_roles", "--user", "nobody", "--role", "Owner")
    with pytest.raises(CommandError, match="belong together"):
        call_command("setup_roles", "--user", "hana")


def test_account_page_sets_the_staff_flag_and_hides_superuser_rights(company: Company) -> None:
    client = Client()
    client.force_login(company.users["owner"])
    target = company.users["employee"]
    url = f"/admin/auth/user/{target.pk}/change/"
    assert "is_superuser" not in client.get(url).content.decode()
    form = {
        "username": "employee",
        "email": "employee@acme.test",
        "is_active": "on",
        "groups": [Group.objects.get(name="IT staff").pk],
        "is_superuser": "on",
    }
    assert client.post(url, form).status_code == 302
    target.refresh_from_db()
    assert target.is_staff
    assert not target.is_superuser
    assert AuditEntry.objects.filter(action="admin.changed", object_key=str(target.pk)).exists()


def test_owner_cannot_change_a_superuser(company: Company) -> None:
    boss = User.objects.create_superuser("root", "root@acme.test", PASSWORD)
    client = Client()
    client.force_login(company.users["owner"])
    form = {"username": "root", "email": "owner@acme.test"}
    assert client.post(f"/admin/auth/user/{boss.pk}/change/", form).status_code == 403
    assert client.get(f"/admin/auth/user/{boss.pk}/password/").status_code == 403


def _sign_in(name: str, password: str, address: str = "203.0.113.9") -> bytes:
    client = Client(REMOTE_ADDR=address)
    response = client.post("/sign-in/", {"username": name, "password": password})
    return b"in" if response.status_code == 302 else response.content


def test_sign_in_works_and_is_written_down(company: Company) -> None:
    assert _sign_in("hr", PASSWORD) == b"in"
    assert AuditEntry.objects.filter(action="user.signed_in", actor_label="hr").count() == 1


def test_failed_sign_ins_are_braked_per_account_and_address(company: Company) -> None:
    for _ in range(TRIES):
        assert b"do not fit" in _sign_in("hr", "wrong")
    assert AuditEntry.objects.filter(action="user.sign_in_failed").count() == TRIES
    assert b"Too many failed tries" in _sign_in("hr", PASSWORD)
    assert b"Too many failed tries" in _sign_in("HR ", "wrong")
    assert _sign_in("hr", PASSWORD, address="203.0.113.10") == b"in"
    assert _sign_in("it", PASSWORD) == b"in"


def test_unknown_account_is_answered_like_a_wrong_password(company: Company) -> None:
    for _ in range(TRIES):
        assert b"do not fit" in _sign_in("ghost", "wrong")
    assert b"Too many failed tries" in _sign_in("ghost", "wrong")


def test_sign_out_needs_a_post(company: Company) -> None:
    client = Client()
    client.force_login(company.users["hr"])
    assert client.get("/sign-out/").status_code == 405
    client.post("/sign-out/")
    assert client.get("/").status_code == 302
