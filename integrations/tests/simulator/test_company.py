"""The generator: stable, complete, awkward where it should be."""

import json
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from integrations.simulator.company import Company, build_company
from integrations.simulator.vocabulary import Record
from integrations.tests.simulator.conftest import TODAY

PERSONAS = {
    "hr-admin@acme.test": "Head of People",
    "it-lead@acme.test": "IT Lead",
    "french-hr-lead@acme.test": "HR lead France",
    "manager@acme.test": "VP Engineering",
    "employee@acme.test": "Software Engineer",
    "french-employee@acme.test": "Data Engineer",
}
REQUIRED = [
    "id",
    "company_id",
    "full_name",
    "type",
    "status",
    "employment_model",
    "employment_lifecycle_stage",
    "job_title",
    "work_email",
    "login_email",
    "personal_email",
    "country",
    "manager_email",
    "manager_employment_id",
    "personal_details",
    "address_details",
    "administrative_details",
    "billing_address_details",
    "emergency_contact_details",
    "work_address_details",
    "contract_details",
    "bank_account_details",
    "files",
    "onboarding_tasks",
    "pricing_plan_details",
    "eligible_for_onboarding_cancellation",
    "created_at",
    "updated_at",
]
STATUSES = [
    "active",
    "created",
    "pre_hire",
    "created_awaiting_reserve",
    "created_reserve_paid",
    "initiated",
    "invited",
    "pending",
    "review",
    "job_title_review",
    "pending_post_self_enrollment_actions",
    "offboarding",
    "archived",
]
TYPES = ["employee", "contractor", "direct_employee", "global_payroll_employee"]


def everything(company: Company) -> str:
    return json.dumps([company.employments, vars(company.endings), company.custom_fields])


def email_rows(company: Company, email: str) -> list[Record]:
    return [row for row in company.employments.values() if row["work_email"] == email]


@pytest.mark.parametrize("size", [8, 40, 200])
def test_company_is_the_same_for_a_seed(size: int) -> None:
    assert everything(build_company(size, 7, TODAY)) == everything(build_company(size, 7, TODAY))
    assert len(build_company(size, 7, TODAY).employments) == size


def test_company_differs_between_seeds() -> None:
    first, second = build_company(40, 7, TODAY), build_company(40, 8, TODAY)
    assert not set(first.employments) & set(second.employments)
    assert first.id != second.id


def test_company_keeps_ids_when_it_grows() -> None:
    small, large = build_company(40, 7, TODAY), build_company(200, 7, TODAY)
    assert list(large.employments)[:40] == list(small.employments)


@pytest.mark.slow
def test_company_of_twenty_thousand_is_built() -> None:
    company = build_company(20_000, 7, TODAY)
    addresses = [row["work_email"] for row in company.employments.values() if row["work_email"]]
    assert len({address.strip().lower() for address in addresses}) == len(addresses) - 2


@pytest.mark.parametrize("size", [8, 40])
@pytest.mark.parametrize("awkward", [True, False])
def test_company_has_the_people_the_demo_names(size: int, awkward: bool) -> None:
    company = build_company(size, 3, TODAY, awkward=awkward)
    titles = {row["work_email"]: row["job_title"] for row in company.employments.values()}
    assert titles.items() >= PERSONAS.items()
    (manager,) = email_rows(company, "manager@acme.test")
    (employee,) = email_rows(company, "employee@acme.test")
    assert employee["manager_employment_id"] == manager["id"]
    sas = next(row["id"] for row in company.legal_entities if row["name"] == "Acme SAS")
    for email in ("french-hr-lead@acme.test", "french-employee@acme.test"):
        assert email_rows(company, email)[0]["engaged_by_legal_entity_id"] == sas


@pytest.mark.parametrize("today", [TODAY, date(2028, 2, 29), date(2027, 2, 27), date(2026, 12, 31)])
def test_company_has_dates_close_to_today(today: date) -> None:
    company = build_company(40, 3, today)
    soon = {(today + timedelta(days=days)).isoformat() for days in range(1, 15)}
    rows = company.employments.values()
    assert any(row["provisional_start_date"] in soon for row in rows)
    assert any(row["termination_date"] in soon for row in company.endings.offboardings_v2.values())
    birthdays = {(row["personal_details"] or {}).get("birthdate", "")[5:] for row in rows}
    assert birthdays & {day[5:] for day in soon}


def manager_of(company: Company, row: Record) -> Record | None:
    return company.employments.get(row["manager_employment_id"] or "")


def is_in_cycle(company: Company, row: Record) -> bool:
    boss = manager_of(company, row)
    return boss is not None and boss is not row and manager_of(company, boss) is row


def details(row: Record) -> Record:
    return row["personal_details"] or {}


def live_and_ended_share_an_address(company: Company, row: Record) -> bool:
    rows = email_rows(company, row["work_email"])
    return (
        {r["status"] for r in rows} == {"active", "archived"}
        and {r["type"] for r in rows} == {"contractor", "employee"}
    )  # fmt: skip


