"""One person's values from their records: overrides, chosen sources, then sources by age. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from people.choices import ContractStatus, PersonStatus, Problem
from people.choosing import Chooser
from people.managers import ManagerClaim
from people.matching import View, primary_of
from people.plan import (
    DATES,
    FROM_COUNTRY,
    INFERRED,
    MANUAL,
    TEXTS,
    UNSAID,
    Directory,
    KnownPerson,
    Policy,
)
from people.records import WorkerRecord
from people.zones import is_zone, single_zone, zone_info
from siit_remote.lib.clock import today_in

CUSTOM = "custom."
_LONGEST = {**TEXTS, "language": 10}
NOBODY = ManagerClaim(source=MANUAL)
"""Said by hand that there is no manager; also where nobody could say."""
_PROBLEMS = tuple(Problem.values)
_CANCELLED_NOTE = "The onboarding was cancelled before it began; nobody left."


@dataclass(slots=True, kw_only=True)
class Resolved:
    """One person's values as they should be. The manager is still a claim."""

    values: dict[str, Any]
    sources: dict[str, str]
    claim: ManagerClaim
    today: date
    flags: dict[tuple[str, str], None] = field(default_factory=dict)
    """Data problems with their sentences, in order; a problem may be blank (only a remark)."""
    quiet: frozenset[str] = frozenset()
    primaries: frozenset[tuple[str, str]] = frozenset()
    two_live: bool = False

    def flag(self, problem: str, note: str) -> None:
        """Report a data problem with its sentence."""
        self.flags[(str(problem), note)] = None

    @property
    def problems(self) -> tuple[str, ...]:
        """Each problem once, in the vocabulary's order."""
        found = {problem for problem, _ in self.flags}
        return tuple(problem for problem in _PROBLEMS if problem in found)

    @property
    def notes(self) -> tuple[str, ...]:
        """Each sentence once."""
        return tuple(dict.fromkeys(note for _, note in self.flags if note))


def local_today(values: Mapping[str, Any], policy: Policy, now: datetime) -> date:
    """Today where the person is: own zone, else the legal entity's, else the workspace's."""
    name = (
        values.get("timezone")
        or policy.entity_timezones.get(values.get("legal_entity") or "")
        or policy.workspace_timezone
    )
    return today_in(zone_info(name), now)


def resolve(
    views: Sequence[View],
    *,
    before: KnownPerson | None,
    directory: Directory,
    policy: Policy,
    now: datetime,
) -> Resolved:
    """Resolve one person who has at least one record."""
    rough_today = today_in(zone_info(policy.workspace_timezone), now)
    by_source: dict[str, list[View]] = {}
    views = [view.opened() for view in views]
    for view in views:
        by_source.setdefault(view.record.source, []).append(view)
    primaries = {
        source: primary_of(found, today=rough_today) for source, found in by_source.items()
    }
    chooser = Chooser(primaries, policy)
    result = Resolved(values={}, sources={}, claim=ManagerClaim(source=""), today=rough_today)
    result.primaries = frozenset(view.key for view in primaries.values())
    _copy_values(result, chooser, directory)
    _apply_overrides(result, before)
    _leave_unused(result, policy)
    _derive_place(result, chooser, policy)
    result.today = local_today(result.values, policy, now)
    lead = chooser.lifecycle.record
    for problem, note in zip_longest(lead.problems, lead.notes, fillvalue=""):
        result.flag(problem, note)
    result.sources["status"] = result.sources.get("contract_status", lead.source)
    if lead.account:
        _settle_outsider(result, lead)
        return result
    _settle_end(result, chooser.lifecycle, views, before)
    result.values["status"] = person_status(result.values, result.today, leaving=lead.offboarding)
    _flag_gaps(result, lead)
    return result


def _settle_outsider(result: Resolved, lead: WorkerRecord) -> None:
    """Known by an account alone: never an employee, and never a leaver."""
    status = PersonStatus.ENDED if lead.deactivated else PersonStatus.EXTERNAL
    result.values["status"] = status.value
    result.flags.clear()
    # A closed account is nobody's last day: recorded, but no rule may take it for a leaving.
    result.quiet = frozenset({"status"})


def resolve_alone(
    before: KnownPerson, *, directory: Directory, policy: Policy, now: datetime
) -> Resolved:
    """Somebody of whom no source has a record: what is stored, and what was set by hand.

    A value that was set by hand and no longer is becomes blank: no source can say it.
    """
    values = {**before.values, "custom": dict(before.values.get("custom") or {})}
    sources = {key: source for key, source in before.value_sources.items() if source != MANUAL}
    manager = directory.people.get(before.values.get("manager") or 0)
    claim = ManagerClaim(source="", email=manager.values["work_email"]) if manager else NOBODY
    result = Resolved(values=values, sources=sources, claim=claim, today=now.date())
    for name in before.value_sources.keys() - sources.keys() - before.overrides.keys():
        _blank(result, name)
    _apply_overrides(result, before)
    _leave_unused(result, policy)
    if result.sources.get("worker_type") == MANUAL and "employment_type" not in before.overrides:
        values["employment_type"] = policy.employment_types.get(values["worker_type"], "")
    result.today = local_today(values, policy, now)
    if before.values["status"] != PersonStatus.EXTERNAL:
        values["status"] = person_status(values, result.today)
    return result


