"""Remote's open vocabularies, each value with our meaning; anything else is flagged and kept.

https://developer.remote.com/reference/get_show_employment
"""

from __future__ import annotations

from people.choices import WorkerType

EMPLOYEE_MODELS: dict[str, str] = {
    "": WorkerType.EOR_EMPLOYEE,
    "eor": WorkerType.EOR_EMPLOYEE,
    "peo": WorkerType.DIRECT_EMPLOYEE,
    "global_payroll": WorkerType.DIRECT_EMPLOYEE,
}
"""``employment_model`` of the type ``employee``."""

WORKER_TYPES: dict[str, str] = {
    "employee": WorkerType.EOR_EMPLOYEE,
    "global_payroll_employee": WorkerType.DIRECT_EMPLOYEE,
    "direct_employee": WorkerType.DIRECT_EMPLOYEE,
    "hris": WorkerType.DIRECT_EMPLOYEE,
    "contractor": WorkerType.CONTRACTOR,
}

# Live answers give "contractor" although the documentation does not list it.
KNOWN_MODELS = frozenset({"", "eor", "peo", "global_payroll", "contractor", "hris"})

LIVE_STATUSES = frozenset({"active", "offboarding"})
WAITING_STATUSES = frozenset(
    {
        "pre_hire",
        "created",
        "created_awaiting_reserve",
        "created_reserve_paid",
        "invited",
        "initiated",
        "pending",
        "review",
        "job_title_review",
        "pending_post_self_enrollment_actions",
    }
)
ENDED_STATUSES = frozenset({"archived", "deleted"})

STAGES_BEFORE_WORK = frozenset(
    {
        "employment_creation",
        "employee_self_enrollment",
        "right_to_work_check",
        "contract_signing",
        "remote_enrollment",
    }
)

CONTRACTOR_TYPES = {
    "": "Contractor",
    "standard": "Contractor (Standard)",
    "plus": "Contractor (Plus)",
    "cor": "Contractor (COR)",
}
DURATIONS = {
    "fixed": "Fixed term",
    "fixed_term": "Fixed term",
    "indefinite": "Indefinite",
}
SCHEDULES = {"full_time": "Full time", "part_time": "Part time"}

# Both spellings occur: "canceled" in the first version of offboardings, "cancelled" elsewhere.
WITHDRAWN = frozenset({"canceled", "cancelled", "rejected"})
KNOWN_LEAVING_STATUSES = frozenset(
    {
        "requested",
        "submitted",
        "in_review",
        "pending_payment",
        "pending_payment_details",
        "completed",
        "done",
        "initiated",
        "executed",
    }
)

STAYING_TYPES = frozenset({"conversion", "relocation", "transfer", "cancellation"})
STAYING_REASONS = (
    "conversion_",
    "relocation_from_entity",
    "transfer_",
    "cancellation_before_start",
)
"""Beginnings of reasons: the first version of offboardings tells these apart by reason only."""