SHAPES: dict[str, Callable[[Company, Record], bool]] = {
    "null object": lambda c, r: r["address_details"] is None,
    "partial tasks": lambda c, r: len(r["onboarding_tasks"]) < 9,
    "null seniority": lambda c, r: r["seniority_date"] is None,
    "naive timestamp": lambda c, r: not r["updated_at"].endswith("Z"),
    "contractor model": lambda c, r: r["employment_model"] == "contractor",
    "no work email": lambda c, r: r["work_email"] is None,
    "upper-case email": lambda c, r: (r["work_email"] or "").isupper(),
    "padded email": lambda c, r: (r["work_email"] or "x").strip() != (r["work_email"] or "x"),
    "manager by email only": lambda c, r: bool(r["manager_email"])
    and r["manager_employment_id"] is None,
    "manager by user only": lambda c, r: bool(r["manager_id"])
    and not r["manager_email"]
    and not r["manager_employment_id"],
    "self manager": lambda c, r: r["manager_employment_id"] == r["id"],
    "manager cycle": is_in_cycle,
    "unknown manager": lambda c, r: bool(r["manager_employment_id"])
    and manager_of(c, r) is None,
    "unknown type": lambda c, r: r["type"] not in TYPES,
    "unknown status": lambda c, r: r["status"] not in STATUSES,
    "null country": lambda c, r: r["country"] is None,
    "archived": lambda c, r: r["status"] == "archived" and r["user_status"] == "inactive",
    "cancelled onboarding": lambda c, r: r["status"] == "archived"
    and r["user_status"] == "cancelled"
    and r["provisional_start_date"] > c.today.isoformat(),
    "pre-hire": lambda c, r: r["status"] == "pre_hire",
    "offboarding with date": lambda c, r: r["status"] == "offboarding"
    and bool(c.endings.termination_date(r["id"])),
    "confidential offboarding": lambda c, r: c.endings.offboardings_v2.get(r["id"], {}).get(
        "confidential", False
    ),
    "earlier last working day": lambda c, r: r["id"] in c.endings.direct
    and c.endings.direct[r["id"]]["last_working_day"]
    < c.endings.direct[r["id"]]["termination_date"],
    "contractor of record": lambda c, r: bool(r["expiration_date"]) and r["id"] in c.endings.cor,
    "service duration": lambda c, r: "expiration_date"
    in r["contract_details"].get("service_duration", {}),
    "fixed term": lambda c, r: bool(r["contract_details"].get("contract_end_date")),
    "two employments": live_and_ended_share_an_address,
    "rehire": lambda c, r: len(email_rows(c, r["work_email"])) == 2 and r["type"] == "employee"
    and r["status"] == "archived",
    "29 February": lambda c, r: details(r).get("birthdate", "").endswith("02-29"),
    "no personal details": lambda c, r: r["personal_details"] is None,
    "date_of_birth": lambda c, r: "date_of_birth" in details(r),
    "birthdate only": lambda c, r: set(details(r)) == {"birthdate"},
}  # fmt: skip


@pytest.mark.parametrize("size", [30, 40])
@pytest.mark.parametrize("shape", SHAPES)
def test_company_shows_every_awkward_shape(shape: str, size: int) -> None:
    company = build_company(size, 11, TODAY)
    assert any(SHAPES[shape](company, row) for row in company.employments.values())


@pytest.mark.parametrize("size", [8, 40, 200])
def test_strict_company_keeps_to_the_contract(size: int) -> None:
    company = build_company(size, 5, TODAY, strict=True)
    for row in company.employments.values():
        assert set(REQUIRED) <= set(row)
        assert row["type"] in TYPES
        assert row["status"] in STATUSES
        assert row["employment_model"] in ("eor", "peo", "global_payroll", None)
        assert len(row["onboarding_tasks"]) == 9
        assert row["updated_at"].endswith("Z")
        nullable = {"manager_email", "manager_employment_id", "employment_model", "country"}
        assert [key for key in REQUIRED if row[key] is None and key not in nullable] == []
    rows = list(company.employments.values())
    assert size < 30 or any(is_in_cycle(company, row) for row in rows)


def test_plain_company_has_no_oddities() -> None:
    company = build_company(60, 5, TODAY, awkward=False)
    for row in company.employments.values():
        assert row["work_email"] == row["work_email"].strip().lower()
        assert row["country"]
        assert not is_in_cycle(company, row)
        assert row["manager_employment_id"] != row["id"]
        assert row["manager_employment_id"] is None or manager_of(company, row)


def test_managers_lead_up_to_the_chief_executive() -> None:
    company = build_company(300, 5, TODAY, awkward=False)
    for row in company.employments.values():
        steps, boss = 0, manager_of(company, row)
        while boss is not None:
            steps, row = steps + 1, boss
            boss = manager_of(company, row)
            assert steps < 10
        assert row["job_title"] == "Chief Executive Officer"
