"""One person's values from their records: overrides, chosen sources, then sources by age. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from itertools import zip_longest

from people.choices import PersonStatus, Problem
from people.choosing import Chooser
from people.endings import settle_end
from people.managers import ManagerClaim
from people.matching import OpenView, View, primary_of
from people.plan import (
    CUSTOM,
    DATES,
    FROM_COUNTRY,
    MANUAL,
    TEXTS,
    Directory,
    KnownPerson,
    Policy,
)
from people.records import WorkerRecord
from people.resolved import Resolved
from people.standing import local_today, person_status
from people.zones import is_zone, single_zone, zone_info
from siit_remote.lib.clock import today_in

_COPIED: tuple[tuple[str, str | None, int | None], ...] = (
    ("work_email", "", None),
    ("language", "", 10),
    *((name, "", longest) for name, longest in TEXTS.items()),
    *((name, None, None) for name in DATES),
)
"""Fields, what stands for no value, and how much of a text fits."""
_NOBODY = ManagerClaim(source=MANUAL)
"""Said by hand that there is no manager; also where nobody could say."""


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
    by_source: dict[str, list[OpenView]] = {}
    opened = [view.opened() for view in views]
    for view in opened:
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
    settle_end(result, chooser.lifecycle, opened, before)
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
    claim = ManagerClaim(source="", email=manager.values["work_email"]) if manager else _NOBODY
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
        result.claim = _NOBODY
    elif name.startswith(CUSTOM):
        result.values["custom"].pop(name.removeprefix(CUSTOM), None)
    else:
        result.values[name] = None if name in DATES else ""


def _copy_values(result: Resolved, chooser: Chooser, directory: Directory) -> None:
    values, sources = result.values, result.sources
    for name, blank, longest in _COPIED:
        view = chooser.pick(name)
        values[name] = blank
        if view is not None:
            value = getattr(view.record, name)
            values[name] = value[:longest] if longest else value
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
