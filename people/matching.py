"""Whose record is it? Source id first, then work e-mail, then the addresses of before.

Pure: no database, no clock. The order in which records arrive never matters.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from people.folding import email_key, fold
from people.plan import Conflict, Directory, KnownPerson, KnownRecord, RecordKey, Ref
from people.records import WorkerRecord
from people.staging import Brief, Held, StagedRecords

CLOSED_UNKNOWN = "The account is deactivated, and nobody here is known by its address."
ENDED_UNKNOWN = "Ended. Only active and upcoming contracts sync by default."
NO_EMAIL = "No work email yet: a person is found by work email."
BAD_EMAIL = "The work email is not an address."
_LONGEST_EMAIL = 254


class OpenView(NamedTuple):
    """A view whose record is at hand: of one person's records everything is asked many times."""

    record: WorkerRecord
    key: RecordKey
    missing_since: datetime | None


@dataclass(frozen=True, slots=True)
class View:
    """One record as it stands after this sync, beside what was stored."""

    brief: Brief
    held: Held
    stored: KnownRecord | None
    missing_since: datetime | None = None
    newly_missing: bool = False
    fed: bool = True
    """Part of this very feed, not of an earlier one."""

    @property
    def key(self) -> RecordKey:
        """Source and id."""
        return self.brief.key

    @property
    def digest(self) -> str:
        """Of the record as it is now."""
        return self.brief.digest

    @property
    def record(self) -> WorkerRecord:
        """The whole record; read anew each time where it was put down."""
        held = self.held
        return held if isinstance(held, WorkerRecord) else held.record(self.brief)

    @property
    def text(self) -> str:
        """Its values as JSON, as they are stored."""
        held = self.held
        if isinstance(held, StagedRecords):
            return held.text(self.brief)
        return self.record.canonical()

    def opened(self) -> OpenView:
        """With the whole record at hand."""
        return OpenView(self.record, self.key, self.missing_since)

    @property
    def is_touched(self) -> bool:
        """Whether it differs from what was stored."""
        if self.stored is None or self.stored.digest != self.brief.digest:
            return True
        return self.stored.missing_since != self.missing_since


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """Every record's person, or the reason why it has none."""

    owner: Mapping[RecordKey, Ref] = field(default_factory=dict)
    skip_reason: Mapping[RecordKey, str] = field(default_factory=dict)
    conflicts: tuple[Conflict, ...] = ()


class EmailIndex:
    """Who is found under an address: present ones before former ones."""

    def __init__(self, people: Iterable[KnownPerson]) -> None:
        self._current: dict[str, Ref] = {}
        self._former: dict[str, Ref] = {}
        for person in people:
            self._current[email_key(person.values["work_email"])] = person.id
            for alias in person.aliases:
                self._former[email_key(alias)] = person.id

    @classmethod
    def settled(cls, people: Mapping[int, KnownPerson], emails: Mapping[Ref, str]) -> EmailIndex:
        """The index as it will be once everybody has the address in ``emails``."""
        index = cls(())
        for person in people.values():
            for email in (person.values["work_email"], *person.aliases):
                index._former.setdefault(email_key(email), person.id)
        index._current = {email_key(email): ref for ref, email in emails.items()}
        return index

    def move(self, addresses: Mapping[Ref, set[str]]) -> None:
        """Take notice of the addresses that known people's live records carry now.

        An address given up in this very feed is a former one already: somebody new may have been
        given it in the same feed. A new address is its person's, unless it is a known alias.
        """
        known_aliases = set(self._former)
        for email, ref in list(self._current.items()):
            if ref in addresses and email not in addresses[ref]:
                del self._current[email]
                self._former.setdefault(email, ref)
        for ref in sorted(addresses, key=_by_age):
            for email in addresses[ref] - known_aliases:
                self._current.setdefault(email, ref)

    def current(self, email: str) -> Ref | None:
        """Whose present address it is."""
        return self._current.get(email_key(email))

    def former(self, email: str) -> Ref | None:
        """Whose former address it is."""
        return self._former.get(email_key(email))

    def find(self, email: str) -> Ref | None:
        """Whose address it is or was."""
        found = self.current(email)
        return found if found is not None else self.former(email)


def _by_age(ref: Ref) -> tuple[int, str]:
    """Known people in the order in which they came, then new ones: the earlier keeps a claim."""
    return (ref, "") if isinstance(ref, int) else (sys.maxsize, ref)


def email_problem(email: str) -> str:
    """Why nobody can be found by this address; ``""`` when it will do."""
    if not email:
        return NO_EMAIL
    local, at, domain = email.rpartition("@")
    fits = at and local and "." in f"{domain}." and domain and len(email) <= _LONGEST_EMAIL
    return "" if fits and email.split() == [email] else BAD_EMAIL


def match(views: Sequence[View], directory: Directory) -> Matching:
    """Give every record its person."""
    index = EmailIndex(directory.people.values())
    owner: dict[RecordKey, Ref] = {}
    for view in views:
        person_id = view.stored.person_id if view.stored else None
        if person_id is not None and person_id in directory.people:
            owner[view.key] = person_id
    moving: dict[Ref, set[str]] = {}
    for view in views:
        brief = view.brief
        if brief.is_live and brief.key in owner and not email_problem(brief.work_email):
            moving.setdefault(owner[brief.key], set()).add(email_key(brief.work_email))
    index.move(moving)
    return _match_by_email(views, directory, index, owner)


