"""The projection of one payload: each field, each table, and no value that breaks it."""

from __future__ import annotations

import json
import string
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.connectors.remote.lookups import (
    Lookups,
    entities_by_id,
    leavings_by_employment,
    managers_by_user,
    read_cor,
    read_direct,
    read_offboarding,
)
from integrations.connectors.remote.mapping import to_record
from integrations.connectors.remote.vocabulary import WAITING_STATUSES
from integrations.tests.connectors.remote.fakes import person
from people.records import SkippedRecord, WorkerRecord

TODAY = date(2026, 5, 10)
ID = person()["id"]
ENTITIES = entities_by_id([{"id": "e-1", "name": "Acme SAS", "country_code": "FRA"}])
MANAGERS = managers_by_user([{"user_id": "u-1", "user_email": "Owner@Acme.test"}])


def record(*leavings: Any, **changes: Any) -> WorkerRecord:
    lookups = Lookups(
        leavings=leavings_by_employment(leavings), managers=MANAGERS, entities=ENTITIES
    )
    found = to_record(person(**changes), source="remote", lookups=lookups, today=TODAY)
    assert isinstance(found, WorkerRecord)
    return found


def v2(**changes: Any) -> Any:
    row = {
        "id": "o-1",
        "employment_id": ID,
        "type": "resignation",
        "status": "in_review",
        "termination_date": None,
        "inserted_at": "2026-05-01T10:00:00",
        "request": None,
    }
    return read_offboarding(row | changes)


def direct(**changes: Any) -> Any:
    row = {"employment_id": ID, "type": "termination", "status": "in_review"}
    return read_direct(row | changes)


def cor(**changes: Any) -> Any:
    return read_cor({"employment_id": ID, "status": "initiated", **changes})


def test_record_full_payload_gives_every_field() -> None:
    assert record() == WorkerRecord(
        source="remote",
        external_id=ID,
        display_id="P00001",
        work_email="person1@acme.test",
        personal_email="p1@home.test",
        full_name="Person 1",
        preferred_name="Pat",
        job_title="Engineer",
        seniority="Level 4 - Mid level",
        team="Platform",
        country="PRT",
        legal_entity="Acme SAS",
        legal_entity_id="e-1",
        worker_type="eor_employee",
        worker_type_raw="employee/eor",
        contract_type="Indefinite, full time",
        contract_status="active",
        contract_status_raw="active",
        start_date=date(2024, 3, 1),
        date_of_birth=date(1990, 2, 28),
        probation_end_date=date(2024, 6, 1),
        manager_external_id="m-1",
        manager_email="mona@acme.test",
        manager_user_email="owner@acme.test",
        manager_name="Mona Manager",
    )


@pytest.mark.parametrize("value", ["not an address", 7, ["a@b.test"]])
def test_personal_email_that_is_none_is_left_out_and_never_quoted(value: Any) -> None:
    found = record(personal_email=value)
    assert found.personal_email == ""
    (note,) = [note for note in found.notes if "personal_email" in note]
    assert "not an address" not in note


def test_record_keeps_no_bank_salary_or_address() -> None:
    data = record().to_data()
    assert data.pop("personal_email") == "p1@home.test"
    text = json.dumps(data)
    assert "SECRET" not in text
    assert "987654321" not in text
    assert "home.test" not in text


