"""Saving, testing and disconnecting connections."""

from __future__ import annotations

import json
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from integrations.connectors.base import AccountAdmin, MemberAdmin
from integrations.errors import ConfigError
from integrations.models import Connection, Delivery
from integrations.services import (
    client_for,
    client_with,
    connection_by_key,
    connection_disconnect,
    connection_mark_unauthorized,
    connection_save,
    connection_test,
)
from integrations.tests.connectors.awful_scim import BASE, AwfulScim
from integrations.tests.servers import serving
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db

CANARY = "canary-token-5417"


def _scim(url: str = "https://idp.example.com/scim", bearer: str = CANARY) -> Connection:
    return connection_save(
        key="idp",
        connector="scim",
        config={"base_url": url},
        secrets={"bearer_token": bearer} if bearer else {},
    )


def test_save_encrypts_and_audits_without_values() -> None:
    row = _scim()
    row.refresh_from_db()
    assert row.status == Connection.Status.DRAFT
    assert row.name == "SCIM identity provider"
    assert row.get_secrets() == {"bearer_token": CANARY}
    stored = repr(list(Connection.objects.values())) + repr(list(AuditEntry.objects.values()))
    assert CANARY not in stored
    entry = AuditEntry.objects.get()
    assert entry.action == "connection.created"
    assert entry.detail == {
        "connector": "scim",
        "settings": ["base_url"],
        "secrets": ["bearer_token"],
    }


def test_save_again_keeps_what_is_not_given() -> None:
    _scim()
    row = connection_save(key="idp", connector="scim", config={}, secrets={"bearer_token": ""})
    assert row.config == {"base_url": "https://idp.example.com/scim"}
    assert row.get_secrets() == {"bearer_token": CANARY}
    assert Connection.objects.count() == 1


