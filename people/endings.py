"""The end date that access follows, when a person's records do not simply say it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from people.choices import ContractStatus, PersonStatus, Problem
from people.matching import OpenView
from people.plan import INFERRED, MANUAL, UNSAID, KnownPerson
from people.records import WorkerRecord
from people.resolved import Resolved

_CANCELLED_NOTE = "The onboarding was cancelled before it began; nobody left."


def settle_end(
    result: Resolved, lead: OpenView, views: Sequence[OpenView], before: KnownPerson | None
) -> None:
    """The end date that access follows, when the records do not simply say it."""
    if result.sources.get("end_date") == MANUAL:
        return
    others = [
        view
        for view in views
        if view.record.source == lead.record.source
        and view.key != lead.key
        and view.record.is_live
        and view.missing_since is None
    ]
    values = result.values
    if lead.record.is_live:
        _keep_unsaid(result, lead.record, before)
        _settle_continuing(result, lead, others)
    elif lead.record.never_started and _had_not_begun(before):
        values["end_date"] = None
        result.sources.pop("end_date", None)
        # Nobody leaves who never came: recorded, but no rule may take it for a leaving.
        result.quiet = frozenset({"status", "contract_status", "contract_status_raw", "end_date"})
        result.flag("", _CANCELLED_NOTE)
    elif values["end_date"] is None and before is not None:
        _infer_end(result, before)
    elif lead.record.end_date_source == INFERRED:
        result.sources["end_date"] = INFERRED
        result.flag(Problem.END_DATE_INFERRED, "")


def _keep_unsaid(result: Resolved, lead: WorkerRecord, before: KnownPerson | None) -> None:
    """Silence about the day of a leaving under way does not undo the day that was said."""
    known = before.values.get("end_date") if before else None
    if lead.end_date_source != UNSAID or result.values["end_date"] is not None or known is None:
        return
    result.values["end_date"] = known
    if before is not None:
        result.sources["end_date"] = before.value_sources.get("end_date", lead.source)
    result.flag(
        "", "The source no longer says when this person leaves; the last day it said is kept."
    )


def _settle_continuing(result: Resolved, lead: OpenView, others: Sequence[OpenView]) -> None:
    """One contract ends and another goes on: the person does not leave with the first."""
    values = result.values
    ends = [view.record.end_date for view in others]
    end = values["end_date"]
    if end is not None and any(other is None or other > end for other in ends):
        values["end_date"] = None if None in ends else max(other for other in ends if other)
        result.flag(
            Problem.TWO_LIVE_EMPLOYMENTS,
            f"The contract that ends on {end.isoformat()} is followed by another one; "
            "the person does not leave with it.",
        )
    active = [view for view in others if view.record.contract_status == ContractStatus.ACTIVE]
    if active and lead.record.contract_status == ContractStatus.ACTIVE:
        result.two_live = True
        ids = ", ".join(sorted(view.record.external_id for view in (lead, *active)))
        result.flag(Problem.TWO_LIVE_EMPLOYMENTS, f"Active at the same time: {ids}.")


def _had_not_begun(before: KnownPerson | None) -> bool:
    if before is None or before.values["status"] in (PersonStatus.HIRED, PersonStatus.EXTERNAL):
        return True
    return before.values["status"] == PersonStatus.ENDED and before.values.get("end_date") is None


def _infer_end(result: Resolved, before: KnownPerson) -> None:
    """Ended without a date: the date known before it ended, else the day it was first seen."""
    known = before.values.get("end_date")
    if before.values["status"] == PersonStatus.ENDED:
        result.values["end_date"] = known
        if known is None:
            return
        result.sources["end_date"] = before.value_sources.get("end_date", INFERRED)
    elif known is not None and known <= result.today:
        result.values["end_date"] = known
        result.sources["end_date"] = before.value_sources.get("end_date", INFERRED)
    else:
        result.values["end_date"] = result.today
        result.sources["end_date"] = INFERRED
    if result.sources["end_date"] == INFERRED:
        result.flag(
            Problem.END_DATE_INFERRED,
            "The source gives no end date: it is the day on which the end was first seen.",
        )
