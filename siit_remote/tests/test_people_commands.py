"""sync_remote and export_people as an operator calls them."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

import integrations.sync as sync_module
from integrations.models import SyncRun
from integrations.tests.people_source import FakeSource, connection
from people.export import csv_cell
from people.models import Person
from people.tests.build import boss, day, feed, worker
from siit_remote.management.base import parse_moment

pytestmark = pytest.mark.django_db


def run(*args: str) -> tuple[str, int]:
    out, code = io.StringIO(), 0
    try:
        call_command(*args, stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    return out.getvalue(), code


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> FakeSource:
    fake = FakeSource([boss(), *(worker(f"w{number}") for number in range(7))])
    monkeypatch.setattr(sync_module, "client_for", lambda connection, **_: fake)
    return fake


def test_sync_prints_one_document(source: FakeSource) -> None:
    connection()
    text, code = run("sync_remote", "--json")
    document = json.loads(text)
    assert (document["status"], document["created"], code) == ("applied", 8, 0)


def test_dry_run_then_held_then_released(source: FakeSource) -> None:
    connection()
    run("sync_remote")
    source.records = [
        boss(),
        *(worker(f"w{n}", contract_status="ended", end_date=day(-1)) for n in range(7)),
    ]
    text, code = run("sync_remote", "--dry-run", "--json")
    assert (json.loads(text)["status"], code, SyncRun.objects.count()) == ("held", 1, 1)
    text, code = run("sync_remote")
    assert code == 1
    assert "--apply-held" in text
    assert not Person.objects.filter(status="ended").exists()
    text, code = run("sync_remote", "--apply-held", "--json")
    assert (json.loads(text)["ended"], code) == (7, 0)


def test_refusals_are_one_clear_line(source: FakeSource) -> None:
    with pytest.raises(CommandError, match="Remote is not connected"):
        call_command("sync_remote")
    connection(finished=False)
    text, code = run("sync_remote", "--json")
    assert code == 1
    assert "not finished" in json.loads(text)["error"]
    with pytest.raises(CommandError, match="There is no connection"):
        call_command("sync_remote", connection="nope")
    with pytest.raises(CommandError, match="is held"):
        call_command("sync_remote", apply_held=True)


def test_export_writes_rows_with_sources() -> None:
    feed([boss(), worker("w1", "Ána", job_title="=cmd()", end_date=day(9))])
    rows = list(csv.DictReader(io.StringIO(run("export_people")[0])))
    ana = next(row for row in rows if row["full_name"] == "Ána")
    assert ana["job_title"] == "'=cmd()"
    assert (ana["manager"], ana["country"], ana["legal_entity"]) == (
        "boss@acme.test",
        "FRA",
        "Acme SAS",
    )
    assert json.loads(ana["sources"])["end_date"] == "remote"
    assert (ana["status"], ana["end_date"]) == ("offboarding", day(9).isoformat())


def test_export_as_json_lines_filters_by_status() -> None:
    feed([boss(), worker("w1", end_date=day(9))])
    text, _ = run("export_people", "--format", "jsonl", "--status", "offboarding")
    assert [json.loads(line)["work_email"] for line in text.splitlines()] == ["w1@acme.test"]
    with pytest.raises(CommandError, match="no state of a person"):
        call_command("export_people", status=["gone"])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_cells_that_look_like_formulas_are_disarmed(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["a\udcff", "\ud800b"])
def test_bytes_that_are_no_text_are_refused_in_a_line(text: str) -> None:
    with pytest.raises(CommandError, match="workflow: what was given is not UTF-8 text") as refused:
        call_command("explain", workflow=text, person="x@acme.test")
    assert refused.value.returncode == 2
    with pytest.raises(CommandError, match="file: what was given is not UTF-8 text"):
        call_command("import_workspace", text)


@pytest.mark.parametrize(
    "moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "1989-1-1"]
)
def test_moment_that_no_calendar_holds_is_wrong_usage(moment: str) -> None:
    with pytest.raises(CommandError) as refused:
        parse_moment(moment)
    assert refused.value.returncode == 2
