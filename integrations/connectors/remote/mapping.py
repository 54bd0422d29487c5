"""One worker as Remote describes them → the neutral record. Pure; never raises on data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integrations.connectors.remote.endings import INFERRED, Ending, resolve_ending
from integrations.connectors.remote.payloads import Fields, Findings, read_country, shown
from integrations.connectors.remote.vocabulary import (
    CONTRACTOR_TYPES,
    DURATIONS,
    EMPLOYEE_MODELS,
    ENDED_STATUSES,
    KNOWN_MODELS,
    LIVE_STATUSES,
    SCHEDULES,
    STAGES_BEFORE_WORK,
    WAITING_STATUSES,
    WORKER_TYPES,
)
from people.choices import ContractStatus, Problem, WorkerType
from people.plan import UNSAID
from people.records import SkippedRecord, WorkerRecord

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from integrations.connectors.remote.lookups import Leaving, Lookups

_ENDED, _UPCOMING, _ACTIVE = (
    ContractStatus.ENDED.value,
    ContractStatus.UPCOMING.value,
    ContractStatus.ACTIVE.value,
)


def to_record(
    payload: Any, *, source: str, lookups: Lookups, today: date
) -> WorkerRecord | SkippedRecord:
    """Project a full record (bulk or show). ``today`` is the workspace's date.

    Bank, salary and address data are not read. Every row gives a record or a reason.
    """
    findings = Findings()
    fields = Fields(payload, findings)
    basic, personal = fields.nested("basic_information"), fields.nested("personal_details")
    external_id = fields.identifier("id")
    full_name = _full_name(fields, basic, personal)
    if not external_id:
        return SkippedRecord(
            external_id="",
            name=full_name,
            reason=f"Remote sent a worker without a usable id: {shown(fields.raw('id'))}.",
        )
    contract = fields.nested("contract_details")
    course = _course(
        fields, contract, lookups.leavings.get(external_id, ()), findings=findings, today=today
    )
    worker_type, worker_type_raw = _worker_type(fields, findings)
    entity_id = fields.identifier("engaged_by_legal_entity_id", 64) or fields.identifier(
        "bill_to_legal_entity_id", 64
    )
    manager_id = fields.identifier("manager_id")
    return WorkerRecord(
        source=source,
        external_id=external_id,
        display_id=fields.text("short_id", 32),
        work_email=fields.email("work_email") or basic.email("work_email"),
        personal_email=fields.email("personal_email", private=True),
        full_name=full_name,
        preferred_name=personal.text("preferred_name", 300)
        or personal.text("full_preferred_name", 300),
        job_title=fields.text("job_title", 300),
        seniority=_seniority(contract),
        team=fields.text("department"),
        country=_country(fields, findings),
        legal_entity=lookups.entities.get(entity_id, {}).get("name", ""),
        legal_entity_id=entity_id,
        worker_type=worker_type,
        worker_type_raw=worker_type_raw,
        contract_type=_contract_type(fields, contract, worker_type),
        contract_status=course.contract_status,
        contract_status_raw=fields.text("status", 60),
        start_date=course.start,
        end_date=course.ending.end_date,
        contract_end_date=course.ending.contract_end_date,
        end_date_source=course.end_source,
        date_of_birth=_date_of_birth(personal, findings, today),
        probation_end_date=fields.day("probation_period_end_date"),
        offboarding=course.offboarding,
        never_started=course.never_started,
        manager_external_id=fields.identifier("manager_employment_id"),
        manager_email=fields.email("manager_email"),
        manager_user_email=lookups.managers.get(manager_id, ""),
        manager_name=fields.text("manager", 300),
        problems=tuple(findings.problems),
        notes=tuple(findings.notes),
    )


def _full_name(fields: Fields, basic: Fields, personal: Fields) -> str:
    joined = f"{personal.text('given_name', 150)} {personal.text('surname', 150)}"
    return fields.text("full_name", 300) or basic.text("name", 300) or joined.strip()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Course:
    """When an employment begins and ends, and where it stands today."""

    start: date | None
    ending: Ending
    contract_status: str
    offboarding: bool
    never_started: bool
    end_source: str


def _course(
    fields: Fields,
    contract: Fields,
    leavings: Sequence[Leaving],
    *,
    findings: Findings,
    today: date,
) -> _Course:
    start = fields.day("provisional_start_date")
    status = fields.word("status")
    ending = resolve_ending(
        fields,
        contract,
        leavings,
        findings=findings,
        over=status in ENDED_STATUSES,
        under_way=status == "offboarding",
        today=today,
    )
    contract_status = _contract_status(status, start, today, findings)
    ended = contract_status == _ENDED
    never_started = ended and _never_started(fields, ending, start, today)
    offboarding = not ended and (ending.leaving or (status == "offboarding" and not ending.staying))
    end_source = _judge_dates(
        findings,
        ending,
        start,
        ended=ended and not never_started,
        live=not ended,
        offboarding=offboarding,
    )
    return _Course(
        start=start,
        ending=ending,
        contract_status=contract_status,
        offboarding=offboarding,
        never_started=never_started,
        end_source=end_source,
    )


def _contract_status(status: str, start: date | None, today: date, findings: Findings) -> str:
    if status in ENDED_STATUSES:
        return _ENDED
    if status in WAITING_STATUSES:
        return _UPCOMING
    if status not in LIVE_STATUSES:
        findings.add(
            Problem.UNKNOWN_STATUS,
            f"Remote's status {shown(status)} is not known here; the employment is kept as active.",
        )
    # "Active" in Remote means ready to start or started.
    return _UPCOMING if start is not None and start > today else _ACTIVE


def _never_started(fields: Fields, ending: Ending, start: date | None, today: date) -> bool:
    """A cancelled onboarding. In doubt no: a leaver taken for one would keep their access."""
    if fields.word("user_status") == "cancelled" or ending.cancels_start:
        return True
    if start is not None and start > today:
        return True
    worked = ending.leaving and ending.end_date and start and ending.end_date > start
    return fields.word("employment_lifecycle_stage") in STAGES_BEFORE_WORK and not worked


def _judge_dates(
    findings: Findings,
    ending: Ending,
    start: date | None,
    *,
    ended: bool,
    live: bool,
    offboarding: bool,
) -> str:
    """Flag what is missing or cannot be; returns the source of the end date in words."""
    if live and start is None:
        findings.add(Problem.NO_START_DATE, "Remote gives no start date for this employment.")
    if ending.end_date is None:
        if ended:
            findings.add(
                Problem.END_DATE_INFERRED,
                "Remote gives no end date for this ended employment; the day it was first seen as "
                "ended is used.",
            )
            return INFERRED
        if offboarding:
            findings.add(
                Problem.NO_END_DATE, "An offboarding is under way in Remote and has no date yet."
            )
            if not ending.leaving:
                # Only the worker's status says so and no list names them: that is no news.
                return UNSAID
    elif start is not None and ending.end_date < start and (ended or live):
        findings.add(
            Problem.BAD_VALUE,
            f"The end date {ending.end_date} ({ending.source}) is before the start date {start}.",
        )
    return ending.source


def _worker_type(fields: Fields, findings: Findings) -> tuple[str, str]:
    kind, model = fields.word("type"), fields.word("employment_model")
    raw = "/".join(part for part in (kind, model) if part)
    found = WORKER_TYPES.get(kind, WorkerType.OTHER.value)
    if kind == "employee":
        # Whose employee it is depends on the model: an unknown one decides nothing.
        found = EMPLOYEE_MODELS.get(model, WorkerType.OTHER.value)
    if found == WorkerType.OTHER or model not in KNOWN_MODELS:
        findings.add(
            Problem.UNKNOWN_WORKER_TYPE,
            f"Remote's worker type {shown(raw)} is not known here.",
        )
    return str(found), raw


def _contract_type(fields: Fields, contract: Fields, worker_type: str) -> str:
    if worker_type == WorkerType.CONTRACTOR:
        kind = fields.word("contractor_type")
        return CONTRACTOR_TYPES.get(kind) or f"Contractor ({kind})"
    duration, schedule = contract.word("contract_duration_type"), contract.word("work_schedule")
    parts = [
        table.get(value, value.replace("_", " ").capitalize())
        for table, value in ((DURATIONS, duration), (SCHEDULES, schedule))
        if value
    ]
    return ", ".join(parts[:1] + [part.lower() for part in parts[1:]])[:100]


def _seniority(contract: Fields) -> str:
    """“Level 4 - Mid level - long explanation” without the explanation."""
    text = contract.text("experience_level", 1000)
    if text.startswith("Level "):
        text = " - ".join(text.split(" - ")[:2])
    return text[:200]


def _country(fields: Fields, findings: Findings) -> str:
    value = fields.raw("country")
    if isinstance(value, str):
        codes = [value[:60].strip()]
    else:
        country = fields.nested("country")
        codes = [country.text("code", 60), country.text("alpha_2_code", 60)]
    for code in codes:
        if found := read_country(code):
            return found
    if any(codes):
        findings.add(
            Problem.UNKNOWN_COUNTRY,
            f"Remote's country code {shown(next(filter(None, codes)))} is not known here.",
        )
    return ""


def _date_of_birth(personal: Fields, findings: Findings, today: date) -> date | None:
    found = personal.day("birthdate", private=True) or personal.day("date_of_birth", private=True)
    if found is not None and found >= today:
        findings.add(Problem.BAD_VALUE, "The date of birth is not in the past. It is left out.")
        return None
    return found