def _blank(result: Resolved, name: str) -> None:
    if name == "manager":
        result.claim = NOBODY
    elif name.startswith(CUSTOM):
        result.values["custom"].pop(name.removeprefix(CUSTOM), None)
    else:
        result.values[name] = None if name in DATES else ""


def person_status(values: Mapping[str, Any], today: date, *, leaving: bool = False) -> str:
    """Where the person stands on ``today`` (their own date)."""
    start, end = values.get("start_date"), values.get("end_date")
    if values.get("contract_status") == ContractStatus.ENDED or (end is not None and end < today):
        return PersonStatus.ENDED.value
    if start is not None and start > today:
        return PersonStatus.HIRED.value
    if start is None and values.get("contract_status") == ContractStatus.UPCOMING:
        return PersonStatus.HIRED.value
    if end is not None or leaving:
        return PersonStatus.OFFBOARDING.value
    return PersonStatus.ACTIVE.value


def _copy_values(result: Resolved, chooser: Chooser, directory: Directory) -> None:
    values, sources = result.values, result.sources
    for name in ("work_email", "language", *TEXTS, *DATES):
        view = chooser.pick(name)
        values[name] = "" if name not in DATES else None
        if view is not None:
            value = getattr(view.record, name)
            values[name] = value[: _LONGEST[name]] if name in _LONGEST else value
            sources[name] = view.record.source
    entity = chooser.pick("legal_entity_id")
    if entity is not None and entity.record.source == sources.get("legal_entity", ""):
        known = directory.entity_names.get(entity.record.legal_entity_id)
        values["legal_entity"] = known or values["legal_entity"]
    lead = chooser.lifecycle.record
    values["remote_id"] = values["display_id"] = ""
    if not lead.account:
        values["remote_id"], values["display_id"] = lead.external_id[:64], lead.display_id[:32]
        sources["remote_id"] = lead.source
    values["custom"] = {}
    names = {name for view in chooser.candidates("custom") for name in view.record.custom}
    for name in sorted(names):
        for view in chooser.candidates(CUSTOM + name):
            if view.record.custom.get(name) not in ("", None):
                values["custom"][name] = view.record.custom[name]
                sources[CUSTOM + name] = view.record.source
                break
    for view in chooser.candidates("manager"):
        claim = _claim(view.record)
        if not claim.is_blank:
            result.claim, sources["manager"] = claim, view.record.source
            break


def _claim(record: WorkerRecord) -> ManagerClaim:
    return ManagerClaim(
        source=record.source,
        external_id=record.manager_external_id,
        email=record.manager_email,
        user_email=record.manager_user_email,
        name=record.manager_name,
    )


def _apply_overrides(result: Resolved, before: KnownPerson | None) -> None:
    """What an admin set by hand wins, also when it is “no value”."""
    for name, value in (before.overrides if before else {}).items():
        result.sources[name] = MANUAL
        if name == "manager":
            result.claim = ManagerClaim(source=MANUAL, email=value or "")
        elif name in DATES:
            result.values[name] = date.fromisoformat(value) if value else None
        elif name.startswith(CUSTOM):
            result.values["custom"][name.removeprefix(CUSTOM)] = value
        else:
            result.values[name] = value or ""


def _leave_unused(result: Resolved, policy: Policy) -> None:
    """Custom fields that no admin wants stay with their source."""
    for key in policy.custom_off:
        result.values["custom"].pop(key, None)
        result.sources.pop(CUSTOM + key, None)


def _derive_place(result: Resolved, chooser: Chooser, policy: Policy) -> None:
    values, sources = result.values, result.sources
    if sources.get("employment_type") != MANUAL:
        values["employment_type"] = policy.employment_types.get(values["worker_type"], "")
        if values["employment_type"]:
            sources["employment_type"] = sources["worker_type"]
    if sources.get("timezone") != MANUAL:
        values["timezone"] = ""
        view = chooser.pick("timezone")
        if view is not None and is_zone(view.record.timezone):
            values["timezone"], sources["timezone"] = view.record.timezone, view.record.source
        elif view is not None:
            result.flag(
                Problem.BAD_VALUE, f"“{view.record.timezone[:64]}” is not an IANA time zone."
            )
    if not values["timezone"] and (zone := single_zone(values["country"])):
        values["timezone"], sources["timezone"] = zone, FROM_COUNTRY
    if not values["timezone"] and not policy.entity_timezones.get(values["legal_entity"]):
        result.flag(
            Problem.NO_TIMEZONE,
            "The country has several time zones and the legal entity has none set.",
        )


def _settle_end(
    result: Resolved, lead: View, views: Sequence[View], before: KnownPerson | None
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


def _settle_continuing(result: Resolved, lead: View, others: Sequence[View]) -> None:
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


def _flag_gaps(result: Resolved, lead: WorkerRecord) -> None:
    values = result.values
    if values["status"] == PersonStatus.ENDED:
        # Nobody needs to mend these for somebody who has left.
        idle = {Problem.NO_TIMEZONE, Problem.NO_START_DATE, Problem.NO_END_DATE}
        result.flags = {flag: None for flag in result.flags if flag[0] not in idle}
        return
    if values["start_date"] is None:
        result.flag(Problem.NO_START_DATE, "The source gives no start date.")
    if lead.offboarding and values["end_date"] is None:
        result.flag(Problem.NO_END_DATE, "An offboarding is under way without an end date.")
