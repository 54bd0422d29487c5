"""What a first import would bring, in the words of the review. Pure: no database, no clock."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from integrations.safeguard import affected_by
from people.choices import PersonStatus, Problem, WorkerType
from people.matching import BAD_EMAIL, ENDED_UNKNOWN, NO_EMAIL
from people.plan import DATES, FROM_COUNTRY, INFERRED, TEXTS, Directory, PersonPlan, Plan, Ref
from people.records import SkippedRecord, WorkerRecord

SHOWN = ("work_email", *TEXTS, *DATES, "manager", "timezone")
"""Fields of the mapping, in the order they are shown."""
_EXAMPLES = 3
_LONGEST_EXAMPLE = 60
ENDED, NO_ADDRESS, DUPLICATE, OTHER = "ended", "no_email", "duplicate", "other"
_KINDS = {ENDED_UNKNOWN: ENDED, NO_EMAIL: NO_ADDRESS, BAD_EMAIL: NO_ADDRESS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """One judged feed: what is shown, and the fingerprint of what would be written."""

    summary: dict[str, Any]
    digests: dict[str, str]
    """Work e-mail → digest of the values the person would get."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everybody: equal fingerprints mean the same import."""
        body = json.dumps(sorted(self.digests.items()), separators=(",", ":"))
        return hashlib.sha256(body.encode()).hexdigest()

    def differences(self, before: Mapping[str, str]) -> list[str]:
        """Work e-mails whose import is no longer as it was in ``before``."""
        everybody = {*before, *self.digests}
        return sorted(email for email in everybody if before.get(email) != self.digests.get(email))


def reviewed(
    plan: Plan, *, records: Sequence[WorkerRecord], directory: Directory, source: str
) -> Reviewed:
    """Judge what ``plan`` would do with the ``records`` of ``source``."""
    emails = _emails(plan, directory)
    people = sorted(plan.people, key=lambda person: person.values["full_name"])
    present = [person for person in people if person.values["status"] != PersonStatus.ENDED]
    summary = {
        "people": [_row(person) for person in people],
        "counts": _counts(people),
        "skipped": _skipped(plan),
        "conflicts": [conflict.to_data() for conflict in plan.conflicts],
        "affected": [person.to_data() for person in affected_by(plan, directory)],
        "fields": _fields(people, emails, source=source),
        "worker_types": worker_types(records),
        "missing": {
            "no_manager": _with_problem(present, Problem.NO_MANAGER),
            "no_timezone": _with_problem(present, Problem.NO_TIMEZONE),
            "no_date_of_birth": sum(not person.values["date_of_birth"] for person in present),
        },
        "seen": len(records) + len(plan.skipped),
    }
    digests = {emails[person.ref]: _digest(person, emails) for person in people}
    return Reviewed(summary=summary, digests=digests)


def worker_types(records: Iterable[WorkerRecord]) -> list[dict[str, Any]]:
    """Each worker type with what the source calls it and how many have it; unknown ones first."""
    counts: dict[str, Counter[str]] = {}
    for record in records:
        if record.is_live:
            value = record.worker_type or WorkerType.OTHER.value
            counts.setdefault(value, Counter())[record.worker_type_raw or "–"] += 1
    order = [WorkerType.OTHER, *(kind for kind in WorkerType if kind != WorkerType.OTHER)]
    return [
        {
            "worker_type": kind.value,
            "count": sum(counts.get(kind.value, Counter()).values()),
            "raw": sorted(counts.get(kind.value, Counter()).items()),
        }
        for kind in order
        if kind != WorkerType.OTHER or kind.value in counts
    ]


def _emails(plan: Plan, directory: Directory) -> dict[Ref, str]:
    emails: dict[Ref, str] = {
        person.id: person.values["work_email"] for person in directory.people.values()
    }
    emails.update({person.ref: person.values["work_email"] for person in plan.people})
    return emails


def _row(person: PersonPlan) -> dict[str, Any]:
    values = person.values
    return {
        "name": values["full_name"] or values["work_email"],
        "work_email": values["work_email"],
        "remote_id": values["remote_id"],
        "worker_type": values["worker_type"],
        "employment_type": values["employment_type"],
        "status": values["status"],
        "country": values["country"],
        "start_date": _plain(values["start_date"]),
        "known": person.before is not None,
    }


def _counts(people: Sequence[PersonPlan]) -> dict[str, int]:
    found = Counter(str(person.values["status"]) for person in people)
    return {
        "people": len(people),
        "known": sum(person.before is not None for person in people),
        **{status.value: found[status.value] for status in PersonStatus},
    }


def _skipped(plan: Plan) -> list[dict[str, str]]:
    rows = [_skipped_row(record) for record in plan.skipped]
    for record_plan in plan.records:
        if record_plan.ref is not None and not record_plan.is_primary:
            record = record_plan.record
            rows.append(
                {
                    "remote_id": record.external_id,
                    "name": record.full_name,
                    "kind": DUPLICATE,
                    "reason": (
                        f"Another employment of {record.work_email} speaks for this person: one "
                        "person per work email."
                    ),
                }
            )
    order = (NO_ADDRESS, OTHER, DUPLICATE, ENDED)
    return sorted(rows, key=lambda row: (order.index(row["kind"]), row["name"]))


def _skipped_row(record: SkippedRecord) -> dict[str, str]:
    return {
        "remote_id": record.external_id,
        "name": record.name,
        "kind": _KINDS.get(record.reason, OTHER),
        "reason": record.reason,
    }


def _fields(
    people: Sequence[PersonPlan], emails: Mapping[Ref, str], *, source: str
) -> list[dict[str, Any]]:
    return [_field(name, people, emails, source=source) for name in SHOWN]


def _field(
    name: str, people: Sequence[PersonPlan], emails: Mapping[Ref, str], *, source: str
) -> dict[str, Any]:
    examples: list[str] = []
    filled = elsewhere = 0
    for person in people:
        value = person.values[name]
        if value in (None, ""):
            continue
        filled += 1
        found_in = person.value_sources.get(name, source)
        elsewhere += found_in not in (source, FROM_COUNTRY, INFERRED)
        words = emails.get(value, "") if name == "manager" else _plain(value)
        if len(examples) < _EXAMPLES and words not in examples:
            examples.append(str(words)[:_LONGEST_EXAMPLE])
    return {"field": name, "filled": filled, "elsewhere": elsewhere, "examples": examples}


def _with_problem(people: Iterable[PersonPlan], problem: Problem) -> int:
    return sum(problem.value in person.problems for person in people)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _digest(person: PersonPlan, emails: Mapping[Ref, str]) -> str:
    values = {**person.values, "manager": emails.get(person.values["manager"] or "", "")}
    body = json.dumps(values, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(body.encode()).hexdigest()[:16]