@pytest.mark.parametrize(
    ("connector", "config", "secrets", "message"),
    [
        ("nothing", {}, {}, "Known: entra, http"),
        ("scim", {"url": "x"}, {"bearer_token": "x"}, "Its settings: base_url"),
        ("scim", {"base_url": "https://x"}, {"token": "x"}, "Its secrets: bearer_token"),
        ("scim", {"base_url": "https://x", "bearer_token": "x"}, {}, "but a secret"),
        ("scim", {"base_url": "https://x"}, {}, "also needs: bearer_token"),
        ("scim", {}, {"bearer_token": "x"}, "also needs: base_url"),
        ("scim", {"base_url": "https://x"}, {"bearer_token": "a\nb"}, "line break"),
        ("scim", {"base_url": "https://x" * 999}, {"bearer_token": "x"}, "too long"),
        (
            "smtp",
            {"host": "m.example.com", "from_email": "a@b.c", "security": "maybe"},
            {},
            "one of: none, starttls, tls",
        ),
    ],
)
def test_save_names_the_problem(
    connector: str, config: dict[str, str], secrets: dict[str, str], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        connection_save(key="k", connector=connector, config=config, secrets=secrets)
    assert not Connection.objects.exists()
    assert not AuditEntry.objects.exists()


def test_save_refuses_a_key_of_another_kind_or_shape() -> None:
    _scim()
    with pytest.raises(ConfigError, match="of the kind scim"):
        connection_save(key="idp", connector="http", config={"base_url": "https://x"}, secrets={})
    with pytest.raises(ConfigError, match="no key"):
        connection_save(
            key="No Key",
            connector="scim",
            config={"base_url": "https://x"},
            secrets={"bearer_token": "x"},
        )


def test_stored_secret_never_goes_to_a_new_host() -> None:
    _scim()
    with pytest.raises(ConfigError, match="another host"):
        _scim("https://evil.example.net/scim", bearer="")
    assert _scim("https://idp.example.com/other", bearer="").config["base_url"].endswith("other")
    assert _scim("https://new.example.net/scim", bearer="n").get_secrets()["bearer_token"] == "n"


def test_test_makes_it_ready_and_stores_what_was_found() -> None:
    with serving(AwfulScim(patch="refused")) as server:
        row = _scim(server.url + BASE, "good")
        result = connection_test(row)
    assert result.problems == ()
    assert row.status == Connection.Status.READY
    assert row.capabilities["patch"] is False
    assert row.capabilities["filter"] is True
    assert row.last_ok_at is not None
    assert Delivery.objects.filter(connection=row, outcome="ok").count() == 2


def test_failed_test_needs_attention_and_says_why() -> None:
    with serving(AwfulScim()) as server:
        row = _scim(server.url + BASE, "bad")
        result = connection_test(row)
    assert row.status == Connection.Status.NEEDS_ATTENTION
    assert result.problems == (row.last_error,)
    assert "credential was refused" in row.last_error
    assert "bad" not in row.last_error


def test_undecryptable_secret_is_explained(settings: Any) -> None:
    row = _scim()
    settings.FIELD_ENCRYPTION_KEYS = ["another-key-" + "x" * 40]
    assert "FIELD_ENCRYPTION_KEYS" in connection_test(row).problems[0]
    # Entering it again is the way out.
    assert _scim(bearer="fresh").get_secrets() == {"bearer_token": "fresh"}


def test_mark_unauthorized_stops_a_ready_one_only() -> None:
    row = _scim()
    Connection.objects.update(status=Connection.Status.READY)
    assert connection_mark_unauthorized(row, "refused") is True
    assert connection_mark_unauthorized(row, "again") is False
    row.refresh_from_db()
    assert (row.status, row.last_error) == (Connection.Status.NEEDS_ATTENTION, "refused")


def test_disconnect_forgets_secrets_and_stays_so_through_a_test() -> None:
    row = _scim()
    assert connection_disconnect(row) is True
    assert connection_disconnect(row) is False
    assert row.secrets_token == ""
    with pytest.raises(ConfigError, match="disconnected"):
        client_for(row)
    connection_test(row)
    assert row.status == Connection.Status.DISCONNECTED


def test_another_companys_credential_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(AwfulScim()) as server:
        row = _scim(server.url + BASE, "good")
        row.finished_at = clock.now()
        row.account = {"company_id": "c1", "name": "Acme"}
        row.save()
        result = connection_test(row)
    assert row.status == Connection.Status.NEEDS_ATTENTION
    assert "another company" in result.problems[0]
    assert row.account == {"company_id": "c1", "name": "Acme"}


def test_client_with_gives_a_ready_one_with_the_capability() -> None:
    assert client_with(AccountAdmin) is None
    row = _scim()
    assert client_with(AccountAdmin) is None
    Connection.objects.update(status=Connection.Status.READY)
    found = client_with(AccountAdmin)
    assert found is not None
    assert found[0] == row
    assert client_with(AccountAdmin, key="other") is None
    assert client_with(MemberAdmin) is None
    assert connection_by_key("idp") == row
    assert connection_by_key("none") is None


def _connect(*arguments: str) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    code = 0
    try:
        call_command("connect", *arguments, "--json", stdout=out)
    except SystemExit as stopped:
        code = int(stopped.code or 0)
    return code, json.loads(out.getvalue())


def test_command_connects_and_prints_one_document(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("good\r\n")
    with serving(AwfulScim()) as server:
        code, document = _connect(
            "scim",
            "--set",
            f"base_url={server.url}{BASE}",
            "--secret-file",
            f"bearer_token={secret}",
            "--name",
            "idp",
            "--finish",
        )
    assert code == 0
    assert document == {
        "connection": "idp",
        "connector": "scim",
        "status": "ready",
        "account": {"name": "127.0.0.1"},
        "problems": [],
    }


def test_command_saves_what_fails_and_exits_1(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("bad")
    with serving(AwfulScim()) as server:
        code, document = _connect(
            "scim",
            "--set",
            f"base_url={server.url}{BASE}",
            "--secret-file",
            f"bearer_token={secret}",
        )
    assert code == 1
    assert document["status"] == "needs_attention"
    assert len(document["problems"]) == 1
    assert Connection.objects.get().key == "scim"


@pytest.mark.parametrize(
    ("arguments", "message", "code"),
    [
        (["nothing"], "Known: ", 1),
        (["scim", "--set", "url=x"], "Its settings: base_url", 1),
        (["scim", "--set", "base_url=https://x"], "bearer_token", 1),
        (["scim", "--set", "base_url"], "name=value", 2),
        (["scim", "--secret-file", "token={}/none"], "Its secrets: bearer_token", 1),
        (["scim", "--secret-file", "bearer_token={}/none"], "cannot be read", 1),
        (["scim", "--secret-file", "bearer_token={}"], "cannot be read", 1),
        (["scim", "--secret-file", "bearer_token={}/empty"], "is empty", 1),
        (["scim", "--secret-file", "bearer_token={}/binary"], "not text", 1),
    ],
)
def test_command_refuses_in_one_line(
    arguments: list[str], message: str, code: int, tmp_path: Path
) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(CommandError, match=message) as caught:
        call_command("connect", *(one.format(tmp_path) for one in arguments))
    assert caught.value.returncode == code
    assert not Connection.objects.exists()


@pytest.fixture
def owner(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root", "root@acme.test", "x" * 14))
    return client


def test_admin_never_shows_a_secret_and_saves_through_the_service(owner: Client) -> None:
    with serving(AwfulScim()) as server:
        row = _scim(server.url + BASE, CANARY)
        page = owner.get(f"/admin/integrations/connection/{row.pk}/change/")
        assert page.status_code == 200
        assert CANARY not in page.content.decode()
        assert row.secrets_token not in page.content.decode()
        answer = owner.post(
            f"/admin/integrations/connection/{row.pk}/change/",
            {
                "name": "Our IdP",
                "setting_base_url": server.url + BASE,
                "setting_bearer_token": "good",
            },
        )
    assert answer.status_code == 302
    row.refresh_from_db()
    assert (row.name, row.status) == ("Our IdP", Connection.Status.READY)
    assert row.get_secrets() == {"bearer_token": "good"}
    assert AuditEntry.objects.filter(action="connection.updated", actor__username="root").exists()


def test_admin_explains_a_refused_setting(owner: Client) -> None:
    row = _scim()
    answer = owner.post(
        f"/admin/integrations/connection/{row.pk}/change/",
        {"name": "x", "setting_base_url": "https://evil.example.net"},
    )
    assert answer.status_code == 200
    assert "another host" in answer.content.decode()


@pytest.mark.parametrize(
    "model",
    ["connection", "application", "bundle", "syncrun", "delivery", "appaccess", "account"],
)
def test_admin_lists_open_and_records_cannot_be_added(owner: Client, model: str) -> None:
    _scim()
    assert owner.get(f"/admin/integrations/{model}/").status_code == 200
    adding = owner.get(f"/admin/integrations/{model}/add/").status_code
    assert adding == (200 if model in {"application", "bundle"} else 403)
