"""Save an application of the catalogue: judged as a whole, written once, audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

from integrations.access_calls import PLACES, assigns_applications
from integrations.models import AccessReading, Application
from siit_remote.audit.services import record
from workflows.conditions.check import check_group
from workflows.conditions.tree import parse_group
from workflows.field_types import field_types_now
from workflows.problems import DocumentError, Problem

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from integrations.models import Connection
    from people.models import Person

Provision = Application.Provision
ICONS = (
    *("app-window", "code", "database", "mail", "message-square", "globe", "key-round"),
    *("briefcase", "building-2", "cloud", "file-text", "hard-drive", "laptop", "package"),
    *("server", "shield", "terminal", "users", "wrench", "star"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationValues:
    """Everything that is set of an application.

    ``place`` is what the group or the application is called at the connection; it counts only where
    it is given by one.
    """

    key: str
    name: str
    description: str
    category: str
    icon: str
    owner: Person | None
    connection: Connection | None
    provision_by: str
    place: str
    entitle: dict[str, Any] | None
    sensitive: bool
    active: bool


def application_save(
    values: ApplicationValues, *, new: bool, actor: AbstractBaseUser | AnonymousUser | None
) -> Application:
    """Create or change an application. Raises ``DocumentError`` with every problem."""
    problems = [*_problems(values, new=new), *_rule_problems(values.entitle)]
    if problems:
        raise DocumentError(problems)
    row = Application(key=values.key) if new else Application.objects.get(key=values.key)
    before = {} if new else _plain(row)
    _take_over(row, values)
    after = _plain(row)
    changed = sorted(name for name, value in after.items() if before.get(name) != value)
    if not new and not changed:
        return row
    try:
        with transaction.atomic():
            row.save(force_insert=new)
            record(
                "application.saved",
                actor=actor,
                object_type="application",
                object_key=row.key,
                object_label=row.name,
                detail={"new": new, "changed": changed},
            )
            AccessReading.objects.update_or_create(application=row, defaults={"changed": True})
    except IntegrityError as error:
        message = f"There is an application “{values.key}” already. Choose another key."
        raise DocumentError([Problem("key", message)]) from error
    return row


def _take_over(row: Application, values: ApplicationValues) -> None:
    row.name, row.description = values.name, values.description
    row.category, row.icon = values.category, values.icon
    row.owner, row.connection = values.owner, values.connection
    row.provision_by = values.provision_by
    # What a document set beside the name stays.
    kept = {name: value for name, value in row.provision.items() if name not in PLACES.values()}
    place = PLACES.get(values.provision_by)
    row.provision = kept | ({place: values.place} if place else {})
    row.entitle = values.entitle
    row.sensitive, row.active = values.sensitive, values.active


def _plain(row: Application) -> dict[str, Any]:
    names = (
        *("name", "description", "category", "icon", "owner_id", "connection_id"),
        *("provision_by", "provision", "entitle", "sensitive", "active"),
    )
    return {name: getattr(row, name) for name in names}


def _problems(values: ApplicationValues, *, new: bool) -> list[Problem]:
    found = []
    if new and Application.objects.filter(key=values.key).exists():
        message = f"There is an application “{values.key}” already. Choose another key."
        found.append(Problem("key", message))
    if values.provision_by != Provision.TASK and values.connection is None:
        found.append(
            Problem(
                "connection",
                "Choose the connection that gives it, or say that it is given by hand.",
            )
        )
    if values.provision_by == Provision.GROUP and not values.place:
        found.append(Problem("place", "Name the group whose members have the application."))
    if values.provision_by == Provision.APP:
        found += _app_problems(values)
    if values.owner is not None and not values.owner.is_current:
        found.append(Problem("owner", f"{values.owner} has left. Choose somebody who is here."))
    return found


def _app_problems(values: ApplicationValues) -> list[Problem]:
    found = []
    if not values.place:
        found.append(Problem("place", "Name the application as the connection calls it."))
    if values.connection is not None and not assigns_applications(values.connection):
        message = f"{values.connection} has no applications to assign. Choose a group instead."
        found.append(Problem("provision_by", message))
    return found


def _rule_problems(entitle: dict[str, Any] | None) -> list[Problem]:
    if entitle is None:
        return []
    group, reader = parse_group(entitle, "conditions")
    if reader.problems:
        return list(reader.problems)
    found = check_group(group, "conditions", types=field_types_now())
    return [problem for problem in found if problem.level == "error"]
