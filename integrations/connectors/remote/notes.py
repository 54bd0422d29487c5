"""Where each field of the directory comes from in Remote, in words for HR."""

from __future__ import annotations

from integrations.connectors.base import FieldNote

FIELD_NOTES: dict[str, FieldNote] = {
    "work_email": FieldNote(
        comes_from="Work email",
        note="Who a person is. The address you issue them, never their Remote login.",
    ),
    "full_name": FieldNote(comes_from="Full name"),
    "preferred_name": FieldNote(comes_from="Personal details → Preferred name"),
    "job_title": FieldNote(comes_from="Job title"),
    "seniority": FieldNote(comes_from="Contract → Experience level"),
    "team": FieldNote(comes_from="Department"),
    "country": FieldNote(comes_from="Country"),
    "legal_entity": FieldNote(
        comes_from="Engaging legal entity",
        note=(
            "For EOR employees and contractors this is your own company that engages them, not "
            "Remote’s local employer."
        ),
    ),
    "worker_type": FieldNote(
        comes_from="Type and employment model",
        note=(
            "EOR Employee, Direct Employee or Contractor. Nobody is simply “Employee” here: "
            "conditions on employees use the employment type below."
        ),
    ),
    "contract_type": FieldNote(comes_from="Contract duration and work schedule"),
    "contract_status": FieldNote(
        comes_from="Status",
        note="Reduced to upcoming, active and ended; Remote’s own word is kept.",
    ),
    "contract_status_raw": FieldNote(comes_from="Status, as Remote writes it"),
    "start_date": FieldNote(comes_from="Provisional start date"),
    "end_date": FieldNote(
        comes_from="Offboarding → last working day, else the end of the contract",
        note="Access follows the last working day where Remote gives one.",
    ),
    "contract_end_date": FieldNote(comes_from="Offboarding or contract → termination date"),
    "personal_email": FieldNote(
        comes_from="Personal email",
        note="Private. Messages may go there before the first day, when no work mail exists yet.",
    ),
    "date_of_birth": FieldNote(comes_from="Personal details → Birthdate"),
    "probation_end_date": FieldNote(comes_from="Probation period end date"),
    "manager": FieldNote(
        comes_from="Reporting manager",
        note="Found by their employment first, then by email. Set it on the worker’s profile.",
    ),
    "timezone": FieldNote(
        comes_from="Worked out from the country",
        note="Countries with several zones leave it empty; the entity’s or yours is used then.",
    ),
}