@pytest.mark.parametrize(
    ("kind", "model", "contractor", "expected", "contract", "flagged"),
    [
        ("employee", "eor", None, "eor_employee", "Indefinite, full time", False),
        ("employee", None, None, "eor_employee", "Indefinite, full time", False),
        ("employee", "peo", None, "direct_employee", "Indefinite, full time", False),
        ("employee", "brand_new", None, "other", "Indefinite, full time", True),
        ("global_payroll_employee", "global_payroll", None, "direct_employee", None, False),
        ("direct_employee", None, None, "direct_employee", None, False),
        ("direct_employee", "brand_new", None, "direct_employee", None, True),
        ("contractor", "contractor", "standard", "contractor", "Contractor (Standard)", False),
        ("contractor", None, "plus", "contractor", "Contractor (Plus)", False),
        ("contractor", "contractor", "cor", "contractor", "Contractor (COR)", False),
        ("contractor", "contractor", None, "contractor", "Contractor", False),
        ("contractor", "contractor", "gold", "contractor", "Contractor (gold)", False),
        ("director", "eor", None, "other", None, True),
        (None, None, None, "other", None, True),
        (7, ["x"], None, "other", None, True),
    ],
)
def test_worker_type_follows_the_table(
    kind: Any, model: Any, contractor: Any, expected: str, contract: str | None, flagged: bool
) -> None:
    found = record(type=kind, employment_model=model, contractor_type=contractor)
    assert found.worker_type == expected
    assert contract is None or found.contract_type == contract
    assert ("unknown_worker_type" in found.problems) is flagged


@pytest.mark.parametrize(
    ("status", "start", "expected"),
    [
        ("active", "2026-05-10", "active"),
        ("active", "2026-05-11", "upcoming"),
        ("active", None, "active"),
        ("offboarding", "2024-01-01", "active"),
        ("archived", "2024-01-01", "ended"),
        ("deleted", "2024-01-01", "ended"),
        *((status, "2024-01-01", "upcoming") for status in sorted(WAITING_STATUSES)),
        ("on_sabbatical", "2024-01-01", "active"),
        ("on_sabbatical", "2026-06-01", "upcoming"),
        (None, "2024-01-01", "active"),
    ],
)
def test_status_follows_the_table(status: Any, start: Any, expected: str) -> None:
    found = record(status=status, provisional_start_date=start)
    assert found.contract_status == expected
    assert found.offboarding is (status == "offboarding")
    assert ("unknown_status" in found.problems) is (status in {None, "on_sabbatical"})
    assert ("no_start_date" in found.problems) is (start is None)


@pytest.mark.parametrize(
    ("changes", "leavings", "end", "source", "contract_end"),
    [
        ({"termination_date": "2026-06-30"}, [], "2026-06-30", "termination date", None),
        (
            {"termination_date": "2026-07-01"},
            [v2(termination_date="2026-06-30")],
            "2026-07-01",
            "termination date",
            None,
        ),
        (
            {},
            [
                v2(
                    termination_date="2026-06-30",
                    request={"proposed_last_working_day": "2026-06-01"},
                )
            ],
            "2026-06-30",
            "termination date of the offboarding",
            None,
        ),
        (
            {},
            [v2(request={"proposed_last_working_day": "2026-06-01"})],
            "2026-06-01",
            "proposed last working day of the offboarding",
            None,
        ),
        (
            {},
            [v2(proposed_termination_date="2026-06-02", status="submitted", type="termination")],
            "2026-06-02",
            "proposed termination date of the offboarding",
            None,
        ),
        (
            {"termination_date": "2026-06-30"},
            [direct(last_working_day="2026-06-15", termination_date="2026-06-30")],
            "2026-06-15",
            "last working day of the offboarding",
            "2026-06-30",
        ),
        (
            {},
            [direct(last_working_day="2026-06-15", termination_date="2026-06-15")],
            "2026-06-15",
            "last working day of the offboarding",
            None,
        ),
        (
            {},
            [direct(termination_date="2026-06-30")],
            "2026-06-30",
            "termination date of the offboarding",
            None,
        ),
        (
            {"expiration_date": "2027-01-01"},
            [cor(termination_date="2026-06-30", employment_deactivation_date="2026-07-01")],
            "2026-06-30",
            "termination date of the contractor of record",
            None,
        ),
        (
            {},
            [cor(employment_deactivation_date="2026-07-01")],
            "2026-07-01",
            "termination date of the contractor of record",
            None,
        ),
        ({"expiration_date": "2027-01-01"}, [], "2027-01-01", "planned end of service", None),
        (
            {"contract_details": {"service_duration": {"expiration_date": "2027-01-02"}}},
            [],
            "2027-01-02",
            "planned end of service",
            None,
        ),
        (
            {
                "contract_details": {
                    "contract_duration_type": "fixed",
                    "contract_end_date": "2027-01-03T00:00:00",
                }
            },
            [],
            "2027-01-03",
            "end date of the contract",
            None,
        ),
        (
            {
                "contract_details": {
                    "contract_duration_type": "indefinite",
                    "contract_end_date": "2027-01-03",
                }
            },
            [],
            None,
            "",
            None,
        ),
        # The newest offboarding counts.
        (
            {},
            [
                v2(termination_date="2026-06-30", inserted_at="2026-05-01T10:00:00"),
                v2(termination_date="2026-07-31", inserted_at="2026-05-02T10:00:00"),
            ],
            "2026-07-31",
            "termination date of the offboarding",
            None,
        ),
    ],
)
def test_end_date_is_taken_in_order(
    changes: dict[str, Any], leavings: list[Any], end: str, source: str, contract_end: str
) -> None:
    found = record(*leavings, **changes)
    assert found.end_date == (date.fromisoformat(end) if end else None)
    assert found.end_date_source == source
    assert found.contract_end_date == (date.fromisoformat(contract_end) if contract_end else None)
    assert found.offboarding is bool(leavings)
    assert found.problems == ()


