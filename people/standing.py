"""Where a person stands by their dates, and which date it is where they are. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from people.choices import ContractStatus, PersonStatus
from people.plan import Policy
from people.zones import zone_info
from siit_remote.lib.clock import today_in


def local_today(values: Mapping[str, Any], policy: Policy, now: datetime) -> date:
    """Today where the person is: own zone, else the legal entity's, else the workspace's."""
    name = (
        values.get("timezone")
        or policy.entity_timezones.get(values.get("legal_entity") or "")
        or policy.workspace_timezone
    )
    return today_in(zone_info(name), now)


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
