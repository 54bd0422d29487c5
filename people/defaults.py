"""The rows every workspace begins with."""

from __future__ import annotations

from django.conf import settings

from people.choices import WorkerType
from people.models import EmploymentType, WorkerTypeMapping, Workspace

EMPLOYMENT_TYPES = {"employee": "Employee", "contractor": "Contractor"}
MAPPING = {
    WorkerType.EOR_EMPLOYEE: "employee",
    WorkerType.DIRECT_EMPLOYEE: "employee",
    WorkerType.CONTRACTOR: "contractor",
}


def workspace_get() -> Workspace:
    """The one row of workspace settings, made from the environment where it is missing."""
    found = Workspace.objects.filter(pk=1).first()
    if found is not None:
        return found
    made, _ = Workspace.objects.get_or_create(
        pk=1,
        defaults={
            "timezone": settings.WORKSPACE_TIMEZONE,
            "sync_every_hours": settings.SYNC_EVERY_HOURS,
        },
    )
    return made


def directory_defaults_ensure() -> None:
    """Employment types and the worker type mapping, where an admin has not set them. Idempotent."""
    workspace_get()
    for key, name in EMPLOYMENT_TYPES.items():
        EmploymentType.objects.get_or_create(key=key, defaults={"name": name})
    if not WorkerTypeMapping.objects.exists():
        types = {item.key: item for item in EmploymentType.objects.all()}
        for worker_type, employment_type in MAPPING.items():
            WorkerTypeMapping.objects.get_or_create(
                worker_type=worker_type, defaults={"employment_type": types[employment_type]}
            )