def _match_by_email(
    views: Sequence[View], directory: Directory, index: EmailIndex, owner: dict[RecordKey, Ref]
) -> Matching:
    skipped: dict[RecordKey, str] = {}
    conflicts: list[Conflict] = []
    linked = set(owner.values())
    groups: dict[str, list[View]] = {}
    for view in views:
        if view.key in owner:
            continue
        problem = email_problem(view.brief.work_email)
        if problem:
            skipped[view.key] = problem
        else:
            groups.setdefault(email_key(view.brief.work_email), []).append(view)
    here = {owner[view.key] for view in views if view.brief.is_live and view.key in owner}
    gone = linked - here
    # Companies hand addresses out again: a former one, or that of somebody who has left.
    doubtful = {
        ref
        for email in groups
        if (ref := index.find(email)) is not None and (index.current(email) is None or ref in gone)
    }
    names = _names_now(views, owner, doubtful)
    for email, group in sorted(groups.items()):
        ref = index.find(email)
        if ref is not None and (index.current(email) is None or ref in gone):
            known = names.get(ref, frozenset())
            stranger = [view for view in group if not _same_human(view, directory, ref, known)]
            if stranger:
                conflict = _recycled(email, stranger[0], directory, ref)
                conflicts.append(conflict)
                skipped.update({view.key: conflict.reason for view in group})
                continue
        if ref not in linked and not any(view.brief.is_live for view in group):
            skipped.update(
                {
                    view.key: CLOSED_UNKNOWN if view.brief.account else ENDED_UNKNOWN
                    for view in group
                }
            )
            continue
        owner.update({view.key: email if ref is None else ref for view in group})
    return Matching(owner=owner, skip_reason=skipped, conflicts=tuple(conflicts))


def _names_now(
    views: Sequence[View], owner: Mapping[RecordKey, Ref], of: Collection[Ref]
) -> dict[Ref, frozenset[str]]:
    """The words of every name that the records of some known people carry in this very feed."""
    found: dict[Ref, frozenset[str]] = {}
    for view in views if of else ():
        ref = owner.get(view.key)
        if ref is not None and ref in of:
            words = frozenset(fold(view.record.full_name).split())
            found[ref] = found.get(ref, frozenset()) | words
    return found


def _same_human(view: View, directory: Directory, ref: Ref, names_now: frozenset[str]) -> bool:
    """Whether a record under an address that is free again can be the person who had it.

    ``names_now`` counts beside the stored name, so that somebody whose name and address change in
    one feed is judged the same in that sync and in the next.
    """
    person = directory.people[int(ref)]
    record = view.record
    born, known_born = record.date_of_birth, person.values.get("date_of_birth")
    if born and known_born:
        return bool(born == known_born)
    names = set(fold(record.full_name).split())
    known = set(fold(person.values.get("full_name") or "").split()) | names_now
    return not names or not known or bool(names & known)


def _recycled(email: str, view: View, directory: Directory, ref: Ref) -> Conflict:
    holder = directory.people[int(ref)].values.get("full_name") or "another person"
    return Conflict(
        work_email=email,
        name=view.record.full_name,
        reason=(
            f"The work email {email} formerly belonged to {holder}, who seems to be somebody "
            "else. Remove the former address from that person, or give this one another address "
            "in the source, to let them in."
        ),
    )


def primary_of(views: Sequence[OpenView], *, today: date) -> OpenView:
    """The employment that speaks for the person within one source.

    Live before ended (one that vanished from the feed after a newer one began counts as ended);
    active before upcoming; latest start; stable id.
    """
    newest_begun = max(
        (
            view.record.start_date
            for view in views
            if view.missing_since is None
            and view.record.start_date is not None
            and view.record.start_date <= today
        ),
        default=None,
    )

    def rank(view: OpenView) -> tuple[bool, bool, int, str]:
        record = view.record
        start = record.start_date.toordinal() if record.start_date else 0
        replaced = (
            view.missing_since is not None
            and newest_begun is not None
            and (record.start_date is None or record.start_date < newest_begun)
        )
        return (
            not record.is_live or replaced,
            record.contract_status == "upcoming",
            -start,
            record.external_id,
        )

    return min(views, key=rank)


def emails_settle(
    wanted: Mapping[Ref, str], directory: Directory
) -> tuple[dict[Ref, str], list[Ref]]:
    """Give each person the address they want unless somebody else keeps it.

    Returns every person's address and those who had to keep their old one.
    """
    former = {
        email_key(alias): person.id
        for person in directory.people.values()
        for alias in person.aliases
    }
    settled = dict(wanted)
    losers: list[Ref] = []

    def present(ref: Ref) -> str:
        return directory.people[ref].values["work_email"] if isinstance(ref, int) else ref

    for ref, email in sorted(wanted.items(), key=lambda item: _by_age(item[0])):
        foreign = former.get(email_key(email))
        if email != present(ref) and foreign is not None and foreign != ref:
            settled[ref] = present(ref)
            losers.append(ref)
    while True:
        takers = _shared_addresses(settled)
        giving_way: list[Ref] = []
        for refs in takers.values():
            refs.sort(key=lambda ref: (settled[ref] != present(ref), _by_age(ref)))
            giving_way += [ref for ref in refs[1:] if settled[ref] != present(ref)]
        if not giving_way:
            return settled, losers
        for ref in giving_way:
            settled[ref] = present(ref)
        losers += giving_way


def _shared_addresses(settled: Mapping[Ref, str]) -> dict[str, list[Ref]]:
    """The addresses that more than one has, each with those who have it."""
    first: dict[str, Ref] = {}
    shared: dict[str, list[Ref]] = {}
    for ref, email in settled.items():
        key = email_key(email)
        holder = first.setdefault(key, ref)
        if holder != ref:
            shared.setdefault(key, [holder]).append(ref)
    return shared
