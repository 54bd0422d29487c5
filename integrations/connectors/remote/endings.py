"""When somebody leaves: Remote has no single field for it, so the sources are asked in order.

A confirmed last working day comes first, then confirmed termination dates, then proposed ones of
an offboarding under way, then the planned end of the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from integrations.connectors.remote.vocabulary import KNOWN_LEAVING_STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from integrations.connectors.remote.lookups import Leaving
    from integrations.connectors.remote.payloads import Fields, Findings

INFERRED = "inferred"
_ORIGINS = {
    "offboarding": "termination date of the offboarding",
    "direct": "termination date of the offboarding",
    "cor": "termination date of the contractor of record",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """What the sources say about one employment's end."""

    end_date: date | None = None
    source: str = ""
    contract_end_date: date | None = None
    leaving: bool = False
    """An offboarding that is neither withdrawn nor a move is on record."""
    staying: bool = False
    """Only a move (conversion, transfer …) is on record: the person goes on elsewhere."""
    cancels_start: bool = False


def resolve_ending(
    fields: Fields,
    contract: Fields,
    leavings: Sequence[Leaving],
    *,
    findings: Findings,
    over: bool,
    under_way: bool,
    today: date,
) -> Ending:
    """The end of one employment. ``over``: status archived; ``under_way``: status offboarding."""
    current = [found for found in leavings if not found.withdrawn]
    going = [found for found in current if not found.stays]
    staying = [found for found in current if found.stays]
    only_moves = bool(staying) and not going
    for found in current:
        for problem in found.problems:
            findings.add(problem, found.notes[0])
        for note in found.notes:
            findings.note(note)
    on_record = fields.day("termination_date")
    moved_on = None
    if only_moves:
        move = staying[0]
        findings.note(
            f"Remote ends this employment by a {move.kind or 'move'}, which is no leaving: "
            "no end date is taken from it."
        )
        moved_on, on_record = on_record or move.termination_date, None
    elif not current and not over and not under_way and _stale(on_record, leavings):
        findings.note("The termination date belongs to a withdrawn offboarding and is left out.")
        on_record = None
    end_date, source = next(_confirmed(on_record, going), (None, ""))
    if end_date is None:
        # A plan that lies ahead says nothing about an employment that is already over.
        plans = ((day, why) for day, why in _planned(fields, contract) if not over or day <= today)
        end_date, source = next(plans, (None, ""))
    contract_end = moved_on
    if source == _LAST_DAY:
        contract_end = next((f.termination_date for f in going if f.last_working_day), on_record)
        contract_end = contract_end or on_record
    return Ending(
        end_date=end_date,
        source=source,
        contract_end_date=None if contract_end == end_date else contract_end,
        leaving=bool(going),
        staying=only_moves,
        cancels_start=any(found.cancels_start for found in staying),
    )


_LAST_DAY = "last working day of the offboarding"


def _stale(on_record: date | None, withdrawn: Sequence[Leaving]) -> bool:
    return on_record is not None and any(
        on_record in (found.termination_date, found.last_working_day) for found in withdrawn
    )


def _confirmed(on_record: date | None, going: Sequence[Leaving]) -> Iterator[tuple[date, str]]:
    for found in going:
        if found.last_working_day:
            yield found.last_working_day, _LAST_DAY
    if on_record:
        yield on_record, "termination date"
    for found in going:
        if found.termination_date:
            yield found.termination_date, _ORIGINS[found.origin]
    for found in going:
        if found.status not in KNOWN_LEAVING_STATUSES:
            continue
        if found.proposed_last_working_day:
            yield found.proposed_last_working_day, "proposed last working day of the offboarding"
        if found.proposed_termination_date:
            yield found.proposed_termination_date, "proposed termination date of the offboarding"


def _planned(fields: Fields, contract: Fields) -> Iterator[tuple[date, str]]:
    if day := fields.day("expiration_date"):
        yield day, "planned end of service"
    if day := contract.nested("service_duration").day("expiration_date"):
        yield day, "planned end of service"
    if contract.word("contract_duration_type") != "indefinite" and (
        day := contract.day("contract_end_date")
    ):
        yield day, "end date of the contract"
