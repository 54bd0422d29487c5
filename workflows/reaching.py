"""Where mail reaches a person, also before they have an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from people.choices import PersonStatus
from people.selectors import timezone_of
from people.zones import zone_info
from siit_remote.lib.clock import today_in

if TYPE_CHECKING:
    from people.models import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address to write to. ``shown`` is what everybody may read of it."""

    to: str
    shown: str


def reachable_address_of(person: Person, *, now: datetime) -> Address | None:
    """Their personal address where the directory knows one, else work mail.

    ``None`` for somebody without a personal address before their first day, by the date of where
    they are: their work mail may not exist yet.
    """
    if person.personal_email:
        return Address(to=person.personal_email, shown=f"the personal address of {person}")
    today = today_in(zone_info(timezone_of(person)), now)
    begun = person.status != PersonStatus.HIRED or (
        person.start_date is not None and person.start_date <= today
    )
    return Address(to=person.work_email, shown=person.work_email) if begun else None
