"""A full employment record in the shape the vendor documents (schema `Employment`).

https://developer.remote.com/reference/get_show_employment
"""

from dataclasses import dataclass
from datetime import date, timedelta

from integrations.simulator.cast import Part, birthdate_of
from integrations.simulator.dice import Dice, stable_id
from integrations.simulator.vocabulary import ENTITY_COUNTRIES, PLACES, Record

_TYPES: dict[str, tuple[str, str | None, str | None]] = {
    "eor": ("employee", "eor", None),
    "payroll": ("global_payroll_employee", "global_payroll", None),
    "hris": ("direct_employee", None, None),
    "standard": ("contractor", None, "standard"),
    "plus": ("contractor", None, "plus"),
    "cor": ("contractor", None, "cor"),
}
_STATES: dict[str, tuple[str, str, str]] = {
    "active": ("active", "onboarded", "active"),
    "created": ("created", "employment_creation", "created"),
    "invited": ("invited", "employee_self_enrollment", "initiated"),
    "pre_hire": ("pre_hire", "remote_enrollment", "initiated"),
    "offboarding": ("offboarding", "onboarded", "active"),
    "archived": ("archived", "offboarded", "inactive"),
    "cancelled": ("archived", "employment_creation", "cancelled"),
}
_TASKS = (
    "address_details",
    "administrative_details",
    "bank_account_details",
    "billing_address_details",
    "contract_details",
    "emergency_contact_details",
    "employment_document_details",
    "personal_details",
    "pricing_plan_details",
)
_COUNTRIES = {code: place.as_country() for code, place in PLACES.items()}


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same when one person has two employments, and the employment's own id."""

    employment_id: str
    user_id: str
    full_name: str
    work_email: str
    personal_email: str


@dataclass(frozen=True, slots=True)
class House:
    """The company's own ids a record points to."""

    seed: int
    company_id: str
    today: date
    entity_ids: dict[str, str]
    department_ids: dict[str, str]

    @property
    def default_entity_id(self) -> str:
        return self.entity_ids["USA"]


def country_object(code: str) -> Record:
    """The vendor's country object for an alpha-3 code. Raises KeyError for an unknown one."""
    return dict(_COUNTRIES[code])


def seniority_of(title: str) -> str:
    """A seniority word from a job title, as the vendor's job levels name them."""
    words = title.split()
    if words[0] in ("Chief", "VP"):
        return "Executive"
    if words[0] in ("Head", "General") or words[-1] == "Director":
        return "Director"
    if words[0] in ("Senior", "Staff", "Group"):
        return "Senior"
    return "Lead" if "lead" in title.lower() else "Mid"


def employment_record(
    house: House, *, index: int, part: Part, who: Identity, boss: Identity | None
) -> Record:
    """One complete record; every value satisfies the vendor's schema."""
    dice = Dice(house.seed, "record", index if part.same_as is None else part.same_as)
    kind, model, contractor_type = _TYPES[part.kind]
    status, stage, user_status = _STATES[part.state]
    start = house.today + timedelta(days=part.start)
    created = min(start - timedelta(days=21), house.today - timedelta(days=2))
    entity = _entity_id(house, part)
    born = birthdate_of(part, dice, house.today)
    record: Record = {
        "id": who.employment_id,
        "short_id": who.employment_id[:6].upper(),
        "company_id": house.company_id,
        "external_id": None,
        "partner_external_id": None,
        "full_name": who.full_name,
        "job_title": part.title,
        "login_email": who.work_email if dice.below(3) else who.personal_email,
        "personal_email": who.personal_email,
        "work_email": who.work_email,
        "user_id": who.user_id,
        "department": part.team,
        "department_id": house.department_ids[part.team],
        "country": _COUNTRIES[part.country],
        "type": kind,
        "employment_model": model,
        "contractor_type": contractor_type,
        "contractor_settings": {"requires_work_confirmation": False} if contractor_type else None,
        "contractor_rate": None,
        "status": status,
        "employment_lifecycle_stage": stage,
        "user_status": user_status,
        "provisional_start_date": start.isoformat(),
        "seniority_date": start.isoformat(),
        "probation_period_end_date": (start + timedelta(days=90)).isoformat(),
        "expiration_date": None,
        "engaged_by_legal_entity_id": entity,
        "bill_to_legal_entity_id": entity,
        "active_contract_id": stable_id(house.seed, "contract", index),
        "eligible_for_onboarding_cancellation": stage not in ("onboarded", "offboarded"),
        "pricing_plan_details": {"frequency": "annually" if kind == "employee" else "monthly"},
        "onboarding_tasks": _onboarding_tasks(done=stage in ("onboarded", "offboarded")),
        "bank_account_details": [],
        "files": [],
        "created_at": f"{created.isoformat()}T09:{dice.below(60):02}:00Z",
        "updated_at": f"{(house.today - timedelta(days=1)).isoformat()}T16:{dice.below(60):02}:00Z",
    }
    record.update(manager_fields(boss))
    record.update(_detail_blocks(part, who, born, start))
    if part.ending is not None:
        _plan_ending(record, part, house.today + timedelta(days=part.ending.days))
    return record


