"""Worker Type → Employment Type: read, rehearse and change it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from people.choices import WorkerType
from people.defaults import EMPLOYMENT_TYPES, MAPPING
from people.loading import directory_load, directory_lock, policy_load
from people.models import EmploymentType, WorkerTypeMapping
from people.reconcile import reconcile
from people.services import people_resolve_all
from siit_remote.audit.services import record
from siit_remote.lib.keys import key_from

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

_NAME_LENGTH = 120


class MappingRefusedError(Exception):
    """The mapping was not changed; the message says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingChange:
    """One person whose employment type would change. Types are given by key."""

    person_id: int
    name: str
    work_email: str
    worker_type: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingPreview:
    """Who would change, and the fingerprint that the change is confirmed with."""

    mapping: Mapping[str, str]
    types: Mapping[str, str]
    changes: tuple[MappingChange, ...]
    is_changed: bool

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the mapping and everybody it changes."""
        body = [sorted(self.mapping.items()), [asdict(change) for change in self.changes]]
        return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def mapping_now() -> dict[str, str]:
    """Worker type → key of its employment type."""
    return dict(WorkerTypeMapping.objects.values_list("worker_type", "employment_type__key"))


def mapping_draft() -> dict[str, Any]:
    """``mapping`` and ``types`` as they stand, or as a new workspace begins."""
    types = dict(EmploymentType.objects.values_list("key", "name"))
    return {
        "mapping": mapping_now() or {kind.value: key for kind, key in MAPPING.items()},
        "types": types or dict(EMPLOYMENT_TYPES),
    }


def types_with(types: Mapping[str, str], name: str) -> dict[str, str]:
    """``types`` and one more, called ``name``; nothing is added for a blank or known one."""
    name = " ".join(name.split())[:_NAME_LENGTH]
    key = key_from(name, kind="type")
    known = {label.casefold() for label in types.values()}
    new = key and key not in types and name.casefold() not in known
    return {**types, key: name} if new else dict(types)


def mapping_clean(mapping: Mapping[str, str], *, types: Mapping[str, str]) -> dict[str, str]:
    """Without blanks, unknown worker types and unknown employment types."""
    return {
        kind: key for kind, key in mapping.items() if kind in WorkerType.values and key in types
    }


def types_ensure(types: Mapping[str, str]) -> None:
    """Create the employment types that are missing."""
    for key, name in types.items():
        EmploymentType.objects.get_or_create(key=key, defaults={"name": name})


def mapping_store(mapping: Mapping[str, str], *, actor: Actor) -> bool:
    """Make the mapping exactly ``mapping``, without applying it. False when it was so already."""
    before = mapping_now()
    if before == dict(mapping):
        return False
    types = {row.key: row for row in EmploymentType.objects.filter(key__in=mapping.values())}
    WorkerTypeMapping.objects.exclude(worker_type__in=mapping).delete()
    for kind, key in mapping.items():
        WorkerTypeMapping.objects.update_or_create(
            worker_type=kind, defaults={"employment_type": types[key]}
        )
    record(
        "mapping.changed",
        actor=actor,
        object_type="mapping",
        object_key="worker_type",
        object_label="Worker Type → Employment Type",
        detail={"before": before, "after": dict(mapping)},
    )
    return True


def mapping_preview(
    mapping: Mapping[str, str], *, new_type: str = "", now: datetime
) -> MappingPreview:
    """Whose employment type ``mapping`` would change. Writes nothing; ``now`` is aware."""
    types = types_with(dict(EmploymentType.objects.values_list("key", "name")), new_type)
    wanted = mapping_clean(mapping, types=types)
    plan = reconcile(
        (),
        directory=directory_load(),
        policy=replace(policy_load(), employment_types=wanted),
        now=now,
        everyone=True,
    )
    changes = [
        MappingChange(
            person_id=person.before.id,
            name=person.values["full_name"] or person.values["work_email"],
            work_email=person.values["work_email"],
            worker_type=person.values["worker_type"],
            before=person.before.values["employment_type"],
            after=person.values["employment_type"],
        )
        for person in plan.updated
        if person.before is not None
        and person.before.values["employment_type"] != person.values["employment_type"]
    ]
    return MappingPreview(
        mapping=wanted,
        types=types,
        changes=tuple(sorted(changes, key=lambda change: (change.name, change.person_id))),
        is_changed=wanted != mapping_now(),
    )


def mapping_apply(
    mapping: Mapping[str, str],
    *,
    new_type: str = "",
    fingerprint: str,
    actor: Actor,
    now: datetime,
) -> MappingPreview:
    """Store the mapping and apply it to everybody, if it changes exactly whom the preview showed.

    Starts whatever the changed values start. Raises :class:`MappingRefusedError` otherwise.
    """
    with transaction.atomic():
        directory_lock()
        found = mapping_preview(mapping, new_type=new_type, now=now)
        if found.fingerprint != fingerprint:
            raise MappingRefusedError(
                "People or the mapping changed since you looked, so that others would be affected. "
                "Nothing was changed: look at the new list."
            )
        types_ensure(found.types)
        mapping_store(found.mapping, actor=actor)
        people_resolve_all(now=now, correlation=f"mapping:{now.isoformat()}"[:64])
    return found