@pytest.mark.parametrize("word", ["canceled", "cancelled", "rejected"])
def test_end_date_withdrawn_offboarding_counts_for_nothing(word: str) -> None:
    gone = [
        v2(status=word, termination_date="2026-06-30"),
        direct(status=word, last_working_day="2026-06-15"),
        cor(status=word, termination_date="2026-06-30"),
    ]
    found = record(*gone, termination_date="2026-06-30")
    assert found.end_date is None
    assert not found.offboarding
    # A date of its own on the record is not the withdrawn one.
    assert record(*gone, termination_date="2026-08-01").end_date == date(2026, 8, 1)


@pytest.mark.parametrize("kind", ["conversion", "relocation", "transfer", "cancellation"])
def test_end_date_moves_are_no_leavings(kind: str) -> None:
    move = v2(type=kind, termination_date="2026-06-30")
    found = record(move, status="offboarding", termination_date="2026-06-30")
    assert (found.end_date, found.offboarding) == (None, False)
    assert found.contract_end_date == date(2026, 6, 30)
    assert any("no leaving" in note for note in found.notes)
    leaver = record(move, v2(termination_date="2026-07-31"))
    assert leaver.end_date == date(2026, 7, 31)


def test_end_date_first_version_tells_moves_by_reason() -> None:
    row = {"type": "resignation", "resignation_reason": "conversion_to_contractor"}
    found = record(v2(**row, proposed_last_working_day="2026-06-30"))
    assert found.end_date is None
    leaver = {"type": "resignation", "resignation_reason": "other_job_opportunity"}
    assert record(v2(**leaver, proposed_last_working_day="2026-06-30")).end_date is not None


def test_end_date_unknown_offboarding_status_trusts_confirmed_dates_only() -> None:
    proposed = v2(status="mystery", request={"proposed_last_working_day": "2026-06-01"})
    found = record(proposed)
    assert found.end_date is None
    assert {"unknown_status", "no_end_date"} <= set(found.problems)
    assert record(v2(status="mystery", termination_date="2026-06-01")).end_date is not None


def test_end_date_archived_without_date_is_inferred() -> None:
    found = record(status="archived", employment_lifecycle_stage="offboarded")
    assert found.end_date is None
    assert found.end_date_source == "inferred"
    assert found.problems == ("end_date_inferred",)
    plan = {"contract_duration_type": "fixed", "contract_end_date": "2027-01-01"}
    early = record(
        status="archived", employment_lifecycle_stage="offboarded", contract_details=plan
    )
    assert early.end_date_source == "inferred"


def test_offboarding_without_date_is_flagged() -> None:
    found = record(status="offboarding")
    assert found.offboarding
    assert found.problems == ("no_end_date",)


