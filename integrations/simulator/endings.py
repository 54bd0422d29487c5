"""The lists in which the service announces that somebody leaves: four, by kind of worker.

https://developer.remote.com/reference/get_index_offboarding
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

from integrations.simulator.dice import stable_id
from integrations.simulator.vocabulary import Record

OFFBOARDING_KINDS = frozenset(("termination", "resignation", "confidential"))
LIST_KINDS = OFFBOARDING_KINDS | {"direct", "cor"}


@dataclass
class Endings:
    """Rows by employment id; the first two lists tell the same story in two shapes."""

    offboardings: dict[str, Record] = field(default_factory=dict)
    offboardings_v2: dict[str, Record] = field(default_factory=dict)
    direct: dict[str, Record] = field(default_factory=dict)
    cor: dict[str, Record] = field(default_factory=dict)

    def announce(
        self,
        employment: Record,
        *,
        kind: str,
        end: date,
        last_day: date | None,
        done: bool,
        today: date,
        seed: int,
    ) -> None:
        """Add or move the row for one employment. `end` and `last_day` are calendar days."""
        key = employment["id"]
        row_id = stable_id(seed, "ending", kind, key)
        at = f"{today.isoformat()}T08:00:00Z"
        if kind in OFFBOARDING_KINDS:
            self.offboardings[key] = _offboarding(employment, row_id, kind, end, done, at)
            self.offboardings_v2[key] = _offboarding_v2(employment, row_id, kind, end, done, at)
        elif kind == "direct":
            self.direct[key] = {
                "id": row_id,
                "employment_id": key,
                "status": "completed" if done else "in_review",
                "type": "termination",
                "is_confidential_termination": False,
                "last_working_day": (last_day or end).isoformat(),
                "termination_date": end.isoformat(),
            }
        elif kind == "cor":
            self.cor[key] = {
                "id": row_id,
                "employment_id": key,
                "status": "executed" if done else "initiated",
                "termination_date": end.isoformat(),
                "employment_deactivation_date": (end + timedelta(days=1)).isoformat(),
                "initiated_at": at,
                "executed_at": at if done else None,
                "cancelled_at": None,
            }

    def withdraw(self, employment_id: str, *, at: str) -> None:
        """Cancel what was announced: cancelled where the list has a word for it, else gone."""
        self.offboardings_v2.pop(employment_id, None)
        self.direct.pop(employment_id, None)
        if (row := self.offboardings.get(employment_id)) is not None:
            self.offboardings[employment_id] = row | {"status": "canceled"}
        if (row := self.cor.get(employment_id)) is not None:
            self.cor[employment_id] = row | {"status": "cancelled", "cancelled_at": at}

    def complete(self, employment_id: str, *, at: str) -> None:
        """Mark the announced ending as carried out."""
        _set(self.offboardings, employment_id, status="done")
        _set(self.offboardings_v2, employment_id, status="completed")
        _set(self.direct, employment_id, status="completed")
        _set(self.cor, employment_id, status="executed", executed_at=at)

    def forget(self, employment_id: str) -> None:
        for rows in (self.offboardings, self.offboardings_v2, self.direct, self.cor):
            rows.pop(employment_id, None)

    def termination_date(self, employment_id: str) -> str | None:
        """What showing one employment says; a confidential one stays hidden, as in the lists."""
        row = self.offboardings_v2.get(employment_id)
        if row is not None:
            return None if row["confidential"] else row["termination_date"]
        row = self.direct.get(employment_id)
        return row["termination_date"] if row else None


def _set(rows: dict[str, Record], key: str, **values: str) -> None:
    if (row := rows.get(key)) is not None and row["status"] not in ("canceled", "cancelled"):
        rows[key] = row | values


def _offboarding(
    employment: Record, row_id: str, kind: str, end: date, done: bool, at: str
) -> Record:
    common = {
        "id": row_id,
        "offboarding_id": row_id,
        "employment_id": employment["id"],
        "status": "done" if done else "in_review",
        "submitted_at": at,
        "requested_by": "Grace Okoye",
        "termination_date": end.isoformat(),
        "additional_comments": None,
        "agrees_to_pto_amount": True,
        "reason_description": "Agreed with the manager",
    }
    if kind == "resignation":
        return common | {
            "type": "resignation",
            "resignation_reason": "other_job_opportunity",
            "employer_awareness": at[:10],
            "proposed_last_working_day": end.isoformat(),
        }
    return common | {
        "type": "termination",
        "termination_reason": "mutual_agreement",
        "confidential": kind == "confidential",
        "employee_awareness": {"date": None, "note": None},
        "personal_email": employment["personal_email"],
        "proposed_termination_date": end.isoformat(),
        "risk_assessment_reasons": ["none_of_these"],
        "will_challenge_termination": False,
        "will_challenge_termination_description": "",
    }


def _offboarding_v2(
    employment: Record, row_id: str, kind: str, end: date, done: bool, at: str
) -> Record:
    resigned = kind == "resignation"
    proposed = "proposed_last_working_day" if resigned else "proposed_termination_date"
    return {
        "id": row_id,
        "employment_id": employment["id"],
        "type": "resignation" if resigned else "termination",
        "status": "completed" if done else "in_review",
        "termination_date": end.isoformat(),
        "confidential": kind == "confidential",
        "reason": "other_job_opportunity" if resigned else "mutual_agreement",
        "inserted_at": at,
        "request": {
            proposed: end.isoformat(),
            "reason_description": "Agreed with the manager",
            "additional_comments": None,
        },
    }