def manager_fields(boss: Identity | None) -> Record:
    """The four ways a record names its manager, complete; without one the names are left out."""
    if boss is None:
        return {"manager_email": None, "manager_employment_id": None}
    return {
        "manager": boss.full_name,
        "manager_email": boss.work_email,
        "manager_employment_id": boss.employment_id,
        "manager_id": boss.user_id,
    }


def _entity_id(house: House, part: Part) -> str:
    # Live data points people employed through Remote, and contractors, at the customer's default
    # entity whatever their country: Remote's local employer is not exposed.
    own = part.kind in ("payroll", "hris") and part.country in ENTITY_COUNTRIES
    return house.entity_ids[part.country] if own else house.default_entity_id


def _onboarding_tasks(*, done: bool) -> Record:
    state = "completed" if done else "pending"
    return {
        name: {"description": name.replace("_", " ").capitalize(), "status": state}
        for name in _TASKS
    }


def _detail_blocks(part: Part, who: Identity, born: date, start: date) -> Record:
    place = PLACES[part.country]
    address = {"address": "1 Example Street", "city": place.city, "country": place.alpha_3}
    return {
        "basic_information": {
            "name": who.full_name,
            "job_title": part.title,
            "provisional_start_date": start.isoformat(),
            "work_email": who.work_email,
            "login_email": "work",
        },
        "personal_details": {
            "given_name": part.given,
            "surname": part.surname,
            "preferred_name": part.given,
            "birthdate": born.isoformat(),
        },
        "address_details": address | {"postal_code": "00000"},
        "work_address_details": dict(address),
        "billing_address_details": dict(address),
        "administrative_details": {"language": "en", "currency": place.currency},
        "emergency_contact_details": {},
        "contract_details": _contract_details(part, place.currency),
    }


def _contract_details(part: Part, currency: str) -> Record:
    if part.kind in ("standard", "plus", "cor"):
        return {
            "services_and_deliverables": f"{part.title} services",
            "service_duration": {},
            "payment_terms": {"invoicing_frequency": "monthly", "currency": currency},
        }
    return {
        "contract_duration_type": "indefinite",
        "contract_end_date": None,
        "experience_level": f"{seniority_of(part.title)} level",
        "annual_gross_salary": 0,
        "currency": currency,
        "role_description": f"{part.title} in the {part.team} team",
        "work_schedule": "full_time",
        "work_hours_per_week": 40,
        "work_from_home_allowance": False,
        "has_signing_bonus": "no",
        "available_pto": 25,
    }


def _plan_ending(record: Record, part: Part, end: date) -> None:
    """Write the endings which the service keeps on the record itself."""
    kind = part.ending.kind if part.ending else ""
    if kind == "cor":
        record["expiration_date"] = end.isoformat()
    elif kind == "service":
        record["contract_details"]["service_duration"] = {
            "provisional_start_date": record["provisional_start_date"],
            "expiration_date": end.isoformat(),
        }
    elif kind == "fixed":
        record["contract_details"]["contract_duration_type"] = "fixed"
        record["contract_details"]["contract_end_date"] = end.isoformat()
