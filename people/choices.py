"""Closed vocabularies of the directory: value, label, and the chip colour each is shown in."""

from __future__ import annotations

from django.db.models import TextChoices


class WorkerType(TextChoices):
    """What the HR system says the worker is."""

    EOR_EMPLOYEE = "eor_employee", "EOR Employee"
    DIRECT_EMPLOYEE = "direct_employee", "Direct Employee"
    CONTRACTOR = "contractor", "Contractor"
    OTHER = "other", "Other"


class ContractStatus(TextChoices):
    """The HR system's status reduced to what matters; the raw value is kept beside it."""

    UPCOMING = "upcoming", "Upcoming"
    ACTIVE = "active", "Active"
    ENDED = "ended", "Ended"


class PersonStatus(TextChoices):
    """Where the person stands with the company."""

    HIRED = "hired", "Upcoming"
    ACTIVE = "active", "Active"
    OFFBOARDING = "offboarding", "Offboarding"
    ENDED = "ended", "Ended"
    EXTERNAL = "external", "External"


class Problem(TextChoices):
    """A data problem of one person, shown as a chip and explained where it can be mended."""

    NO_MANAGER = "no_manager", "No manager"
    MANAGER_UNKNOWN = "manager_unknown", "Manager not found"
    MANAGER_SELF = "manager_self", "Is their own manager"
    MANAGER_CYCLE = "manager_cycle", "Managers form a circle"
    MANAGER_ENDED = "manager_ended", "Manager has left"
    UNKNOWN_WORKER_TYPE = "unknown_worker_type", "Unknown worker type"
    UNKNOWN_STATUS = "unknown_status", "Unknown status"
    UNKNOWN_COUNTRY = "unknown_country", "Unknown country"
    NO_TIMEZONE = "no_timezone", "No time zone"
    NO_START_DATE = "no_start_date", "No start date"
    NO_END_DATE = "no_end_date", "Leaving, but no end date"
    END_DATE_INFERRED = "end_date_inferred", "End date inferred"
    BAD_VALUE = "bad_value", "Unreadable value"
    TWO_LIVE_EMPLOYMENTS = "two_live_employments", "Two live employments"


class EventKind(TextChoices):
    """What happened to a person, as rows of the outbox."""

    PERSON_ADDED = "person.added", "Person added"
    PERSON_CHANGED = "person.changed", "Person changed"


CHIP_COLOURS: dict[str, str] = {
    WorkerType.EOR_EMPLOYEE: "eor",
    WorkerType.CONTRACTOR: "contractor",
    WorkerType.DIRECT_EMPLOYEE: "neutral",
    WorkerType.OTHER: "warning",
    PersonStatus.HIRED: "upcoming",
    PersonStatus.ACTIVE: "active",
    PersonStatus.OFFBOARDING: "offboarding",
    PersonStatus.ENDED: "ended",
    PersonStatus.EXTERNAL: "neutral",
    ContractStatus.UPCOMING: "upcoming",
}
