"""The calendar's events are those that the library would write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar, Event

from workflows.calendar_feed import calendar_of
from workflows.forecasting import Coming

NOW = datetime(2026, 3, 2, 7, 30, 15, tzinfo=UTC)
SITE = "https://siit.acme.example"
_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=120)


def _row(name: str, person: str, key: str = "leavers", number: int = 1) -> Coming:
    return Coming(
        key, name, "live", number, person, "ana@acme.test", "", "", "FRA", "2026-03-05",
        NOW + timedelta(minutes=number), "Europe/Paris", "person.end_date", "end_date",
    )  # fmt: skip


def _by_library(row: Coming) -> bytes:
    event = Event()
    event.add("uid", f"{row.key}@siit-remote")
    event.add("dtstamp", NOW)
    event.add("dtstart", row.due_at)
    event.add("duration", timedelta(minutes=15))
    event.add("summary", f"{row.name}: {row.person}")
    event.add("url", f"{SITE}/workflows/{row.workflow}/why/?person={row.person_id}")
    event.add("class", "PRIVATE")
    event.add("transp", "TRANSPARENT")
    return bytes(event.to_ical())


@settings(max_examples=50, deadline=None)
@example(name="Wel,co;me\\N \n", person="Zoë " * 40, key="k" * 80, number=10**6)
@example(name="END:VEVENT\n", person="\nBEGIN:VEVENT", key="x", number=0)
@given(
    name=_TEXT,
    person=_TEXT,
    key=st.from_regex(r"[a-z0-9][a-z0-9-]{0,79}", fullmatch=True),
    number=st.integers(0, 10**6),
)
def test_events_are_what_the_library_writes(name: str, person: str, key: str, number: int) -> None:
    rows = [_row(name, person, key, number), _row("Plain", "Ana")]
    written = calendar_of(rows, site=SITE, now=NOW)
    assert b"".join(map(_by_library, rows)) in written
    parsed = Calendar.from_ical(written)
    assert [str(event["summary"]) for event in parsed.walk("VEVENT")][1:] == ["Plain: Ana"]
    assert written.endswith(b"END:VCALENDAR\r\n")


def test_calendar_of_nothing_is_one_all_the_same() -> None:
    parsed = Calendar.from_ical(calendar_of([], site=SITE, now=NOW))
    assert parsed.walk("VEVENT") == []
    assert parsed["version"] == "2.0"
