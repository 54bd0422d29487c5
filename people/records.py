"""The neutral record in which a source hands over one worker; the directory knows no vendor."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any


class _Digested:
    """Room for what is computed from a record once; no field of it."""

    __slots__ = ("_digest",)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRecord(_Digested):
    """One employment (or account) as a source reports it, values already normalised.

    Texts are stripped, ``""`` means the source gave nothing. ``work_email`` is lower-case.
    ``country`` is ISO 3166-1 alpha-3. ``worker_type`` and ``contract_status`` carry the values of
    :mod:`people.choices`; what the source said stands in ``worker_type_raw`` and
    ``contract_status_raw``. Dates are calendar dates in the person's own place.
    ``end_date`` is the date access should follow: the last working day where it is known.
    """

    source: str
    """Key of the connection the record came from."""
    external_id: str
    """The source's stable id of this employment."""
    display_id: str = ""
    """Short id shown in the source's own screens."""
    work_email: str = ""
    personal_email: str = ""
    """Lower-case; where the person is reached before their first day."""
    full_name: str = ""
    preferred_name: str = ""
    job_title: str = ""
    seniority: str = ""
    team: str = ""
    country: str = ""
    legal_entity: str = ""
    legal_entity_id: str = ""
    worker_type: str = ""
    worker_type_raw: str = ""
    contract_type: str = ""
    contract_status: str = ""
    contract_status_raw: str = ""
    start_date: date | None = None
    end_date: date | None = None
    contract_end_date: date | None = None
    """When the contract itself ends, where that differs from the last working day."""
    end_date_source: str = ""
    """Which of the source's fields gave ``end_date``, in words; ``inferred`` when deduced,
    ``unsaid`` when an offboarding is under way of which the source tells nothing at all."""
    date_of_birth: date | None = None
    probation_end_date: date | None = None
    timezone: str = ""
    offboarding: bool = False
    """The source says an offboarding is under way, with or without a date."""
    never_started: bool = False
    """An onboarding that was cancelled: an end that is no leaving."""
    manager_external_id: str = ""
    manager_email: str = ""
    manager_user_email: str = ""
    """E-mail of the manager's user account, for managers who are no workers themselves."""
    manager_name: str = ""
    language: str = ""
    """Language tag, as ``fr`` or ``pt-BR``."""
    account: bool = False
    """An account at an identity provider: no employment, so nobody starts or leaves by it."""
    deactivated: bool = False
    """Of an account: nobody can sign in with it any more."""
    custom: dict[str, Any] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    """Values of :class:`people.choices.Problem` that the source's own data shows."""
    notes: tuple[str, ...] = ()
    """For each problem a sentence with the raw value, for the data problems page."""

    @property
    def is_live(self) -> bool:
        """Upcoming or active: an employment that has not ended, or an account in use."""
        return self.contract_status != "ended" and not self.deactivated

    def to_data(self) -> dict[str, Any]:
        """JSON shape; dates as ISO text."""
        data = {name: getattr(self, name) for name in _NAMES}
        for name in DATE_FIELDS:
            if data[name] is not None:
                data[name] = data[name].isoformat()
        data["problems"], data["notes"] = list(self.problems), list(self.notes)
        data["custom"] = dict(self.custom)
        return data

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> WorkerRecord:
        """Inverse of :meth:`to_data`; unknown keys of newer versions are left out."""
        known = {key: value for key, value in data.items() if key in cls.__dataclass_fields__}
        for key in DATE_FIELDS:
            if known.get(key):
                known[key] = date.fromisoformat(known[key])
        for key in ("problems", "notes"):
            known[key] = tuple(known.get(key, ()))
        return cls(**known)

    def digest(self) -> str:
        """SHA-256 over the whole record: equal digests mean nothing to write."""
        # Records never change, and each is asked several times in one sync.
        found: str = getattr(self, "_digest", "")
        if not found:
            found = digest_of(self.canonical())
            object.__setattr__(self, "_digest", found)
        return found

    def canonical(self) -> str:
        """The one JSON text of these values: :meth:`to_data` with sorted keys, without spaces."""
        return _canonical(self.to_data())

    @classmethod
    def from_canonical(cls, text: str, *, digest: str) -> WorkerRecord:
        """Inverse of :meth:`canonical`; ``digest`` is what :meth:`digest` gave for it."""
        data = json.loads(text)
        for name in DATE_FIELDS:
            if data[name]:
                data[name] = date.fromisoformat(data[name])
        data["problems"], data["notes"] = tuple(data["problems"]), tuple(data["notes"])
        record = cls(**data)
        object.__setattr__(record, "_digest", digest)
        return record


DATE_FIELDS = (
    "start_date",
    "end_date",
    "contract_end_date",
    "date_of_birth",
    "probation_end_date",
)
_NAMES = tuple(WorkerRecord.__dataclass_fields__)
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def digest_of(canonical: str) -> str:
    """SHA-256 of a record's :meth:`~WorkerRecord.canonical` text."""
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedRecord:
    """A worker the source listed that cannot become a person, with the reason in words."""

    external_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomDefinition:
    """A field beyond the usual ones, as a source defines it.

    ``type`` is one of :class:`people.models.CustomField.Type`; ``options`` are what can be chosen.
    """

    external_id: str
    label: str
    type: str
    options: tuple[str, ...] = ()
