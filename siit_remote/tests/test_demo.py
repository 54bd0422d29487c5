"""The demo is a whole company over real HTTP, is safe to repeat, and touches nothing real."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from integrations.models import Connection, SyncRun
from people.identity import person_of
from people.models import LegalEntity, Person
from siit_remote import demo
from siit_remote.roles import role_of, roles_set_up
from workflows.models import Run, Workflow

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for the demo's files."""
    monkeypatch.setattr(demo, "folder", lambda: tmp_path / "var")
    return tmp_path / "var"


@pytest.mark.django_db(transaction=True)
def test_demo_is_complete_and_safe_to_repeat(place: Path) -> None:
    roles_set_up()
    first = demo.demo_set_up(now=NOW)
    assert first["status"] == Connection.Status.READY
    assert first["people"] == Person.objects.count() > 30
    assert set(first["workflows"]) == set(demo.WORKFLOWS)
    assert all(item.status == Workflow.Status.LIVE for item in Workflow.objects.all())
    assert {item.owner for item in Workflow.objects.all()} == {demo.HR_ADMIN}
    lead = LegalEntity.objects.get(name="Acme SAS").lead
    assert lead is not None
    assert lead.work_email == "french-hr-lead@acme.test"
    for row in first["sign_ins"]:
        user = authenticate(username=row["email"], password=row["password"])
        assert role_of(user) == row["role"]
        assert row["email"].startswith("owner@") or person_of(user) is not None
    kept = place / "demo-sign-ins.txt"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((place / "demo-token").stat().st_mode) == 0o600

    second = demo.demo_set_up(now=NOW)
    assert second == first
    assert SyncRun.objects.latest("pk").created == 0
    assert Run.objects.count() == 0


@pytest.mark.django_db
def test_password_that_was_changed_is_not_shown_as_valid(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    roles_set_up()
    demo._folder_ensure()
    made = demo._accounts_ensure()
    assert demo._accounts_ensure() == made
    user = User.objects.get(username="manager@acme.test")
    user.set_password("another password")
    user.save()
    assert demo._accounts_ensure() == {**made, "manager@acme.test": "(changed)"}


@pytest.mark.django_db
def test_demo_refuses_production(place: Path, settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="refused in production"):
        call_command("demo")
    with pytest.raises(CommandError, match="no demo in production"):
        call_command("demo", reset=True)
    assert not place.exists()


@pytest.mark.django_db
def test_demo_refuses_a_database_that_is_somebodys(place: Path) -> None:
    Person.objects.create(work_email="real@example.com", created_at=NOW, updated_at=NOW)
    with pytest.raises(CommandError, match="not empty"):
        call_command("demo")
    with pytest.raises(CommandError, match="nothing was deleted"):
        call_command("demo", reset=True)
    out = StringIO()
    call_command("demo", if_empty=True, json=True, stdout=out)
    assert json.loads(out.getvalue()) == {"demo": False}
    assert Person.objects.count() == 1
    assert not place.exists()