@pytest.mark.parametrize(
    ("changes", "leavings", "expected"),
    [
        ({"employment_lifecycle_stage": "contract_signing"}, [], True),
        ({"user_status": "cancelled"}, [], True),
        ({"provisional_start_date": "2026-06-01"}, [], True),
        ({}, [v2(type="cancellation", status="completed")], True),
        ({"employment_lifecycle_stage": "offboarded", "user_status": "inactive"}, [], False),
        ({"employment_lifecycle_stage": "onboarded", "user_status": "created"}, [], False),
        (
            {"employment_lifecycle_stage": "contract_signing"},
            [v2(termination_date="2026-04-30", status="completed")],
            False,
        ),
    ],
)
def test_never_started_needs_evidence(
    changes: dict[str, Any], leavings: list[Any], expected: bool
) -> None:
    found = record(*leavings, status="archived", **changes)
    assert found.never_started is expected
    assert found.contract_status == "ended"
    if expected:
        assert found.end_date_source != "inferred"


def test_never_started_is_for_ended_only() -> None:
    assert not record(status="invited", employment_lifecycle_stage="contract_signing").never_started


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("2026-05-10", date(2026, 5, 10)),
        ("2026-05-10T23:59:59", date(2026, 5, 10)),
        ("2026-05-10T00:00:00Z", date(2026, 5, 10)),
        ("2026-05-10 08:00:00.123456+02:00", date(2026, 5, 10)),
        ("2024-02-29", date(2024, 2, 29)),
        ("", None),
        (None, None),
    ],
)
def test_date_texts_are_read(raw: Any, expected: date | None) -> None:
    found = record(probation_period_end_date=raw)
    assert found.probation_end_date == expected
    assert found.problems == ()


@pytest.mark.parametrize(
    "raw",
    [
        "0000-00-00",
        "2026-02-30",
        "1899-12-31",
        "9999-12-31",
        "2026-W18-5",
        "20260510",
        "10/05/2026",
        "٢٠٢٦-٠٥-١٠",
        "2026-05-10Tnoon",
        "2026-05-10" + "0" * 100_000,
        20260510,
        True,
        {"year": 2026},
        ["2026-05-10"],
    ],
)
def test_date_unreadable_is_flagged_with_field_and_value(raw: Any) -> None:
    found = record(probation_period_end_date=raw)
    assert found.probation_end_date is None
    assert found.problems == ("bad_value",)
    assert "probation_period_end_date" in found.notes[0]
    assert len(found.notes[0]) < 200


def test_date_of_birth_is_never_quoted() -> None:
    found = record(personal_details={"birthdate": "31.12.1990", "date_of_birth": "1990-12-31"})
    assert found.date_of_birth == date(1990, 12, 31)
    assert "1990" not in "".join(found.notes)
    future = record(personal_details={"birthdate": "2090-12-31"})
    assert future.date_of_birth is None
    assert future.problems == ("bad_value",)


def test_end_date_before_start_is_flagged_and_kept() -> None:
    found = record(termination_date="2024-02-01")
    assert found.end_date == date(2024, 2, 1)
    assert found.problems == ("bad_value",)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("  Jane.Doe@Acme.TEST ", "jane.doe@acme.test"),
        ("ｊane＠acme.test", "jane@acme.test"),
        ("jane@acme.test\u00a0", "jane@acme.test"),
        ("\u200ejane+x@acme.test\u200b", "jane+x@acme.test"),
        ("jane", ""),
        ("a@acme.test, b@acme.test", ""),
        ("İ@acme.test", ""),
        ("j" * 300 + "@acme.test", ""),
        ("jane@acme.test\x00", ""),
        (5, ""),
    ],
)
def test_work_email_is_one_spelling_or_missing(raw: Any, expected: str) -> None:
    found = record(work_email=raw, basic_information=None)
    assert found.work_email == expected
    assert found.problems == (() if expected else ("bad_value",))


def test_work_email_is_never_the_login() -> None:
    assert record(work_email=None, basic_information=None).work_email == ""
    basic = {"work_email": "jane@acme.test"}
    assert record(work_email=None, basic_information=basic).work_email == "jane@acme.test"


