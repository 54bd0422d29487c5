"""What happens at the company while it is being watched: hires, changes, leavers, with events."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from integrations.simulator.cast import Part
from integrations.simulator.company import Company, mailbox_of, make_identity
from integrations.simulator.endings import LIST_KINDS
from integrations.simulator.events import flat_body
from integrations.simulator.records import (
    Identity,
    country_object,
    employment_record,
    manager_fields,
)
from integrations.simulator.vocabulary import Record

# Which event tells of which changed key; any other key is an `employment.updated`.
_EVENTS: dict[str, str] = {
    "work_email": "employment.work_email.updated",
    "department": "employment.details.updated",
    "department_id": "employment.details.updated",
    "manager": "employment.details.updated",
    "manager_id": "employment.details.updated",
    "manager_email": "employment.details.updated",
    "manager_employment_id": "employment.details.updated",
    "provisional_start_date": "employment.start_date.changed",
    "status": "employment.status.updated",
    "personal_details": "employment.personal_information.updated",
    "full_name": "employment_basic_information.updated",
    "administrative_details": "employment.administrative_details.updated",
}
_KINDS_BY_TYPE = {"direct_employee": "direct", "global_payroll_employee": "direct"}


class UnknownEmploymentError(LookupError):
    """No employment has this id."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """The friendly words of a hire, apart from plain record keys."""

    full_name: str
    mailbox: str
    country: str
    kind: str
    team: str
    title: str
    start: date


class Changes:
    """Thread safe. `fire` receives each event body; `clock` gives seconds since the epoch."""

    def __init__(
        self, company: Company, *, fire: Callable[[Record], None], clock: Callable[[], float]
    ) -> None:
        self.company = company
        self.lock = threading.RLock()
        self._fire = fire
        self._clock = clock
        self._hired = 0

    def find(self, work_email: str) -> list[Record]:
        """Every employment with this work email, compared without case and outer spaces."""
        wanted = work_email.strip().lower()
        with self.lock:
            return [
                row
                for row in self.company.employments.values()
                if (row["work_email"] or "").strip().lower() == wanted
            ]

    def get(self, employment_id: str) -> Record:
        with self.lock:
            try:
                return self.company.employments[employment_id]
            except KeyError:
                raise UnknownEmploymentError(employment_id) from None

    def hire(self, **fields: Any) -> Record:
        """Add an employment and return its record.

        Besides record keys: `country` as an alpha-3 code, `kind` (eor, payroll, hris, standard,
        plus, cor), `start_date` and `birthdate` as dates or ISO text, `manager` as a work email.
        """
        with self.lock:
            wish = _wish(fields, self.company)
            index = len(self.company.employments)
            self._hired += 1
            who = make_identity(
                self.company.seed,
                key=f"hire-{self._hired}",
                full_name=wish.full_name,
                mailbox=wish.mailbox,
                domain=self.company.domain,
            )
            given, _, surname = wish.full_name.partition(" ")
            part = Part(
                given, surname, wish.title, wish.team, wish.country, wish.kind,
                (wish.start - self.company.today).days,
            )  # fmt: skip
            record = employment_record(
                self.company.house, index=index, part=part, who=who, boss=None
            )
            record |= self._translated(fields, record)
            record["created_at"] = record["updated_at"] = self._now()
            self.company.employments[record["id"]] = record
        active = record["status"] == "active"
        self._tell(f"employment.onboarding.{'completed' if active else 'started'}", record["id"])
        return record

    def update(self, employment_id: str, **fields: Any) -> Record:
        """Change keys of a record (also the friendly ones of `hire`), firing the fitting events."""
        with self.lock:
            old = self.get(employment_id)
            values = self._translated(fields, old)
            record = old | values | {"updated_at": self._now()}
            self.company.employments[employment_id] = record
        changed = [key for key, value in values.items() if old.get(key) != value]
        names = {_EVENTS.get(key, "employment.updated") for key in changed}
        for name in sorted(names):
            self._tell(name, employment_id)
        return record

    def set_custom_value(self, employment_id: str, name: str, value: object) -> None:
        with self.lock:
            self.get(employment_id)
            self.company.custom_values.setdefault(employment_id, {})[name] = value
        self._tell("custom_field.value_updated", employment_id)

    def terminate(
        self,
        employment_id: str,
        end: date | str,
        *,
        kind: str = "auto",
        last_working_day: date | str | None = None,
    ) -> Record:
        """Announce, or move, the day somebody leaves.

        `kind`: termination, resignation, confidential, direct, cor, service, fixed; `auto` takes
        the usual one for the worker type.
        """
        end_day = _day(end)
        with self.lock:
            record = self.get(employment_id)
            kind = _usual_kind(record) if kind == "auto" else kind
            values = _ending_on_record(record, kind, end_day)
            record = record | values | {"updated_at": self._now()}
            self.company.employments[employment_id] = record
            if kind in LIST_KINDS:
                self.company.endings.announce(
                    record,
                    kind=kind,
                    end=end_day,
                    last_day=_day(last_working_day) if last_working_day else None,
                    done=False,
                    today=self._today(),
                    seed=self.company.seed,
                )
        for name in _ending_events(kind):
            self._tell(name, employment_id)
        return record

    def cancel_termination(self, employment_id: str) -> Record:
        """Take back an announced ending: the worker stays."""
        with self.lock:
            record = self.get(employment_id)
            details = record["contract_details"] or {}
            if "service_duration" in details:
                details = details | {"service_duration": {}}
            if details.get("contract_end_date"):
                details |= {"contract_end_date": None, "contract_duration_type": "indefinite"}
            values: Record = {"expiration_date": None, "contract_details": details}
            if record["status"] == "offboarding":
                values["status"] = "active"
            record = record | values | {"updated_at": self._now()}
            self.company.employments[employment_id] = record
            offboarding_id = self._offboarding_id(employment_id)
            self.company.endings.withdraw(employment_id, at=self._now())
        self._tell("offboarding.deleted", employment_id, offboarding_id)
        self._tell("employment.status.updated", employment_id)
        return record

    def archive(self, employment_id: str) -> Record:
        """The working relation is over; announced endings are completed."""
        with self.lock:
            record = self.get(employment_id) | {
                "status": "archived",
                "employment_lifecycle_stage": "offboarded",
                "user_status": "inactive",
                "updated_at": self._now(),
            }
            self.company.employments[employment_id] = record
            self.company.endings.complete(employment_id, at=self._now())
            offboarding_id = self._offboarding_id(employment_id)
        if offboarding_id:
            self._tell("offboarding.completed", employment_id, offboarding_id)
        self._tell("employment.status.updated", employment_id)
        self._tell("employment.user_status.deactivated", employment_id)
        return record

    def remove(self, employment_id: str) -> None:
        """Delete for good: the employment answers 404 and is in no list any more."""
        with self.lock:
            self.get(employment_id)
            del self.company.employments[employment_id]
            self.company.endings.forget(employment_id)
            self.company.custom_values.pop(employment_id, None)
        self._tell("employment.hard_deleted", employment_id)

    def trigger(self, event_type: str, employment_id: str) -> None:
        """Fire one event without changing anything, as the sandbox offers."""
        self.get(employment_id)
        self._tell(event_type, employment_id, self._offboarding_id(employment_id))

    def _translated(self, fields: dict[str, Any], base: Record) -> Record:
        values = {key: _plain(value) for key, value in fields.items()}
        values.pop("kind", None)
        if isinstance(values.get("country"), str):
            values["country"] = country_object(values["country"])
        if "start_date" in values:
            values["provisional_start_date"] = values.pop("start_date")
        if "birthdate" in values:
            details = base["personal_details"] or {}
            values["personal_details"] = details | {"birthdate": values.pop("birthdate")}
        if "department" in values and "department_id" not in values:
            ids = self.company.house.department_ids
            values["department_id"] = ids.get(values["department"])
        if "@" in str(values.get("manager")):
            values |= self._manager(values.pop("manager"))
        return values

    def _manager(self, work_email: str) -> Record:
        rows = self.find(work_email)
        if not rows:
            raise UnknownEmploymentError("no employment has the manager's work email")
        row = rows[-1]
        boss = Identity(row["id"], row["user_id"], row["full_name"], row["work_email"], "")
        return manager_fields(boss)

    def _offboarding_id(self, employment_id: str) -> str | None:
        row = self.company.endings.offboardings_v2.get(employment_id)
        return row["id"] if row else None

    def _tell(self, name: str, employment_id: str, offboarding_id: str | None = None) -> None:
        if name.startswith("offboarding.") and offboarding_id is None:
            offboarding_id = self._offboarding_id(employment_id)
        company_id = self.company.id
        self._fire(
            flat_body(
                name,
                company_id=company_id,
                employment_id=employment_id,
                offboarding_id=offboarding_id,
            )
        )

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()


def _wish(fields: dict[str, Any], company: Company) -> _Wish:
    email = fields.get("work_email") or ""
    full_name = fields.get("full_name") or "New Colleague"
    country = fields.get("country")
    start = fields.get("start_date") or fields.get("provisional_start_date") or company.today
    department = fields.get("department")
    return _Wish(
        full_name=full_name,
        mailbox=email.partition("@")[0] or mailbox_of(full_name),
        country=country if isinstance(country, str) else "USA",
        kind=fields.get("kind") or "eor",
        team=department if department in company.house.department_ids else "Engineering",
        title=fields.get("job_title") or "Software Engineer",
        start=_day(start),
    )


def _usual_kind(record: Record) -> str:
    if record["type"] == "contractor":
        return "cor" if record["contractor_type"] == "cor" else "service"
    return _KINDS_BY_TYPE.get(record["type"], "termination")


def _ending_on_record(record: Record, kind: str, end: date) -> Record:
    details = record["contract_details"] or {}
    if kind == "cor":
        return {"expiration_date": end.isoformat()}
    if kind == "service":
        duration = (details.get("service_duration") or {}) | {"expiration_date": end.isoformat()}
        return {"contract_details": details | {"service_duration": duration}}
    if kind == "fixed":
        fixed = {"contract_duration_type": "fixed", "contract_end_date": end.isoformat()}
        return {"contract_details": details | fixed}
    if kind not in LIST_KINDS:
        raise ValueError(f"unknown kind of ending {kind!r}")
    return {"status": "offboarding"}


def _ending_events(kind: str) -> tuple[str, ...]:
    if kind == "cor":
        return ("employment.contractor_of_record_termination.initiated",)
    if kind in ("service", "fixed"):
        return ("employment.updated",)
    if kind == "direct":
        return ("employment.status.updated",)
    return ("offboarding.submitted", "employment.status.updated")


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
