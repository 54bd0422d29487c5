"""What Remote may do to us by its data, over real HTTP: one test per case of the source."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.connectors.remote import paging
from integrations.connectors.remote.session import RETRIES
from integrations.models import Connection, SyncRun
from integrations.sync import held_apply
from integrations.tasks import sync_is_due
from integrations.tests.remote_company import BULK, LISTS, Synced, company, endings, people, undone
from people.models import LegalEntity, LifecycleEvent, Person
from people.tests.build import TODAY
from siit_remote.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
GENERATED = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Iterator[Synced]:
    """Thirty-five plain employments on four pages, imported."""
    monkeypatch.setattr(paging, "PAGE_SIZE", 10)
    with company(awkward=False) as simulator:
        found = Synced(simulator)
        assert found.first().status == "applied"
        yield found


def somebody(*, count: int = 1, **wanted: Any) -> list[dict[str, Any]]:
    """Active people without reports, an end date or problems."""
    everybody = people()
    managers = {row["manager__work_email"] for row in everybody.values()}
    found = [
        row
        for row in everybody.values()
        if row["status"] == "active" and not row["problems"] and row["end_date"] is None
        if row["work_email"] not in managers
        if all(row[name] == value for name, value in wanted.items())
    ]
    assert len(found) >= count
    return found[:count]


def test_s1_empty_list_with_success_is_refused_and_said(synced: Synced) -> None:
    before = people()
    synced.simulator.fault(BULK, kind="empty", times=None)
    report = synced.again()
    assert report.status == "failed"
    assert "employments are known" in report.error
    assert people() == before
    assert not endings()
    synced.row.refresh_from_db()
    assert synced.row.last_error == report.error
    assert AuditEntry.objects.filter(action="sync.failed").count() == 1


@GENERATED
@given(page=st.integers(1, 4), rows=st.integers(1, 10), kind=st.sampled_from(["short", "total"]))
def test_s2_page_that_lacks_rows_merges_nothing(
    synced: Synced, page: int, rows: int, kind: str
) -> None:
    before = people()
    if kind == "short":
        synced.simulator.fault(BULK, kind="short", rows=rows, page=page, times=None)
    else:
        synced.simulator.fault(LISTS[3], kind="wrong_total", rows=rows, times=None)
    with undone():
        report = synced.again()
        if kind == "total":
            assert report.status == "failed"
        elif rows > 5 and page < 4:
            assert report.status in ("held", "failed")
        assert people() == before
        assert not endings()
    synced.simulator.clear_faults()


@GENERATED
@given(
    page=st.integers(1, 4),
    times=st.integers(1, 6),
    kind=st.sampled_from(["html", "garbage", "reset", "truncate", "status"]),
)
def test_s3_broken_answer_is_asked_again_and_then_given_up_whole(
    synced: Synced, page: int, times: int, kind: str
) -> None:
    before = people()
    script = {"kind": kind} | ({"status": 500} if kind == "status" else {})
    synced.simulator.fault(BULK, page=page, times=times, **script)
    with undone():
        assert synced.again().status == ("applied" if times <= RETRIES else "failed")
        assert people() == before
        assert not endings()
        synced.simulator.clear_faults()
        assert synced.again().status == "applied"


def test_s6_worker_on_two_pages_and_one_who_slipped_between_them(synced: Synced) -> None:
    before = people()
    synced.simulator.fault(BULK, kind="duplicate_row", page=3)
    synced.simulator.fault(BULK, kind="short", rows=1, page=2, times=2)
    assert synced.again().status == "applied"
    assert people() == before
    assert not endings()
    assert synced.again().status == "applied"
    assert people() == before


@pytest.mark.slow
def test_s5_drip_ends_at_the_deadline_and_frees_the_way(synced: Synced) -> None:
    before = people()
    synced.simulator.fault(BULK, kind="hang", seconds=4.0, times=None)
    report = synced.again(deadline=1.0)
    assert report.status == "failed"
    assert "Remote is slow" in report.error
    assert people() == before
    synced.simulator.clear_faults()
    assert not SyncRun.objects.filter(status="running").exists()
    assert synced.again().status == "applied"


def test_s4_limit_of_the_company_is_waited_for_as_told(synced: Synced) -> None:
    synced.simulator.fault(BULK, kind="ratelimit", seconds=45.0, times=2)
    assert synced.again().status == "applied"
    assert max(synced.clock.naps) <= 120
    assert synced.clock.naps.count(45.0) == 2


def test_s7_changed_work_email_keeps_the_person(synced: Synced) -> None:
    (row,) = somebody()
    pk = Person.objects.get(work_email=row["work_email"]).pk
    synced.simulator.update(row["remote_id"], work_email="renamed@acme.test")
    assert synced.again().status == "applied"
    found = Person.objects.get(work_email="renamed@acme.test")
    assert found.pk == pk
    assert [alias.email for alias in found.aliases.all()] == [row["work_email"]]
    assert not endings()


@pytest.mark.parametrize("second", ["eor", "hris", "standard"])
@pytest.mark.parametrize("order", ["the new one first", "the old one ends first", "together"])
def test_s8_contract_ends_while_another_goes_on_and_nobody_leaves(
    synced: Synced, second: str, order: str
) -> None:
    (row,) = somebody()
    old = row["remote_id"]
    pk, born = Person.objects.values_list("pk", "date_of_birth").get(remote_id=old)

    def end_old() -> None:
        synced.simulator.archive(old)

    def begin_new() -> str:
        return str(
            synced.simulator.hire(
                full_name=row["full_name"], work_email=row["work_email"], country="FRA",
                kind=second, start_date=TODAY - timedelta(days=1), birthdate=born,
            )["id"]
        )  # fmt: skip

    if order == "the new one first":
        new = begin_new()
        assert synced.again().status == "applied"
        end_old()
    elif order == "the old one ends first":
        with undone():
            # Alone it is a leaver: told so at once, and taken back by the second contract.
            end_old()
            assert synced.again().status == "applied"
            assert {email for email, _, _ in endings()} == {row["work_email"]}
            new = begin_new()
            assert synced.again().status == "applied"
            assert Person.objects.get(work_email=row["work_email"]).pk == pk
            assert Person.objects.get(pk=pk).status == "active"
        return
    else:
        end_old()
        new = begin_new()
    assert synced.again().status == "applied"
    found = Person.objects.get(work_email=row["work_email"])
    assert (found.pk, found.status, found.remote_id) == (pk, "active", new)
    assert not endings()


@GENERATED
@given(
    before=st.sampled_from(["", " ", "\u00a0", "\ufeff"]),
    after=st.sampled_from(["", " ", "\u00a0", "\u200b", "\n"]),
    shape=st.sampled_from([str.upper, str.title, str.swapcase, lambda text: text]),
    wide=st.booleans(),
)
def test_s9_spelling_of_an_address_changes_nobody(
    synced: Synced, before: str, after: str, shape: Any, wide: bool
) -> None:
    (row,) = somebody()
    text = shape(row["work_email"])
    if wide:
        text = "".join(chr(ord(c) + 0xFEE0) if c.isalpha() else c for c in text)
    with undone():
        synced.simulator.update(row["remote_id"], work_email=f"{before}{text}{after}")
        assert synced.again().status == "applied"
        assert Person.objects.filter(work_email=row["work_email"]).count() == 1
        assert len(people()) == Person.objects.exclude(remote_id="").count()
        assert not endings()
    synced.simulator.update(row["remote_id"], work_email=row["work_email"])


def test_s10_missing_address_blocks_a_newcomer_and_keeps_a_known_person(synced: Synced) -> None:
    (row,) = somebody()
    synced.simulator.update(row["remote_id"], work_email=None, basic_information=None)
    new = synced.simulator.hire(full_name="Nora New", country="FRA")
    synced.simulator.update(new["id"], work_email=None, basic_information=None)
    report = synced.again()
    assert report.status == "applied"
    assert people()[row["remote_id"]]["work_email"] == row["work_email"]
    reasons = {each["remote_id"]: each["reason"] for each in report.skipped}
    assert "No work email" in reasons[new["id"]]
    assert row["remote_id"] not in reasons
    synced.simulator.update(new["id"], work_email="nora.new@acme.test")
    assert synced.again().created == 1
    assert people()[new["id"]]["full_name"] == "Nora New"


@GENERATED
@given(links=st.lists(st.tuples(st.integers(0, 7), st.integers(-1, 7)), max_size=8))
def test_s11_any_web_of_managers_is_reported_and_nobody_crashes(
    synced: Synced, links: list[tuple[int, int]]
) -> None:
    rows = somebody(count=8)
    with undone():
        for worker, manager in dict(links).items():
            boss = rows[manager] if manager >= 0 else {"remote_id": "nobody", "work_email": ""}
            synced.simulator.update(
                rows[worker]["remote_id"],
                manager_employment_id=boss["remote_id"],
                manager_email=boss["work_email"] or None,
                manager="Somebody",
                manager_id=None,
            )
        report = synced.again()
        assert report.status in ("applied", "held")
        found = people()
        for worker, manager in dict(links).items() if report.status == "applied" else ():
            problems = found[rows[worker]["remote_id"]]["problems"]
            if manager == worker:
                assert "manager_self" in problems
            if manager < 0:
                assert "manager_unknown" in problems
        assert not endings()
    for row in rows:
        synced.simulator.update(row["remote_id"], manager=row["manager__work_email"])


def test_s12_leaving_announced_moved_and_withdrawn(synced: Synced) -> None:
    (row,) = somebody(worker_type="eor_employee")
    key = row["remote_id"]
    seen = []
    for offset in (30, 45, 20):
        synced.simulator.terminate(key, TODAY + timedelta(days=offset))
        assert synced.again().status == "applied"
        seen.append((people()[key]["status"], people()[key]["end_date"]))
    assert seen == [("offboarding", TODAY + timedelta(days=n)) for n in (30, 45, 20)]
    synced.simulator.cancel_termination(key)
    assert synced.again().status == "applied"
    assert (people()[key]["status"], people()[key]["end_date"]) == ("active", None)
    assert {email for email, _, _ in endings()} == {row["work_email"]}


def test_s13_leaving_entered_late_is_seen_with_its_day(synced: Synced) -> None:
    (row,) = somebody(worker_type="eor_employee")
    key, day = row["remote_id"], TODAY - timedelta(days=2)
    synced.simulator.terminate(key, day)
    assert synced.again().status == "applied"
    assert (people()[key]["status"], people()[key]["end_date"]) == ("ended", day)
    assert {email for email, _, _ in endings()} == {row["work_email"]}


def test_s14_first_import_of_a_company_full_of_leavers_starts_nothing() -> None:
    with company(size=120, awkward=False) as simulator:
        for employment in list(simulator.company.employments):
            simulator.update(employment, status="archived", user_status="inactive")
        synced = Synced(simulator)
        report = synced.first()
        assert report.status == "applied"
        assert not Person.objects.exclude(status="external").exists()
        assert not LifecycleEvent.objects.filter(baseline=False).exists()
        assert synced.again().status == "applied"
        assert not LifecycleEvent.objects.filter(baseline=False).exists()


def test_s15_token_of_another_company_writes_nothing(synced: Synced) -> None:
    before = people()
    with company(size=35, seed=8, awkward=False) as other:
        mine, synced.simulator = synced.simulator, other
        report = synced.again()
        synced.simulator = mine
    assert report.status == "failed"
    assert "another company" in report.error
    assert people() == before
    assert not endings()


@pytest.mark.parametrize("page", [1, 2, 3, 4])
def test_s16_revoked_token_stops_the_sync_and_the_schedule(synced: Synced, page: int) -> None:
    before = people()
    synced.simulator.fault(BULK, status=401, page=page, times=None)
    report = synced.again()
    assert report.status == "failed"
    assert report.error.startswith("Unauthorized")
    assert people() == before
    row = Connection.objects.get()
    assert row.status == "needs_attention"
    # No storm of refused requests: one try per interval.
    every = timedelta(hours=4)
    assert not sync_is_due(row, now=synced.now + timedelta(hours=3), every=every)
    assert sync_is_due(row, now=synced.now + every, every=every)


def test_s17_confidential_leaving_is_seen(synced: Synced) -> None:
    (row,) = somebody(worker_type="eor_employee")
    day = TODAY + timedelta(days=12)
    synced.simulator.terminate(row["remote_id"], day, kind="confidential")
    assert synced.again().status == "applied"
    assert people()[row["remote_id"]]["end_date"] == day


def test_s18_cancelled_onboarding_is_no_leaving(synced: Synced) -> None:
    new = synced.simulator.hire(
        full_name="Nora Never",
        work_email="nora.never@acme.test",
        start_date=TODAY + timedelta(days=20),
    )
    synced.again()
    assert people()[new["id"]]["status"] == "hired"
    synced.simulator.update(new["id"], status="archived", user_status="cancelled")
    assert synced.again().status == "applied"
    assert people()[new["id"]]["status"] == "ended"
    assert not endings()


_ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.text(max_size=40),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
_KEYS = st.sampled_from(
    [
        "type",
        "employment_model",
        "contractor_type",
        "department",
        "country",
        "job_title",
        "personal_details",
        "contract_details",
        "engaged_by_legal_entity_id",
        "manager",
        "manager_employment_id",
        "short_id",
        "created_at",
        "something_new",
    ]
)


@GENERATED
@given(changes=st.dictionaries(_KEYS, _ODD, max_size=5))
def test_s19_shapes_nobody_announced_never_stop_the_sync(
    synced: Synced, changes: dict[str, Any]
) -> None:
    (row,) = somebody()
    original = dict(synced.simulator.get(row["remote_id"]))
    with undone():
        synced.simulator.company.employments[row["remote_id"]] = {**original, **changes}
        assert synced.again().status == "applied"
        assert people().keys() >= {row["remote_id"]}
        assert not endings()
    synced.simulator.company.employments[row["remote_id"]] = original


def test_s19_unknown_status_and_type_are_kept_and_flagged(synced: Synced) -> None:
    (row,) = somebody()
    synced.simulator.update(row["remote_id"], status="hibernating", type="director")
    assert synced.again().status == "applied"
    found = Person.objects.get(remote_id=row["remote_id"])
    assert (found.status, found.worker_type, found.contract_status_raw) == (
        "active",
        "other",
        "hibernating",
    )
    assert {"unknown_status", "unknown_worker_type"} <= set(found.problems)
    assert not endings()


def test_s20_legal_entity_renamed_for_everybody_is_no_loss(synced: Synced) -> None:
    names = {row["legal_entity__name"] for row in people().values()} - {None, ""}
    before = LegalEntity.objects.count()
    for entity in synced.simulator.company.legal_entities:
        entity["name"] = f"{entity['name']} Group"
    report = synced.again()
    assert report.status == "applied"
    assert LegalEntity.objects.count() == before
    after = {row["legal_entity__name"] for row in people().values()} - {None, ""}
    assert after == {f"{name} Group" for name in names}
    assert not endings()


def test_s20_forty_percent_who_leave_wait_for_a_persons_word(synced: Synced) -> None:
    before = people()
    leavers = list(before.values())[: len(before) * 4 // 10]
    for row in leavers:
        synced.simulator.archive(row["remote_id"])
    report = synced.again()
    assert report.status == "held"
    assert people() == before
    assert not endings()
    run = SyncRun.objects.get(pk=report.sync_run_id)
    held = {person["work_email"] for person in run.held_people}
    assert held <= {row["work_email"] for row in leavers}
    assert held
    released = held_apply(run, actor=None, reason="The spin-off.", now=synced.now)
    assert released.status == "applied"
    ended = {row["work_email"] for row in people().values() if row["status"] == "ended"}
    assert ended >= held
    assert ended <= {row["work_email"] for row in leavers} | {
        row["work_email"] for row in before.values() if row["status"] == "ended"
    }


@GENERATED
@given(share=st.integers(1, 100), seed=st.randoms(use_true_random=False))
def test_s2_feed_that_loses_people_ends_nobody(synced: Synced, share: int, seed: Any) -> None:
    before = people()
    everybody = dict(synced.simulator.company.employments)
    lost = seed.sample(sorted(everybody), max(1, len(everybody) * share // 100))
    with undone():
        for key in lost:
            del synced.simulator.company.employments[key]
        report = synced.again()
        known_lost = len(set(lost) & before.keys())
        if known_lost * 10 > len(before) and known_lost > 1:
            assert report.status in ("held", "failed")
        now = people()
        assert {key: row["status"] for key, row in now.items()} == {
            key: row["status"] for key, row in before.items()
        }
        assert not endings()
        synced.simulator.company.employments.update(everybody)
        assert synced.again().status == "applied"
        assert people() == before
    synced.simulator.company.employments.clear()
    synced.simulator.company.employments.update(everybody)


@pytest.mark.slow
@pytest.mark.parametrize(("hours", "held_at"), [(4, 4), (30, 5)])
def test_s21_slow_leak_below_the_limit_is_held(
    monkeypatch: pytest.MonkeyPatch, hours: int, held_at: int
) -> None:
    monkeypatch.setattr(paging, "PAGE_SIZE", 100)
    with company(size=400, awkward=False) as simulator:
        synced = Synced(simulator)
        assert synced.first().status == "applied"
        rows = somebody(count=40)
        statuses, reason = [], ""
        for cycle in range(7):
            for row in rows[cycle * 4 : cycle * 4 + 4]:
                simulator.terminate(row["remote_id"], TODAY - timedelta(days=1))
                simulator.archive(row["remote_id"])
            report = synced.again(minutes=60 * hours)
            statuses.append(report.status)
            reason = reason or report.held_reason
            if report.status == "held":
                break
        assert statuses == ["applied"] * (len(statuses) - 1) + ["held"]
        assert len(statuses) <= held_at + 1
        assert ("24 hours" if hours == 4 else "7 days") in reason
        held_apply(
            SyncRun.objects.get(pk=report.sync_run_id), actor=None, reason="Yes", now=synced.now
        )
        assert synced.again().status == "applied"
