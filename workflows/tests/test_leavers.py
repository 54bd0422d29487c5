"""Leavers: their states and minutes, the evidence of one, and what is taken out of it."""

from __future__ import annotations

import csv
import io
import re
import zlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from fontTools.ttLib import TTFont

from integrations.access_rows import Hand, access_note
from integrations.models import Account, AppAccess, Application, Connection, ReportedAccess
from people.models import FieldPolicy, Person, PersonChange
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.access.evidence import evidence_of
from workflows.access.evidence_pdf import evidence_pdf, unshown
from workflows.access.leavers import fleet, leaver_of, leavers, minutes_words
from workflows.models import Run

pytestmark = pytest.mark.django_db
LAST = date(2026, 3, 31)
MIDNIGHT = datetime(2026, 3, 31, 22, tzinfo=UTC)
"""When that day ends in Paris, in summer time."""


@pytest.fixture
def company() -> Company:
    return small_company()


def _leaver(name: str = "zoe", **values: Any) -> Person:
    now = clock.now()
    return Person.objects.create(
        work_email=f"{name}@acme.test", full_name=name.title(),
        **{
            "status": "ended", "end_date": LAST, "timezone": "Europe/Paris",
            "created_at": now, "updated_at": now, **values,
        },
    )  # fmt: skip


def _app(key: str = "figma") -> Application:
    return Application.objects.get_or_create(key=key, defaults={"name": key.title()})[0]


def _taken(person: Person, *, at: datetime, key: str = "figma") -> AppAccess:
    return AppAccess.objects.create(
        application=_app(key), person=person, state="revoked", aim="gone", since=at, ended_at=at
    )


@pytest.mark.parametrize(
    ("taken_at", "now", "state", "minutes"),
    [
        (None, MIDNIGHT + timedelta(hours=1), "complete", None),
        (MIDNIGHT - timedelta(hours=4), MIDNIGHT - timedelta(minutes=1), "open", None),
        (MIDNIGHT - timedelta(hours=4), MIDNIGHT, "complete", 0),
        (MIDNIGHT + timedelta(minutes=7, seconds=50), MIDNIGHT + timedelta(hours=1), "complete", 7),
    ],
)
def test_minutes_run_from_the_end_of_the_last_day_where_the_person_lives(
    taken_at: datetime | None, now: datetime, state: str, minutes: int | None
) -> None:
    person = _leaver()
    if taken_at is not None:
        _taken(person, at=taken_at)
    found = leaver_of(person, now=now)
    assert found is not None
    assert (found.state, found.minutes, found.ends_at) == (state, minutes, MIDNIGHT)


@pytest.mark.parametrize("door", ["granted", "by_hand", "reported", "account", "held"])
def test_any_open_door_makes_a_leaver_overdue(company: Company, door: str) -> None:
    person = _leaver()
    now = MIDNIGHT + timedelta(hours=3)
    _taken(person, at=MIDNIGHT, key="other")
    idp = Connection.objects.create(
        key="idp", name="Okta", connector="scim", status="ready", created_at=now
    )
    if door in ("granted", "by_hand"):
        aim = "gone" if door == "by_hand" else "have"
        AppAccess.objects.create(application=_app(), person=person, state=door, aim=aim, since=now)
    elif door == "reported":
        ReportedAccess.objects.create(
            application=_app(), external_id="1", person=person, first_seen_at=now, seen_at=now
        )
    elif door == "account":
        Account.objects.create(connection=idp, person=person, external_id="1", changed_at=now)
    else:
        Run.objects.filter(pk=company.objects["run"].pk).update(
            person=person, trigger="person.end_date"
        )
    found = leaver_of(person, now=now)
    assert found is not None
    assert (found.state, found.still_open, found.open_minutes) == ("overdue", 1, 180)
    assert len(evidence_of(person, hidden=(), now=now).still_open) == 1


def test_figure_is_median_worst_and_overdue_of_the_last_days() -> None:
    now = MIDNIGHT + timedelta(days=1)
    for number, minutes in enumerate((1, 5, 90)):
        _taken(_leaver(f"p{number}"), at=MIDNIGHT + timedelta(minutes=minutes))
    _leaver("nothing-to-take")
    late = _leaver("late")
    AppAccess.objects.create(application=_app(), person=late, state="granted", since=MIDNIGHT)
    long_ago = _leaver("long-ago", end_date=LAST - timedelta(days=200))
    _taken(long_ago, at=MIDNIGHT)
    figure = fleet(leavers(Person.objects.all(), now=now), today=now.date())
    assert (figure.leavers, figure.median, figure.worst) == (5, 5, 90)
    assert (figure.overdue, figure.longest_overdue) == (1, 24 * 60)
    words = [minutes_words(number) for number in (None, 5, 185, 1600)]
    assert words == ["–", "5 min", "3 h 05 min", "1 d 2 h"]


def _client(company: Company, who: str) -> Client:
    client = Client()
    client.force_login(company.users[who])
    return client


def test_list_has_tabs_and_the_home_page_its_figure(company: Company) -> None:
    today = clock.now().date()
    late = _leaver("late", end_date=today - timedelta(days=3))
    AppAccess.objects.create(application=_app(), person=late, state="granted", since=clock.now())
    gone = _leaver("gone", end_date=today - timedelta(days=3))
    _taken(gone, at=clock.now() - timedelta(days=5))
    client = _client(company, "it")
    page = client.get(reverse("leavers")).content.decode()
    assert "Late" in page
    assert "Gone" not in page, "who is overdue comes first"
    assert "Gone" in client.get(reverse("leavers") + "?state=complete").content.decode()
    home = client.get("/").content.decode()
    assert "Last day to last revoke" in home
    assert reverse("leavers") + "?state=overdue" in home
    for who in ("manager", "employee"):
        assert "Last day to last revoke" not in _client(company, who).get("/").content.decode()


