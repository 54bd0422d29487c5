"""The forecast on its pages, from one day to the next, and as a calendar."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from people.models import FieldPolicy, Person, Team
from siit_remote import tasks
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.calendar_feed import MISSES_PER_HOUR, READS_PER_HOUR
from workflows.forecasting import (
    changes_since,
    coming_runs,
    snapshot_before,
    snapshot_keep,
    snapshot_pack,
    snapshot_unpack,
)
from workflows.models import CalendarFeed, ForecastSnapshot, Workflow, WorkflowVersion

DAY = timedelta(days=1)
STEPS = [
    {
        "key": "ask",
        "action": "approval.request",
        "params": {"approver": {"type": "manager"}, "fallback": {"type": "role", "role": "it"}},
    }
]


def _workflow(key: str, *, now: datetime, days: int = 0) -> Workflow:
    timing = {"direction": "before" if days else "same_day", "days": days, "at": "18:00"}
    document = {
        "format": "siit.workflow/1",
        "key": key,
        "name": key.title(),
        "trigger": {"type": "person.end_date", "params": timing},
        "steps": STEPS,
    }
    workflow = Workflow.objects.create(
        key=key, name=key.title(), status="live", draft=document, draft_saved_at=now,
        created_at=now, live_since=now - 2 * DAY,
    )  # fmt: skip
    workflow.live_version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document=document, digest=key, published_at=now
    )
    workflow.save()
    return workflow


@pytest.fixture
def company(db: None) -> Company:
    """Two people leave soon; one workflow waits for them."""
    cache.clear()
    made = small_company()
    now = clock.now()
    _workflow("leaving", now=now)
    team = Team.objects.create(name="Sales")
    for name, days in (("report", 9), ("employee", 12)):
        person = made.people[name]
        person.end_date, person.timezone = now.date() + days * DAY, "Asia/Tokyo"
        person.team = team if name == "report" else None
        person.save()
    return made


def _get(company: Company, path: str, who: str = "hr") -> Any:
    client = Client()
    client.force_login(company.users[who])
    response = client.get(path)
    assert response.status_code == 200
    return response


def _listed(company: Company, query: str = "") -> list[str]:
    response = _get(company, f"/forecast/?view=list{query}")
    return [item["row"].work_email.partition("@")[0] for item in response.context["rows"]]


def test_list_shows_both_times_and_whom_it_would_ask(company: Company) -> None:
    response = _get(company, "/forecast/?view=list")
    row = response.context["rows"][0]
    assert row["row"].work_email == "report@acme.test"
    assert row["asked"] == (str(company.people["manager"]),)
    html = response.content.decode()
    assert "18:00" in html
    assert "09:00" in html
    assert "Asia/Tokyo" in html


def test_list_is_filtered(company: Company) -> None:
    assert _listed(company) == ["report", "employee"]
    assert _listed(company, "&q=empl") == ["employee"]
    assert _listed(company, "&team=Sales") == ["report"]
    assert _listed(company, "&workflow=offboarding") == []
    assert _listed(company, "&country=FRA") == ["report", "employee"]
    day = company.people["report"].end_date
    assert _listed(company, f"&day={day}") == ["report"]
    assert _listed(company, "&day=someday&page=x&side=nonsense") == ["report", "employee"]


def test_month_counts_each_day_where_the_person_is(company: Company) -> None:
    end = company.people["report"].end_date
    response = _get(company, f"/forecast/?month={end:%Y-%m}")
    cells = [cell for week in response.context["weeks"] for cell in week if cell.total]
    assert end in [cell.day for cell in cells]
    for month in ("", "x", "9999-99", "1999-01", "0000-00"):
        assert _get(company, f"/forecast/?month={month}").context["first"].day == 1


def test_draft_stands_beside_live_and_what_both_say_stands_once(company: Company) -> None:
    now = clock.now()
    assert {row.side for row in coming_runs(now=now, side="both")} == {"both"}
    workflow = Workflow.objects.get(key="leaving")
    params = {"direction": "before", "days": 3, "at": "18:00"}
    workflow.draft = {
        **workflow.draft,
        "trigger": {"type": "person.end_date", "params": params},
    }
    workflow.save()
    rows = coming_runs(now=now, side="both")
    assert sorted(row.side for row in rows) == ["draft", "draft", "live", "live"]
    html = _get(company, "/forecast/?view=list&side=both").content.decode()
    assert "Only the draft" in html
    assert "Only live" in html


def test_csv_has_the_same_rows_and_runs_no_formula(company: Company) -> None:
    Person.objects.filter(work_email="report@acme.test").update(full_name="=HYPERLINK(1)")
    text = _get(company, "/forecast/forecast.csv?team=Sales").content.decode()
    lines = text.strip().split("\r\n")
    assert len(lines) == 2
    assert "'=HYPERLINK(1)" in lines[1]


def test_unreadable_workflow_does_not_break_the_forecast(company: Company) -> None:
    broken = _workflow("broken", now=clock.now())
    assert broken.live_version is not None
    WorkflowVersion.objects.filter(pk=broken.live_version_id).update(document={"format": "x/9"})
    assert _listed(company) == ["report", "employee"]


def test_changes_since_yesterday_are_named_and_passing_time_is_no_change(
    company: Company,
) -> None:
    now = clock.now()
    yesterday = now - DAY
    with clock.fixed(yesterday):
        tasks.keep_forecast()
    snapshot = snapshot_before(now.date())
    assert snapshot is not None
    assert changes_since(snapshot, coming_runs(now=now), now=now) == []
    report, employee = company.people["report"], company.people["employee"]
    report.end_date += DAY
    report.save()
    employee.end_date = None
    employee.save()
    manager = company.people["manager"]
    manager.end_date = now.date() + 5 * DAY
    manager.save()
    found = changes_since(snapshot, coming_runs(now=now), now=now)
    assert {(item.kind, item.person_id) for item in found} == {
        ("moved", report.pk),
        ("gone", employee.pk),
        ("added", manager.pk),
    }
    html = _get(company, "/forecast/?view=changes").content.decode()
    for word in ("Moved", "Gone", "Added"):
        assert f">{word}</span>" in html
    assert changes_since(snapshot, [], now=now + 30 * DAY) == []


def test_forecast_without_yesterday_says_when_there_will_be_one(company: Company) -> None:
    assert "From tomorrow on" in _get(company, "/forecast/?view=changes").content.decode()


def test_snapshot_is_kept_once_a_day_and_forgotten_after_a_week(company: Company) -> None:
    now = clock.now()
    assert snapshot_keep(now=now)
    assert not snapshot_keep(now=now)
    for days in range(1, 12):
        snapshot_keep(now=now + days * DAY)
    assert ForecastSnapshot.objects.count() == 9


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sets(
        st.tuples(
            st.sampled_from(["leaving", "day-1", "x"]),
            st.integers(1, 10**6),
            st.sampled_from(["2026-12-24", "event:17", "Añ\u2028", ""]),
            st.integers(0, 4 * 10**9),
        ),
        max_size=20,
    )
)
def test_snapshot_unpacks_to_what_was_packed(slots: set[tuple[str, int, str, int]]) -> None:
    assert snapshot_unpack(snapshot_pack(slots)) == slots


def _token(company: Company, who: str = "hr") -> str:
    client = Client()
    client.force_login(company.users[who])
    html = client.post("/forecast/calendar/").content.decode()
    found = re.search(r"/calendar/([\w-]{40,})\.ics", html)
    assert found is not None
    return found[1]


def test_calendar_is_read_without_a_session_and_names_no_more_than_it_must(
    company: Company,
) -> None:
    token = _token(company)
    response = Client().get(f"/calendar/{token}.ics")
    assert response["Content-Type"].startswith("text/calendar")
    assert response["Cache-Control"] == "private, no-store"
    parsed = Calendar.from_ical(response.content)
    events = parsed.walk("VEVENT")
    assert [str(event["SUMMARY"]) for event in events] == [
        "Leaving: Report Example",
        "Leaving: Employee Example",
    ]
    end = company.people["report"].end_date
    assert events[0].decoded("DTSTART") == datetime(end.year, end.month, end.day, 9, tzinfo=UTC)
    assert b"@acme.test" not in response.content


def test_calendar_token_is_long_and_kept_only_as_a_hash(company: Company) -> None:
    token = _token(company)
    feed = CalendarFeed.objects.get()
    assert len(token) >= 43
    assert token not in (feed.token_hash, str(AuditEntry.objects.values_list("detail")))
    assert not AuditEntry.objects.filter(detail__icontains=token).exists()


def test_calendar_address_is_replaced_and_revoked(company: Company) -> None:
    first = _token(company)
    second = _token(company)
    assert Client().get(f"/calendar/{first}.ics").status_code == 404
    assert Client().get(f"/calendar/{second}.ics").status_code == 200
    client = Client()
    client.force_login(company.users["hr"])
    client.post("/forecast/calendar/end/")
    assert Client().get(f"/calendar/{second}.ics").status_code == 404
    acts = AuditEntry.objects.filter(action__startswith="calendar.").order_by("pk")
    assert [entry.action.partition(".")[2] for entry in acts] == ["created", "created", "revoked"]


def test_calendar_ends_with_the_right_to_see_it(company: Company) -> None:
    token = _token(company)
    company.users["hr"].groups.clear()
    assert Client().get(f"/calendar/{token}.ics").status_code == 404
    token = _token(company, "it")
    company.users["it"].is_active = False
    company.users["it"].save()
    assert Client().get(f"/calendar/{token}.ics").status_code == 404


def test_calendar_is_not_read_too_often_and_addresses_are_not_guessed(company: Company) -> None:
    token = _token(company)
    codes = [Client().get(f"/calendar/{token}.ics").status_code for _ in range(READS_PER_HOUR + 1)]
    assert codes[-2:] == [200, 429]
    cache.clear()
    for _ in range(MISSES_PER_HOUR):
        assert Client().get("/calendar/guess.ics").status_code == 404
    answer = Client().get("/calendar/guess.ics")
    assert (answer.status_code, answer["Retry-After"]) == (429, "3600")


def test_a_line_break_in_a_name_adds_no_event(company: Company) -> None:
    Person.objects.filter(work_email="report@acme.test").update(
        full_name="Ada\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:Free"
    )
    content = Client().get(f"/calendar/{_token(company)}.ics").content
    assert len(Calendar.from_ical(content).walk("VEVENT")) == 2


def test_date_that_the_reader_may_not_see_is_told_by_no_run_on_it(company: Company) -> None:
    now = clock.now()
    row = _workflow("birthday", now=now)
    birthday = {"type": "person.birthday", "params": {"direction": "same_day", "days": 0,
                "at": "09:00"}}  # fmt: skip
    document = row.draft | {"trigger": birthday}
    row.live_version = WorkflowVersion.objects.create(
        workflow=row, number=2, document=document, digest="b", published_at=now
    )
    row.draft = document
    row.save()
    born = (now + 20 * DAY).date().replace(year=1992)
    Person.objects.filter(pk=company.people["manager"].pk).update(date_of_birth=born)

    def told(path: str, who: str) -> bool:
        return "Birthday" in _get(company, path, who).content.decode()

    def listed(who: str) -> set[str]:
        rows = _get(company, "/forecast/?view=list", who).context["rows"]
        return {item["row"].workflow for item in rows}

    assert "birthday" in listed("hr")
    assert listed("it") == {"leaving"}
    assert told("/forecast/forecast.csv", "hr")
    assert not told("/forecast/forecast.csv", "it")
    assert told(f"/calendar/{_token(company)}.ics", "hr")
    assert not told(f"/calendar/{_token(company, 'it')}.ics", "it")
    pk = company.people["manager"].pk
    for path in (f"/people/{pk}/?tab=workflows", f"/workflows/birthday/why/?person={pk}"):
        assert f"{born:%-d %b}" in _get(company, path).content.decode(), path
        html = _get(company, path, "it").content.decode()
        assert f"{born:%-d %b}" not in html, path
        assert "hidden from your role" in html, path


def test_hidden_team_and_country_are_in_no_forecast_and_narrow_nothing(company: Company) -> None:
    for field in ("team", "country", "legal_entity"):
        FieldPolicy.objects.create(field=field, visible_to=["HR admin"])
    team = Person.objects.get(work_email="report@acme.test").team
    assert team is not None
    assert team.name in _get(company, "/forecast/forecast.csv").content.decode()
    assert team.name not in _get(company, "/forecast/forecast.csv", "it").content.decode()
    page = _get(company, f"/forecast/?view=list&team={team.name}", "it")
    assert page.context["rows"] == []
