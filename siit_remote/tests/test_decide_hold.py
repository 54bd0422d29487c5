"""Held lists from the shell: the second person's rule stands, both people are named."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from siit_remote.audit.models import AuditEntry
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.holds import held_rows
from workflows.models import Hold, Run

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return small_company()


def _run(*args: str) -> dict[str, Any]:
    out = StringIO()
    call_command("decide_hold", *args, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_without_a_decision_the_list_is_only_shown(company: Company) -> None:
    hold: Hold = company.objects["hold"]
    shown = _run(str(hold.pk))
    assert shown["decided"] is None
    assert shown["people"] == [row.person.work_email for row in held_rows(hold)] != []
    assert Hold.objects.get(pk=hold.pk).status == Hold.Status.OPEN


def test_a_second_person_releases_and_both_are_named(company: Company) -> None:
    hold: Hold = company.objects["hold"]
    Hold.objects.filter(pk=hold.pk).update(started_by=company.users["owner"])
    runs = [row.run.pk for row in held_rows(hold)]
    done = _run(str(hold.pk), "--as", "hr@acme.test", "--release", "--reason", "Looked")
    assert (done["first_person"], done["decided"]["by"]) == ("owner", "hr")
    assert done["decided"]["what"] == "released"
    assert not Run.objects.filter(pk__in=runs, status=Run.Status.HELD).exists()
    entry = AuditEntry.objects.get(action="run.released", object_key=str(hold.pk))
    assert entry.actor == company.users["hr"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--release", "--reason", "x"), "Say who decides"),
        (("--as", "nobody", "--release", "--reason", "x"), "no account nobody"),
        (("--as", "it", "--release", "--reason", "x"), "has not the right"),
        (("--as", "hr", "--release"), "Say why"),
        (("--as", "owner", "--release", "--reason", "x"), "First person: owner; you: owner."),
        (("--as", "hr", "--discard", "--reason", "x", "--person", "z@a.test"), "Not on the list"),
    ],
)
def test_what_is_refused_says_why_and_decides_nothing(
    company: Company, args: tuple[str, ...], words: str
) -> None:
    hold: Hold = company.objects["hold"]
    Hold.objects.filter(pk=hold.pk).update(started_by=company.users["owner"])
    with pytest.raises(CommandError, match=words):
        call_command("decide_hold", str(hold.pk), *args, stdout=StringIO())
    assert Hold.objects.get(pk=hold.pk).status == Hold.Status.OPEN
    assert len(held_rows(hold)) > 0


def test_a_list_is_discarded_by_name(company: Company) -> None:
    hold: Hold = company.objects["hold"]
    email = held_rows(hold)[0].person.work_email
    out = StringIO()
    call_command(
        "decide_hold", str(hold.pk), "--as", "hr", "--discard", "--reason", "Wrong", "--person",
        email, stdout=out,
    )  # fmt: skip
    assert f"discarded: {email}" in out.getvalue()
    assert "Second person: hr" in out.getvalue()


def test_an_unknown_list_is_refused(company: Company) -> None:
    with pytest.raises(CommandError, match="There is no held list 999"):
        call_command("decide_hold", "999", stdout=StringIO())
