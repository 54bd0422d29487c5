"""The small lists beside the people: who leaves when, company managers, legal entities."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from integrations.connectors.remote.payloads import Fields, Findings, read_country, read_email
from integrations.connectors.remote.vocabulary import (
    KNOWN_LEAVING_STATUSES,
    STAYING_REASONS,
    STAYING_TYPES,
    WITHDRAWN,
)
from people.choices import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """One announced end of one employment, from whichever list. Dates are calendar dates."""

    employment_id: str
    origin: str
    """``offboarding``, ``direct`` or ``cor``."""
    kind: str = ""
    status: str = ""
    last_working_day: date | None = None
    termination_date: date | None = None
    proposed_last_working_day: date | None = None
    proposed_termination_date: date | None = None
    announced: str = ""
    """Moment of entry as Remote wrote it; sorts by time."""
    stays: bool = False
    """The person goes on elsewhere (or never came): no leaving."""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def withdrawn(self) -> bool:
        """Cancelled or rejected."""
        return self.status in WITHDRAWN

    @property
    def cancels_start(self) -> bool:
        """The contract was called off before its first day."""
        return self.kind == "cancellation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookups:
    """What a worker's payload refers to, by id."""

    leavings: dict[str, list[Leaving]] = field(default_factory=dict)
    managers: dict[str, str] = field(default_factory=dict)
    """User id of a company manager → e-mail of the account."""
    entities: dict[str, dict[str, str]] = field(default_factory=dict)


def _leaving(fields: Fields, findings: Findings, *, origin: str, **dates: date | None) -> Leaving:
    kind, status = fields.word("type"), fields.word("status")
    # The first version has the reason under the name of its type.
    reason = next(
        (
            found
            for key in ("reason", "resignation_reason", "termination_reason")
            if (found := fields.word(key))
        ),
        "",
    )
    if reason.startswith("cancellation_before_start"):
        kind = "cancellation"
    if status not in WITHDRAWN and status not in KNOWN_LEAVING_STATUSES:
        findings.add(
            Problem.UNKNOWN_STATUS,
            f"The offboarding has the unknown status “{status}”; only confirmed dates count.",
        )
    return Leaving(
        employment_id=fields.identifier("employment_id"),
        origin=origin,
        kind=kind,
        status=status,
        announced=fields.text("inserted_at")
        or fields.text("submitted_at")
        or fields.text("initiated_at"),
        stays=kind in STAYING_TYPES or reason.startswith(STAYING_REASONS),
        problems=tuple(findings.problems),
        notes=tuple(findings.notes),
        **dates,
    )


def read_offboarding(row: Any) -> Leaving:
    """A row of ``/v2/offboardings`` or ``/v1/offboardings``.

    https://developer.remote.com/reference/get_index_offboarding
    """
    findings = Findings()
    fields = Fields(row, findings, "offboarding.")
    request = fields.nested("request")
    return _leaving(
        fields,
        findings,
        origin="offboarding",
        termination_date=fields.day("termination_date"),
        proposed_last_working_day=request.day("proposed_last_working_day")
        or fields.day("proposed_last_working_day"),
        proposed_termination_date=request.day("proposed_termination_date")
        or fields.day("proposed_termination_date"),
    )


def read_direct(row: Any) -> Leaving:
    """A row of ``/v1/direct-offboardings`` (people on the company's own payroll)."""
    findings = Findings()
    fields = Fields(row, findings, "direct_offboarding.")
    return _leaving(
        fields,
        findings,
        origin="direct",
        last_working_day=fields.day("last_working_day"),
        termination_date=fields.day("termination_date"),
    )


def read_cor(row: Any) -> Leaving:
    """A row of ``/v1/contractors/cor-termination-requests``.

    The service ends on ``termination_date``; Remote closes its own record on or after it, so the
    deactivation date only serves where the other is missing.
    """
    findings = Findings()
    fields = Fields(row, findings, "cor_termination.")
    termination = fields.day("termination_date")
    deactivation = fields.day("employment_deactivation_date")
    return _leaving(fields, findings, origin="cor", termination_date=termination or deactivation)


def leavings_by_employment(found: Iterable[Leaving]) -> dict[str, list[Leaving]]:
    """Grouped by employment, newest first within each."""
    grouped: dict[str, list[Leaving]] = {}
    for leaving in found:
        if leaving.employment_id:
            grouped.setdefault(leaving.employment_id, []).append(leaving)
    for rows in grouped.values():
        rows.sort(key=lambda leaving: leaving.announced, reverse=True)
    return grouped


def managers_by_user(rows: Iterable[Any]) -> dict[str, str]:
    """Company managers: user id → e-mail, for managers who are no workers."""
    found: dict[str, str] = {}
    for row in rows:
        if isinstance(row, dict):
            user, email = row.get("user_id"), row.get("user_email")
            if isinstance(user, str) and isinstance(email, str) and (address := read_email(email)):
                found[user] = address
    return found


def entities_by_id(rows: Iterable[Any]) -> dict[str, dict[str, str]]:
    """Active legal entities: id → id, name, country (alpha-3)."""
    found: dict[str, dict[str, str]] = {}
    for row in rows:
        fields = Fields(row, Findings(), "legal_entity.")
        key = fields.identifier("id", 64)
        if key:
            found[key] = {
                "id": key,
                "name": fields.text("name"),
                "country": read_country(fields.text("country_code", 10)),
            }
    return found
