"""The evidence of a leaver as rows for a CSV, and as sections of lines for a PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from people.choices import PersonStatus
from workflows.access.leavers import WORDS, minutes_words

if TYPE_CHECKING:
    from integrations.models import Delivery
    from workflows.access.evidence import Evidence, StepProof

COLUMNS = ("section", "at", "what", "state", "detail", "proof")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the evidence; ``at`` is a moment in UTC, a date, or nothing."""

    section: str
    what: str
    at: datetime | date | None = None
    state: str = ""
    detail: str = ""
    proof: str = ""

    def cells(self) -> Mapping[str, str]:
        """As the CSV has it: moments in ISO, in UTC."""
        return {
            "section": self.section,
            "at": self.at.isoformat() if self.at is not None else "",
            "what": self.what,
            "state": self.state,
            "detail": self.detail,
            "proof": self.proof,
        }


def evidence_lines(evidence: Evidence) -> Iterator[Line]:
    """Everything, section by section, in the order of the page."""
    yield from _about(evidence)
    yield from (
        Line(section="Still open", what=one.what, state=one.state, detail=one.todo)
        for one in evidence.still_open
    )
    for known in evidence.dates:
        yield Line(
            section="Dates as known",
            at=known.at,
            what=known.label,
            state=value_words(known.after),
            detail=f"before: {value_words(known.before)}",
            proof=known.source,
        )
    for row in evidence.approvals:
        yield Line(
            section="Approvals",
            at=row.decided_at or row.asked_at,
            what=row.title,
            state=str(row.get_status_display()),
            detail=row.comment or row.closed_reason,
            proof=f"asked: {row.approver}; decided by: {row.decided_by or '–'}",
        )
    yield from _steps(evidence)
    yield from _accesses(evidence)


def _about(evidence: Evidence) -> Iterator[Line]:
    person, leaver = evidence.person, evidence.leaver
    section = "About"
    yield Line(section=section, what="Person", state=str(person), detail=person.work_email)
    yield Line(section=section, what="Made", at=evidence.made_at)
    if evidence.closed_runs:
        words = "Runs of workflows that are not open to whoever made this"
        yield Line(section=section, what="Left out", state=str(evidence.closed_runs), detail=words)
    if leaver is None:
        yield Line(section=section, what="Last day", state="Not known")
        return
    yield Line(section=section, what="Last day", at=leaver.last_day)
    yield Line(section=section, what="Last day ends", at=leaver.ends_at)
    yield Line(section=section, what="State", state=WORDS[leaver.state])
    took = leaver.minutes if leaver.open_minutes is None else leaver.open_minutes
    words = "Last day to last revoke" if leaver.open_minutes is None else "Open since the last day"
    yield Line(
        section=section,
        what=words,
        state=minutes_words(took),
        detail="" if took is None else f"{took} minutes",
    )


def _steps(evidence: Evidence) -> Iterator[Line]:
    for proof in evidence.runs:
        run = proof.run
        section = f"Run {run.pk}: {run.workflow.name}"
        yield Line(
            section=section,
            at=run.created_at,
            what="Decided",
            state=str(run.get_status_display()),
            detail=proof.why,
            proof=f"started by {run.started_by or 'the schedule'}",
        )
        for step in proof.steps:
            yield _step(section, step)
            yield from (_call(section, call) for call in step.calls)


def _step(section: str, step: StepProof) -> Line:
    tries = step.row.attempts
    return Line(
        section=section,
        at=step.row.finished_at or step.row.first_tried_at or step.row.created_at,
        what=step.words,
        state=str(step.row.get_status_display()),
        detail=step.why,
        proof=f"{tries} attempt{'' if tries == 1 else 's'}",
    )


def _call(section: str, call: Delivery) -> Line:
    return Line(
        section=section,
        at=call.started_at,
        what=f"  {call.operation}",
        state=str(call.status_code or call.get_outcome_display()),
        detail=call.error,
        proof=f"request {call.request_id}" if call.request_id else "",
    )


def _accesses(evidence: Evidence) -> Iterator[Line]:
    for proof in evidence.accesses:
        section = f"Access: {proof.access.application.name}"
        for event in proof.events:
            who = event.by_label or (f"run {event.run_id}" if event.run_id else "")
            yield Line(
                section=section,
                at=event.at,
                what=str(event.get_state_display()),
                state=who,
                detail=event.words,
                proof=proof_words(event.evidence),
            )
        if not proof.events:
            yield Line(
                section=section,
                at=proof.access.ended_at or proof.access.since,
                what=str(proof.access.get_state_display()),
                proof=proof_words(proof.access.evidence),
            )
    for account in evidence.accounts:
        yield Line(
            section="Accounts",
            at=account.changed_at,
            what=f"{account} at {account.connection.name}",
            state="Active" if account.active else "Suspended",
            proof=account.external_id,
        )


def proof_words(evidence: Mapping[str, Any]) -> str:
    """Evidence on one line: what was read back, by whom, which requests."""
    found = []
    if evidence.get("read_back"):
        found.append(f"read back: {evidence['read_back']}")
    if evidence.get("group"):
        found.append(f"group {evidence['group']}")
    if evidence.get("app"):
        found.append(f"application {evidence['app']}")
    if evidence.get("account"):
        found.append(f"account {evidence['account']}")
    if evidence.get("by"):
        found.append(f"said by {evidence['by']}")
    if evidence.get("task"):
        found.append(f"task {evidence['task']}")
    for call in evidence.get("calls") or []:
        request = f", request {call['request_id']}" if call.get("request_id") else ""
        found.append(f"{call.get('call')} {call.get('status') or 'no answer'}{request}")
    if evidence.get("request_id") and not evidence.get("calls"):
        found.append(f"request {evidence['request_id']}")
    return "; ".join(found)


def value_words(value: Any) -> str:
    """A stored date or status in words: “3 May 2026”, “Ended”; a dash for nothing."""
    if value in (None, ""):
        return "–"
    text = str(value)
    try:
        return f"{date.fromisoformat(text):%-d %b %Y}"
    except ValueError:
        return str(dict(PersonStatus.choices).get(text, text))
