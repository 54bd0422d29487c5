"""Applications of one person: by rule, written down, reported, and where these differ."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from integrations.access_calls import is_readable
from integrations.models import AppAccess, Application, ReportedAccess
from people.choices import PersonStatus
from people.models import Person
from people.selectors import timezone_of
from workflows.access.drift import (
    BEYOND,
    LEFT,
    MISSING,
    STUCK,
    UNRECORDED,
    VANISHED,
    WORDS,
)
from workflows.access.should import entitled_applications, rule_fields
from workflows.conditions.masking import names_of
from workflows.engine.planner import facts_on
from workflows.facts import person_facts
from workflows.timing import zone_of

State = AppAccess.State


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """One application as it stands for one person. ``kind``: what differs, empty for nothing."""

    application: Application
    should: bool
    access: AppAccess | None
    reported: ReportedAccess | None
    kind: str = ""

    @property
    def kind_words(self) -> str:
        """The difference in words."""
        return WORDS.get(self.kind, "")


def person_rows(person: Person, *, now: datetime, hidden: Collection[str] = ()) -> list[PersonRow]:
    """What the person has or should have, by the application's name. A few queries.

    A rule that asks for one of the ``hidden`` fields counts as none: its answer would tell.
    """
    unseen = names_of(hidden)
    today = now.astimezone(zone_of(timezone_of(person))).date()
    facts = facts_on(person_facts(person), today)
    should = {
        application.pk: application
        for application in entitled_applications(facts, today=today)
        if not rule_fields(application.entitle) & unseen
        and person.status not in (PersonStatus.ENDED, PersonStatus.HIRED)
    }
    related = "application__connection", "application__owner", "application__reading"
    open_rows = {
        row.application_id: row
        for row in person.accesses.exclude(state=State.REVOKED).select_related(*related)
    }
    seen = {
        row.application_id: row
        for row in person.reported_accesses.filter(gone_at__isnull=True).select_related(*related)
        if row.active or row.application.provision_by != Application.Provision.ACCOUNT
    }
    known = {
        **should,
        **{pk: row.application for pk, row in open_rows.items()},
        **{pk: row.application for pk, row in seen.items()},
    }
    rows = [
        PersonRow(
            application=application,
            should=pk in should,
            access=open_rows.get(pk),
            reported=seen.get(pk),
            kind=_kind(
                person,
                should=pk in should,
                access=open_rows.get(pk),
                reported=seen.get(pk),
                ruled=application.entitle is not None
                and not rule_fields(application.entitle) & unseen,
            ),
        )
        for pk, application in known.items()
    ]
    # What differs comes first: it is what somebody opens the page for.
    return sorted(
        rows,
        key=lambda row: (not row.kind, row.application.name.casefold(), row.application.pk),
    )


def _kind(
    person: Person,
    *,
    should: bool,
    access: AppAccess | None,
    reported: ReportedAccess | None,
    ruled: bool,
) -> str:
    held = access is not None and (
        access.state == State.GRANTED or access.aim == AppAccess.Aim.GONE
    )
    if person.status == PersonStatus.ENDED and (held or reported):
        return LEFT
    if should and access is None and reported is None:
        return MISSING
    stuck = access is not None and access.state in (State.FAILED, State.UNCERTAIN, State.BY_HAND)
    if ruled and not should and (held or reported) and not stuck:
        return BEYOND
    if reported is not None and access is None:
        return UNRECORDED
    if access is not None and access.state == State.GRANTED and _vanished(access, reported):
        return VANISHED
    return STUCK if stuck else ""


def _vanished(access: AppAccess, reported: ReportedAccess | None) -> bool:
    reading = getattr(access.application, "reading", None)
    return bool(
        reported is None
        and reading is not None
        and reading.read_at is not None
        and not reading.error
        and access.since < reading.read_at
        and is_readable(access.application)
    )