@pytest.mark.parametrize(
    ("raw", "expected", "flagged"),
    [
        ({"code": "PRT"}, "PRT", False),
        ({"code": None, "alpha_2_code": "fr"}, "FRA", False),
        ({"code": "XKX"}, "XKX", False),
        ({"code": "ZZZ", "alpha_2_code": "ZZ"}, "", True),
        ("DEU", "DEU", False),
        (None, "", False),
        ([], "", False),
    ],
)
def test_country_is_alpha_3(raw: Any, expected: str, flagged: bool) -> None:
    found = record(country=raw)
    assert found.country == expected
    assert ("unknown_country" in found.problems) is flagged


def test_text_is_cleaned_cut_and_said_so() -> None:
    found = record(
        full_name="Zoë\x00 \ud800O’Brien\n👩\u200d💻",
        job_title="x" * 100_000,
        manager=None,
        department="",
    )
    assert found.full_name == "Zoë O’Brien 👩\u200d💻"
    assert len(found.job_title) == 300
    assert found.problems == ("bad_value",)
    assert len(found.notes) == 2
    json.dumps(found.to_data()).encode()
    found.full_name.encode()


def test_entity_falls_back_to_the_billing_one_and_keeps_unknown_ids() -> None:
    assert record(engaged_by_legal_entity_id=None).legal_entity == "Acme SAS"
    unknown = record(engaged_by_legal_entity_id="e-9")
    assert (unknown.legal_entity, unknown.legal_entity_id) == ("", "e-9")


@pytest.mark.parametrize("raw", [None, "", 1.5, True, [], {}, "x" * 100_000, "a\x00b"])
def test_row_without_usable_id_is_skipped_with_a_reason(raw: Any) -> None:
    found = to_record(person(id=raw), source="remote", lookups=Lookups(), today=TODAY)
    assert isinstance(found, SkippedRecord)
    assert found.name == "Person 1"
    assert found.reason


_odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**5000, max_value=10**5001),
    st.floats(),
    st.text(st.characters(), max_size=40),
    st.sampled_from(
        [
            "x" * 100_000,
            "\ud800",
            "\x00",
            "‮evil",
            "👩‍💻" * 50,
            "archived",
            "offboarding",
            "0000-00-00",
            "2026-02-30",
            "9999-12-31",
            "a@b.c",
            string.printable,
        ]
    ),
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@st.composite
def _mutations(draw: st.DrawFn) -> Any:
    row: Any = person()
    for _ in range(draw(st.integers(1, 6))):
        target = row
        if draw(st.booleans()):
            nested = [key for key, value in row.items() if isinstance(value, dict)]
            target = row[draw(st.sampled_from(nested))] if nested else row
        key = draw(st.sampled_from(sorted(target))) if target else "extra"
        match draw(st.sampled_from(["drop", "set", "extend", "extra"])):
            case "drop":
                target.pop(key, None)
            case "set":
                target[key] = draw(_odd)
            case "extend" if isinstance(target.get(key), str):
                target[key] += "1"
            case _:
                target["new_key"] = draw(_odd)
    return row


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.one_of(_mutations(), _odd), st.lists(st.one_of(_odd, _mutations()), max_size=2))
def test_mutated_row_is_a_record_or_skipped_with_reason(row: Any, lists: list[Any]) -> None:
    leavings = [
        *map(read_offboarding, lists),
        *map(read_direct, lists),
        *map(read_cor, lists),
        read_offboarding({"employment_id": ID, "type": row, "status": row, "request": row}),
    ]
    lookups = Lookups(
        leavings=leavings_by_employment(leavings),
        managers=managers_by_user(lists),
        entities=entities_by_id(lists),
    )
    found = to_record(row, source="remote", lookups=lookups, today=TODAY)
    if isinstance(found, SkippedRecord):
        assert found.reason
        return
    json.dumps(found.to_data()).encode()
    for text in (value for value in found.to_data().values() if isinstance(value, str)):
        text.encode()
        assert "\x00" not in text
        assert len(text) <= 300
    assert all(len(note) < 400 for note in found.notes)
    assert found.worker_type in {"eor_employee", "direct_employee", "contractor", "other"}
    assert WorkerRecord.from_data(found.to_data()) == found
