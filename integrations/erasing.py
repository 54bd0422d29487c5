"""What disconnecting means for people, and forgetting what a source sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from integrations.models import Connection, ReportedAccess, SyncRun
from integrations.services import connection_disconnect
from people.loading import directory_lock
from people.models import SourceRecord
from siit_remote.audit.services import record

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """Whom a disconnected source leaves behind."""

    people: int
    """People with a record of this source."""
    only_here: int
    """Those of them no other source speaks for."""
    records: int
    syncs: int


def disconnect_consequences(connection: Connection) -> Consequences:
    """Counted before anybody decides."""
    records = SourceRecord.objects.filter(source=connection.key)
    people = set(records.exclude(person=None).values_list("person_id", flat=True))
    elsewhere = set(
        SourceRecord.objects.exclude(source=connection.key)
        .exclude(person=None)
        .values_list("person_id", flat=True)
    )
    return Consequences(
        people=len(people),
        only_here=len(people - elsewhere),
        records=records.count(),
        syncs=connection.syncs.count(),
    )


def connection_erase(connection: Connection, *, actor: Actor) -> int:
    """Disconnect, and delete every record the source sent and every name in its log of syncs.

    People stay, with the values they have. Returns how many records were deleted.
    """
    with transaction.atomic():
        directory_lock()
        connection_disconnect(connection, actor=actor)
        erased, _ = SourceRecord.objects.filter(source=connection.key).delete()
        ReportedAccess.objects.filter(application__connection=connection).delete()
        SyncRun.objects.filter(connection=connection).update(
            names={}, skipped=[], conflicts=[], held_people=[], held_records=[], review={}
        )
        record(
            "connection.erased",
            actor=actor,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
            detail={"records": erased},
        )
    return erased
