"""Where live answers differ from the documented ones, written onto a tidy record.

Two layers: what the vendor's schema still allows (mail written oddly, managers that lead nowhere)
is applied in strict companies too; what breaks the schema only in the others.
"""

from collections.abc import Callable

from integrations.simulator.cast import Part
from integrations.simulator.dice import Dice, stable_id
from integrations.simulator.records import Identity
from integrations.simulator.vocabulary import Record

_FULL_DETAILS = frozenset(("hr-admin", "it-lead", "french-hr-lead", "manager", "employee"))
_BLOCKS = (
    "address_details",
    "administrative_details",
    "billing_address_details",
    "emergency_contact_details",
)


def _padded_email(record: Record) -> None:
    record["work_email"] = f" {record['work_email']} "


def _upper_email(record: Record) -> None:
    record["work_email"] = record["work_email"].upper()


def _manager_email_only(record: Record) -> None:
    record["manager_employment_id"] = None
    record.pop("manager_id", None)


def _null_country(record: Record) -> None:
    record["country"] = None


def _no_email(record: Record) -> None:
    record["work_email"] = None
    record["basic_information"].pop("work_email", None)


def _unknown_type(record: Record) -> None:
    record["type"] = "talent_pool_member"


def _unknown_status(record: Record) -> None:
    record["status"] = "on_sabbatical"


_WITHIN_SCHEMA: dict[str, Callable[[Record], None]] = {
    "padded_email": _padded_email,
    "upper_email": _upper_email,
    "manager_email_only": _manager_email_only,
    "null_country": _null_country,
}
_AGAINST_SCHEMA: dict[str, Callable[[Record], None]] = {
    "no_email": _no_email,
    "unknown_type": _unknown_type,
    "unknown_status": _unknown_status,
}


def apply_oddities(
    record: Record, *, seed: int, index: int, part: Part, owner: Identity, strict: bool
) -> None:
    """Make one record awkward in place; `owner` is a user of the company without an employment."""
    for oddity in part.oddity.split():
        if oddity == "unknown_manager":
            record["manager"] = "Former Colleague"
            record["manager_employment_id"] = stable_id(seed, "nobody")
            record["manager_email"] = None
            record.pop("manager_id", None)
        elif oddity == "manager_user_only":
            record["manager"] = owner.full_name
            record["manager_id"] = owner.user_id
            record["manager_employment_id"] = record["manager_email"] = None
        elif oddity in _WITHIN_SCHEMA:
            _WITHIN_SCHEMA[oddity](record)
        elif oddity in _AGAINST_SCHEMA and not strict:
            _AGAINST_SCHEMA[oddity](record)
    if not strict:
        _loosen(record, seed=seed, index=index, part=part)


def _loosen(record: Record, *, seed: int, index: int, part: Part) -> None:
    """Nulls, missing zones and free-form blocks, as public captures of live answers show them."""
    dice = Dice(seed, "loosen", index)
    record.setdefault("manager", None)
    record.setdefault("manager_id", None)
    record["seniority_date"] = record["probation_period_end_date"] = None
    if record["type"] == "contractor":
        record["employment_model"] = "contractor"
    if index % 2:
        record["created_at"] = record["created_at"].removesuffix("Z")
        record["updated_at"] = record["updated_at"].removesuffix("Z")
    if index % 3 == 0:
        for block in _BLOCKS:
            record[block] = None
        record["onboarding_tasks"] = dict(list(record["onboarding_tasks"].items())[: index % 9])
    if part.mailbox in _FULL_DETAILS or part.birthday_in is not None or part.birthdate is not None:
        return
    shape = dice.below(5) if index >= 12 else index % 5
    if shape == 0:
        record["personal_details"] = None
    elif shape == 1:
        record["personal_details"] = {"date_of_birth": record["personal_details"]["birthdate"]}
    elif shape == 2:
        record["personal_details"] = {"birthdate": record["personal_details"]["birthdate"]}
