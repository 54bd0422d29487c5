"""The event names of the service and the flat bodies it delivers them in.

https://developer.remote.com/reference/webhook-events
"""

from integrations.simulator.vocabulary import Record

_NAMES: dict[str, str] = {
    "background_check": "status.updated",
    "benefit_renewal_request": "created",
    "billing_document": "issued",
    "company": (
        "activated manager_created manager_deleted manager_updated owner_changed archived "
        "eor_hiring.additional_information_required eor_hiring.reserve_payment_requested "
        "eor_hiring.no_reserve_payment_requested eor_hiring.referred "
        "eor_hiring.verification_completed partner_offboarded pricing_plan.updated"
    ),
    "contract_amendment": "canceled deleted done review_started submitted",
    "contract": "termination_date_reached",
    "contract_document": "status.changed",
    "contractor_invoice": "employer_paid issued paid_out payment_initiated",
    "custom_field": "value_updated",
    "employment": (
        "benefits.selected account.updated administrative_details.updated "
        "contractor_management_plan.updated contractor_of_record_termination.cancelled "
        "contractor_of_record_termination.executed "
        "contractor_of_record_termination.initiated details.updated "
        "employment_agreement.available cor_hiring.invoice_created "
        "eor_hiring.invoice_created cor_hiring.proof_of_payment_accepted "
        "cor_hiring.proof_of_payment_submitted eor_hiring.proof_of_payment_accepted "
        "eor_hiring.proof_of_payment_submitted "
        "no_longer_eligible_for_onboarding_cancellation onboarding_task.completed "
        "onboarding.cancelled onboarding.completed onboarding.started "
        "personal_information.updated probation_completion_letter.cancelled "
        "probation_completion_letter.completed probation_completion_letter.submitted "
        "probation.period_ending_reminder_sent probation_period_extension.cancelled "
        "probation_period_extension.completed probation_period_extension.submitted "
        "start_date.changed status.updated updated user_status.activated "
        "user_status.deactivated user_status.initiated user_status.invited work_email.updated"
    ),
    "employment_company_structure_node": "updated",
    "employment_contract": "active_contract_updated adjusted_during_onboarding",
    "employment_basic_information": "updated",
    "expense": "approved declined deleted reimbursed submitted updated",
    "identity_verification": "verification_required",
    "incentive": "created deleted paid processing_started updated",
    "offboarding": "completed deleted done review_started submitted_to_payroll submitted",
    "payslip": "released",
    "sso_configuration": "disabled enabled updated",
    "timeoff": (
        "approved canceled cancellation_requested date_changed declined requested started "
        "taken updated"
    ),
    "timesheet": "submitted in_calibration",
    "travel_letter": (
        "approved_by_manager approved_by_remote declined_by_manager declined_by_remote requested"
    ),
    "work_authorization": (
        "approved_by_manager approved_by_remote cancelled declined_by_manager "
        "declined_by_remote requested"
    ),
}
DOCUMENTED: frozenset[str] = frozenset(
    f"{subject}.{verb}" for subject, verbs in _NAMES.items() for verb in verbs.split()
)
# Newer than the published contract: some accounts know them, others answer 422.
NEWER: frozenset[str] = frozenset(("employment.hard_deleted", "company.hard_deleted"))


def flat_body(
    event_type: str, *, company_id: str, employment_id: str, offboarding_id: str | None = None
) -> Record:
    """The delivered body: ids only, without an event id, a time or the changed data."""
    # One event names the worker by another key than all others.
    slug = event_type == "employment.administrative_details.updated"
    body: Record = {
        "event_type": event_type,
        "company_id": company_id,
        "employment_slug" if slug else "employment_id": employment_id,
    }
    if event_type.startswith("offboarding."):
        body["offboarding_id"] = body["offboarding_request_id"] = offboarding_id
    return body
