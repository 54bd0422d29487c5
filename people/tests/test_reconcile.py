"""What a feed means for the directory."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from people.models import (
    LegalEntity,
    LifecycleEvent,
    Person,
    PersonAlias,
    PersonChange,
    SourceRecord,
)
from people.records import SkippedRecord
from people.tests.build import NOW, boss, day, feed, person, picture, worker

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=4)


def test_new_worker_becomes_a_person_with_resolved_values() -> None:
    feed([boss(), worker("w1", "Ana Lopez", job_title="Engineer", custom={"level": "L4"})])
    ana = person("ana.lopez")
    assert (ana.status, ana.employment_type, ana.worker_type) == (
        "active",
        "employee",
        "eor_employee",
    )
    assert ana.manager == person("boss")
    assert ana.team is not None and ana.team.name == "Sales"
    assert ana.legal_entity == LegalEntity.objects.get(external_id="ent-1")
    assert (ana.timezone, ana.value_sources["timezone"]) == ("Europe/Paris", "country")
    assert ana.value_sources["job_title"] == "remote"
    assert ana.custom == {"level": "L4"}
    assert ana.known_at == {"start_date": NOW.isoformat()}
    assert ana.baseline_at is None
    assert "lopez" in ana.search_text
    event = LifecycleEvent.objects.get(person=ana)
    assert (event.kind, event.baseline) == ("person.added", False)


def test_second_identical_feed_writes_nothing(django_assert_num_queries: object) -> None:
    records = [boss(), worker("w1"), worker("w2", contract_status="ended", end_date=day(-9))]
    feed(records)
    before = picture()
    plan = feed(records, now=LATER)
    assert plan.is_empty
    assert plan.unchanged == 2
    assert [skip.external_id for skip in plan.skipped] == ["w2"]
    assert picture() == before


def test_first_import_is_the_baseline() -> None:
    feed([boss(), worker("w1")], baseline=True)
    assert set(Person.objects.values_list("baseline_at", flat=True)) == {NOW}
    assert set(LifecycleEvent.objects.values_list("baseline", flat=True)) == {True}


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"start_date": day(1), "contract_status": "upcoming"}, "hired"),
        ({"start_date": day(0), "contract_status": "upcoming"}, "active"),
        ({"start_date": None, "contract_status": "upcoming"}, "hired"),
        ({}, "active"),
        ({"end_date": day(30)}, "offboarding"),
        ({"end_date": day(0)}, "offboarding"),
        ({"end_date": day(-1)}, "ended"),
        ({"offboarding": True}, "offboarding"),
        ({"start_date": day(3), "end_date": day(30)}, "hired"),
        ({"contract_status": "", "contract_status_raw": "??"}, "active"),
    ],
)
def test_status_follows_from_dates(values: dict[str, object], status: str) -> None:
    feed([worker("w1", **values)])
    assert person("w1").status == status


def test_today_is_the_date_where_the_person_is() -> None:
    early = NOW.replace(hour=12)
    feed([worker("nz", country="WLF", start_date=day(1), contract_status="upcoming")], now=early)
    # 12:00 UTC is midnight of the next day on Wallis (UTC+12).
    assert person("nz").status == "active"


def test_email_change_keeps_the_person_and_the_former_address() -> None:
    feed([boss(), worker("w1", "Ana Lopez")])
    old = person("ana.lopez")
    feed([boss(), worker("w1", "Ana Lopez", work_email="ana.silva@acme.test")], now=LATER)
    assert person("ana.silva").pk == old.pk
    assert PersonAlias.objects.get().email == "ana.lopez@acme.test"
    change = PersonChange.objects.get()
    assert (change.field, change.before, change.after) == (
        "work_email",
        "ana.lopez@acme.test",
        "ana.silva@acme.test",
    )
    feed([boss(), worker("w1", "Ana Lopez")], now=LATER)
    assert [alias.email for alias in PersonAlias.objects.all()] == ["ana.silva@acme.test"]


def test_two_people_may_swap_addresses() -> None:
    feed([worker("w1", "Ann One"), worker("w2", "Bob Two")])
    ids = person("ann.one").pk, person("bob.two").pk
    feed(
        [
            worker("w1", "Ann One", work_email="bob.two@acme.test"),
            worker("w2", "Bob Two", work_email="ann.one@acme.test"),
        ],
        now=LATER,
    )
    assert (person("bob.two").pk, person("ann.one").pk) == ids


def test_recycled_address_is_reported_and_merges_nobody() -> None:
    feed([worker("w1", "Ana Lopez")])
    feed([worker("w1", "Ana Lopez", work_email="ana.silva@acme.test")], now=LATER)
    stranger = worker("w2", "Tom Berg", work_email="ana.lopez@acme.test")
    plan = feed([worker("w1", "Ana Lopez", work_email="ana.silva@acme.test"), stranger], now=LATER)
    assert [skip.external_id for skip in plan.skipped] == ["w2"]
    assert "formerly belonged to Ana Lopez" in plan.conflicts[0].reason
    assert Person.objects.count() == 1


def test_address_handed_on_within_one_feed_merges_nobody() -> None:
    feed([worker("w1", "Ana Lopez")])
    moved = worker("w1", "Ana Lopez", work_email="ana.silva@acme.test")
    stranger = worker("w2", "Tom Berg", work_email="ana.lopez@acme.test")
    plan = feed([moved, stranger], now=LATER)
    assert [skip.external_id for skip in plan.skipped] == ["w2"]
    assert person("ana.silva").source_records.count() == 1
    PersonAlias.objects.all().delete()
    feed([moved, replace(stranger, job_title="New")], now=LATER)
    assert person("ana.lopez").full_name == "Tom Berg"


def test_missing_work_email_is_skipped_but_a_known_person_stays() -> None:
    plan = feed([worker("w1"), worker("w2", work_email="")])
    assert [(skip.external_id, skip.reason[:13]) for skip in plan.skipped] == [
        ("w2", "No work email")
    ]
    feed([worker("w1", work_email="", job_title="CTO"), worker("w2", work_email="")], now=LATER)
    assert person("w1").job_title == "CTO"


def test_ended_worker_is_skipped_when_unknown_and_updated_when_known() -> None:
    ended = worker("w1", contract_status="ended", end_date=day(-2))
    plan = feed([ended])
    assert "Only active and upcoming" in plan.skipped[0].reason
    assert Person.objects.count() == 0
    feed([worker("w1")], now=LATER)
    assert person("w1").status == "active"
    plan = feed([ended], now=LATER)
    assert [found.ref for found in plan.ended] == [person("w1").pk]
    assert (person("w1").status, person("w1").end_date) == ("ended", day(-2))


def test_ended_without_a_date_gets_the_day_it_was_seen_and_keeps_it() -> None:
    feed([worker("w1")])
    feed([worker("w1", contract_status="ended")], now=LATER)
    assert person("w1").end_date == day(0)
    assert person("w1").problems == ["end_date_inferred"]
    feed([worker("w1", contract_status="ended", job_title="x")], now=NOW + timedelta(days=9))
    assert person("w1").end_date == day(0)
    assert person("w1").problems == ["end_date_inferred"]


def test_inferred_date_of_a_source_stays_the_first_one() -> None:
    feed([worker("w1")])
    ended = worker("w1", contract_status="ended", end_date_source="inferred")
    feed([replace(ended, end_date=day(0))], now=LATER)
    plan = feed([replace(ended, end_date=day(5))], now=NOW + timedelta(days=5))
    assert plan.is_empty
    assert person("w1").end_date == day(0)


def test_absence_is_noted_and_changes_nobody() -> None:
    feed([boss(), worker("w1"), worker("w2")])
    plan = feed([boss(), worker("w1")], now=LATER)
    assert [absence.key for absence in plan.newly_missing] == [("remote", "w2")]
    assert SourceRecord.objects.get(external_id="w2").missing_since == LATER
    assert person("w2").status == "active"
    assert PersonChange.objects.count() == 0
    assert feed([boss(), worker("w1")], now=LATER + timedelta(hours=4)).is_empty
    feed([boss(), worker("w1"), worker("w2")], now=LATER + timedelta(hours=8))
    assert SourceRecord.objects.get(external_id="w2").missing_since is None


def test_listed_but_unusable_worker_is_not_missing() -> None:
    feed([worker("w1"), worker("w2")])
    unusable = SkippedRecord(external_id="w2", name="W2", reason="Unreadable.")
    feed([worker("w1", job_title="x")], skipped=[unusable], now=LATER)
    assert SourceRecord.objects.get(external_id="w2").missing_since is None


def test_partial_feed_infers_no_absence() -> None:
    feed([worker("w1"), worker("w2")])
    feed([worker("w1", job_title="x")], complete=False, now=LATER)
    assert SourceRecord.objects.filter(missing_since__isnull=False).count() == 0


def test_cancelled_onboarding_ends_without_a_leaving() -> None:
    hired = worker("w1", contract_status="upcoming", start_date=day(10))
    feed([hired])
    LifecycleEvent.objects.all().delete()
    gone = replace(hired, contract_status="ended", never_started=True, end_date=day(0))
    feed([gone], now=LATER)
    found = person("w1")
    assert (found.status, found.end_date) == ("ended", None)
    assert "cancelled" in found.problem_notes[0]
    assert not LifecycleEvent.objects.exists()
    assert PersonChange.objects.filter(field="status").exists()
    before = picture()
    feed([gone], now=LATER + timedelta(days=1))
    assert picture() == before


def test_blank_of_the_feed_blanks_a_value_and_a_manual_value_stays() -> None:
    feed([worker("w1", job_title="CTO")])
    feed([worker("w1")], now=LATER)
    assert person("w1").job_title == ""
    assert "job_title" not in person("w1").value_sources


def test_renamed_legal_entity_keeps_its_row() -> None:
    feed([worker("w1")])
    entity = LegalEntity.objects.get()
    feed([worker("w1", legal_entity="Acme France SAS")], now=LATER)
    assert LegalEntity.objects.get().pk == entity.pk
    assert PersonChange.objects.count() == 0


def test_bad_time_zone_is_flagged_and_not_used() -> None:
    feed([worker("w1", timezone="Mars/Base", country="USA")])
    assert person("w1").timezone == ""
    assert {"bad_value", "no_timezone"} <= set(person("w1").problems)