def test_who_may_not_see_last_days_sees_no_leavers(company: Company) -> None:
    FieldPolicy.objects.create(field="end_date", sources=[], visible_to=["HR admin"])
    person = _leaver()
    client = _client(company, "it")
    assert client.get(reverse("leavers")).status_code == 403
    assert client.get(reverse("leaver", args=[person.pk])).status_code == 403
    assert "Last day to last revoke" not in client.get("/").content.decode()
    assert _client(company, "hr").get(reverse("leaver", args=[person.pk])).status_code == 200


def _proven(company: Company) -> Person:
    """Somebody with dates that moved, a run, an access and proofs."""
    person = _leaver("zoé-łukasz")
    Person.objects.filter(pk=person.pk).update(full_name="Zoé Łukasz Müller 王小明 حسن")
    person.refresh_from_db()
    PersonChange.objects.create(
        person=person, field="end_date", before="2026-04-30", after="2026-03-31", source="remote",
        at=MIDNIGHT - timedelta(days=20),
    )  # fmt: skip
    Run.objects.filter(pk=company.objects["run"].pk).update(
        person=person, trigger="person.end_date", status="done"
    )
    row = _taken(person, at=MIDNIGHT + timedelta(minutes=4))
    evidence = {
        "read_back": "not a member of the group",
        "calls": [{"call": "PATCH /Groups/{id}", "status": 204, "request_id": "req-77"}],
    }
    access_note(
        row, state="revoked", hand=Hand(run_id=1), now=MIDNIGHT, evidence=evidence,
        words="=HYPERLINK(1)",
    )  # fmt: skip
    return person


def test_page_shows_dates_approvals_steps_and_proofs(company: Company) -> None:
    person = _proven(company)
    page = _client(company, "it").get(reverse("leaver", args=[person.pk])).content.decode()
    for words in (
        "30 Apr 2026", "31 Mar 2026", "11 Mar 2026", "Ship a laptop", "No answer came.", "req-77",
        "not a member of the group", "4 min",
    ):  # fmt: skip
        assert words in page, words
    assert "evidence.pdf" not in page, "taking it out is another right"


def test_csv_has_everything_and_no_cell_runs(company: Company) -> None:
    person = _proven(company)
    answer = _client(company, "hr").get(reverse("leaver-csv", args=[person.pk]))
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert {"About", "Dates as known", "Approvals", "Access: Figma"} <= {
        row["section"] for row in rows
    }
    cells = [cell for row in rows for cell in row.values()]
    assert "'=HYPERLINK(1)" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))]
    assert any("req-77" in cell for cell in cells)
    entry = AuditEntry.objects.get(action="leaver.exported")
    assert (entry.object_key, entry.detail) == (str(person.pk), {"format": "csv"})
    assert "no-store" in answer["Cache-Control"]
    assert "zoé" not in answer["Content-Disposition"]


def test_pdf_embeds_fonts_for_every_letter_it_can_show(company: Company) -> None:
    person = _proven(company)
    answer = _client(company, "hr").get(reverse("leaver-pdf", args=[person.pk]))
    assert answer["Content-Type"] == "application/pdf"
    embedded = _letters_in(answer.content)
    for letter in "éłü王小明Z":
        assert letter in embedded, letter
    assert unshown("é ł ü 中 Ж Ω حسن") == "حسن"
    assert AuditEntry.objects.filter(action="leaver.exported").count() == 1


def test_pdf_names_the_letters_it_cannot_show(company: Company) -> None:
    person = _proven(company)
    with_arabic = evidence_pdf(evidence_of(person, hidden=(), now=MIDNIGHT), zone="Europe/Paris")
    Person.objects.filter(pk=person.pk).update(full_name="Zoe")
    person.refresh_from_db()
    plain = evidence_pdf(evidence_of(person, hidden=(), now=MIDNIGHT), zone="Europe/Paris")
    missing = "\N{REPLACEMENT CHARACTER}"
    assert missing in _letters_in(with_arabic)
    assert missing not in _letters_in(plain)


def _letters_in(pdf: bytes) -> set[str]:
    """The letters of the fonts inside a PDF, by what its maps from shapes to letters say."""
    found: set[str] = set()
    for packed in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.S):
        try:
            text = zlib.decompress(packed)
        except zlib.error:
            text = packed
        if b"begincmap" in text:
            for _, code in re.findall(rb"<([0-9A-Fa-f]+)> <([0-9A-Fa-f]+)>", text):
                if len(code) % 4 == 0:
                    found |= set(bytes.fromhex(code.decode()).decode("utf-16-be", "replace"))
    return found


def test_fonts_are_whole() -> None:
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DroidSansFallback.ttf"):
        with TTFont(f"workflows/access/fonts/{name}") as font:
            assert len(font.getBestCmap()) > 1_000, name


def test_pages_need_the_same_number_of_queries_for_few_and_for_many(company: Company) -> None:
    person = _proven(company)
    client = _client(company, "hr")
    pages = [reverse("leavers") + "?state=all", "/", reverse("leaver", args=[person.pk])]
    for page in pages:
        client.get(page)
    before = [_queries(client, page) for page in pages]
    today = clock.now().date()
    for number in range(30):
        _taken(_leaver(f"p{number}", end_date=today - timedelta(days=2)), at=clock.now())
        row = _taken(person, at=MIDNIGHT, key=f"app-{number}")
        access_note(row, state="revoked", hand=Hand(run_id=1), now=MIDNIGHT)
    after = [_queries(client, page) for page in pages]
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 0, 0]


def _queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(database) as caught:
        assert client.get(page).status_code == 200
    return len(caught)
