"""What reconciliation reads and what it decides: plain values, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Protocol

from people.packing import MadeWhenAsked
from people.records import SkippedRecord, WorkerRecord

Ref = int | str
"""A person: primary key of a known one, work e-mail of one to be created."""

RecordKey = tuple[str, str]
"""Source and its id of the record."""

DATES = ("start_date", "end_date", "contract_end_date", "date_of_birth", "probation_end_date")
TEXTS: Mapping[str, int] = {
    "full_name": 300,
    "personal_email": 254,
    "preferred_name": 300,
    "job_title": 300,
    "seniority": 200,
    "team": 200,
    "country": 3,
    "legal_entity": 200,
    "worker_type": 30,
    "contract_type": 100,
    "contract_status": 20,
    "contract_status_raw": 100,
}
"""Text fields copied from records, with the longest value that is kept."""

FIELDS = (
    "work_email",
    *TEXTS,
    *DATES,
    "remote_id",
    "display_id",
    "manager",
    "employment_type",
    "status",
    "timezone",
    "language",
    "custom",
)
"""Every resolved field. ``manager`` holds a :data:`Ref`, team and legal entity their names."""

OVERRIDABLE = frozenset(FIELDS) - {
    "work_email",
    "remote_id",
    "display_id",
    "status",
    "contract_status",
    "contract_status_raw",
    "custom",
}
"""Fields an admin may set by hand (and any ``custom.NAME``)."""

CUSTOM = "custom."
"""What the key of a custom field begins with."""

SharedSources = dict[tuple[tuple[str, str], ...], dict[str, str]]


def shared(sources: dict[str, str], seen: SharedSources) -> dict[str, str]:
    """The first of ``seen`` that says the same: thousands of people share few of them."""
    return seen.setdefault(tuple(sorted(sources.items())), sources)


MANUAL = "manual"
INFERRED = "inferred"
UNSAID = "unsaid"
"""In ``end_date_source``: somebody is leaving and the source is silent about when."""
FROM_COUNTRY = "country"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """One person as the directory has them now."""

    id: int
    values: Mapping[str, Any]
    value_sources: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Field → JSON value set by hand; dates as ISO text, the manager as work e-mail."""
    aliases: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRecord:
    """One stored source record."""

    source: str
    external_id: str
    person_id: int | None
    digest: str
    values: Mapping[str, Any] = field(default_factory=dict)
    is_live: bool = True
    is_primary: bool = False
    skip_reason: str = ""
    missing_since: datetime | None = None

    @property
    def key(self) -> RecordKey:
        """Source and id."""
        return self.source, self.external_id

    @property
    def link(self) -> tuple[Ref | None, bool, str]:
        """Whose it is, whether it speaks for them, or why it is nobody's."""
        return self.person_id, self.is_primary, self.skip_reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everybody and every source record, as loaded from the database."""

    people: Mapping[int, KnownPerson] = field(default_factory=dict)
    records: Mapping[RecordKey, KnownRecord] = field(default_factory=dict)
    entity_names: Mapping[str, str] = field(default_factory=dict)
    """The source's id of a legal entity → the name we know it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How values are chosen."""

    field_sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field → connection keys, most trusted first."""
    sources_by_age: tuple[str, ...] = ()
    employment_types: Mapping[str, str] = field(default_factory=dict)
    """Worker type → key of an employment type."""
    entity_timezones: Mapping[str, str] = field(default_factory=dict)
    """Name of a legal entity → IANA zone, where it has one."""
    workspace_timezone: str = "UTC"
    custom_off: frozenset[str] = frozenset()
    """Keys of custom fields that are not in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field goes from one value to another; JSON values, the manager as work e-mail."""

    field: str
    before: Any
    after: Any
    source: str
    quiet: bool = False
    """Recorded, but starts nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonPlan:
    """A person to be created (``before`` is ``None``) or written anew."""

    ref: Ref
    before: KnownPerson | None
    values: Mapping[str, Any]
    value_sources: Mapping[str, str]
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    changes: tuple[FieldChange, ...]
    today: date
    """Today in the person's time zone."""

    def before_value(self, name: str) -> Any:
        """The field's value until now; ``None`` for somebody new."""
        return None if self.before is None else self.before.values.get(name)

    @property
    def joins(self) -> bool:
        """Whether they are added to the staff: new, or known by an account alone until now."""
        status = self.values["status"]
        if self.before is None:
            return bool(status != "external")
        return self.before_value("status") == "external" and status not in ("external", "ended")


class WholeRecord(Protocol):
    """A record wherever it lies."""

    @property
    def record(self) -> WorkerRecord:
        """The record itself."""
        ...

    @property
    def text(self) -> str:
        """Its values as JSON, as they are stored."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPlan:
    """A source record to be written."""

    key: RecordKey
    whole: WholeRecord = field(compare=False, repr=False)
    digest: str
    is_live: bool
    ref: Ref | None
    is_primary: bool
    skip_reason: str
    missing_since: datetime | None
    content_changed: bool

    @property
    def record(self) -> WorkerRecord:
        """What is to be written."""
        return self.whole.record


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two records that cannot both be right, in words."""

    work_email: str
    name: str
    reason: str

    def to_data(self) -> dict[str, str]:
        """JSON shape."""
        return {"work_email": self.work_email, "name": self.name, "reason": self.reason}


@dataclass(frozen=True, slots=True, kw_only=True)
class Absence:
    """A record that a complete feed no longer had."""

    key: RecordKey
    person_id: int | None
    name: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything one reconciliation would write; nothing outside it changes.

    Of a large plan, people and records are made anew each time they are read: read them in one
    pass, and keep none of them.
    """

    people: Sequence[PersonPlan] = ()
    records: Sequence[RecordPlan] = ()
    newly_missing: tuple[Absence, ...] = ()
    aliases: tuple[tuple[str, Ref], ...] = ()
    """Former work e-mails and whose they are."""
    skipped: tuple[SkippedRecord, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    unchanged: int = 0
    baseline: bool = False

    @cached_property
    def created(self) -> Sequence[PersonPlan]:
        """People to be created."""
        return self._part(new=True)

    @cached_property
    def known(self) -> Sequence[PersonPlan]:
        """People to be written anew."""
        return self._part(new=False)

    def _part(self, *, new: bool) -> Sequence[PersonPlan]:
        if isinstance(self.people, MadeWhenAsked):
            # Known people are referred to by primary key.
            return self.people.only(lambda ref: isinstance(ref, str) is new)
        return [person for person in self.people if (person.before is None) is new]

    @cached_property
    def updated(self) -> Sequence[PersonPlan]:
        """Known people with a changed value."""
        return [person for person in self.known if person.changes]

    @cached_property
    def ended(self) -> Sequence[PersonPlan]:
        """Those of :attr:`updated` who end now."""
        return [
            person
            for person in self.updated
            if person.values["status"] == "ended" and person.before_value("status") != "ended"
        ]

    @property
    def is_empty(self) -> bool:
        """Whether applying would write nothing at all."""
        return not (self.people or self.records or self.aliases)
