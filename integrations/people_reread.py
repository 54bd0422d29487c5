"""Selected people read again from their source, in the background, with what came of each.

The code is the one that hints follow: a few employments are read afresh and judged as a sync would
judge them. What was asked for is a row from the first moment, so that whoever asked can watch it.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from integrations.connectors.base import Feed, SinglePeople
from integrations.errors import IntegrationError
from integrations.freshness import SELECTED
from integrations.models import Connection, SyncRun
from integrations.single_people import SYNC, single_failed, single_people_fetch
from integrations.sync_apply import Decision, judge, sync_apply
from integrations.sync_lease import sync_close, sync_take
from integrations.sync_report import outcome_columns
from people.loading import directory_load, directory_lock
from people.models import SourceRecord
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import QuerySet

    from people.models import Person

    Actor = AbstractBaseUser | AnonymousUser

logger = logging.getLogger(__name__)
REREAD = "integrations.tasks.reread_one"
AT_ONCE = 200
"""For more people than this one sync of everybody asks the source for less."""
Status = SyncRun.Status

CHANGED = "Changed, see below."
AS_BEFORE = "As it was."
UNKNOWN = "The source no longer knows them. Absent is not gone: the next sync looks for them again."
TOO_MUCH = (
    "Not applied: together these changes would take something from too many people. A sync of "
    "everybody follows; it is held, with the list, until somebody looks at it."
)


def reread_request(
    connection: Connection, people: QuerySet[Person], *, actor: Actor, now: datetime
) -> SyncRun:
    """Ask for ``people`` (those of them whom ``connection`` delivers) and ring the worker."""
    wanted: dict[int, dict[str, Any]] = {}
    rows = SourceRecord.objects.filter(
        source=connection.key, person__in=people.order_by().values("pk")
    )
    for row in rows.select_related("person").order_by("person__full_name", "pk"):
        if row.person is None:
            continue
        entry = wanted.setdefault(
            row.person.pk,
            {
                "person": row.person.pk,
                "name": str(row.person),
                "work_email": row.person.work_email,
                "ids": [],
            },
        )
        entry["ids"].append(row.external_id)
    with transaction.atomic():
        run = SyncRun.objects.create(
            connection=connection,
            status=Status.ASKED,
            trigger=SELECTED,
            started_at=now,
            requested_by_id=actor.pk,
            names={"selected": list(wanted.values())},
        )
        record(
            "sync.requested",
            actor=actor,
            object_type="connection",
            object_key=connection.key,
            object_label=connection.name,
            detail={"selected_people": len(wanted), "sync": run.pk},
        )
        ring(REREAD, run.pk)
    return run


def reread_run(run: SyncRun, *, now: datetime, client: SinglePeople | None = None) -> bool:
    """Read whom ``run`` asks for and apply what is harmless.

    False while another sync of the connection runs, or when somebody else took it: a run that
    still waits is looked at again by the schedule.
    """
    if not sync_take(run, now=now):
        return False
    connection = run.connection
    selected: list[dict[str, Any]] = run.names.get("selected", [])
    ids = [external_id for row in selected for external_id in row["ids"]]
    try:
        feed = single_people_fetch(connection, run, ids, client=client, now=now)
        _decide(connection, run, feed, selected=selected, now=now)
    except IntegrationError as error:
        single_failed(connection, run, error, now=now)
    except Exception:
        # The boundary of a task: whatever happens, the sync does not stay “running”.
        broken = IntegrationError("It broke off by an error of ours; nothing was applied.")
        single_failed(connection, run, broken, now=now)
        raise
    return True


def _decide(
    connection: Connection,
    run: SyncRun,
    feed: Feed,
    *,
    selected: Sequence[Mapping[str, Any]],
    now: datetime,
) -> None:
    with transaction.atomic():
        directory_lock()
        decision = judge(feed, directory=directory_load(), now=now, baseline=False, complete=False)
        said = _said(selected, feed, decision)
        if decision.reason:
            sync_close(
                run,
                status=Status.DISCARDED,
                now=now,
                requests=feed.requests,
                error=f"{decision.reason} {TOO_MUCH}",
                names={"selected": said},
            )
            ring(SYNC, connection.pk)
            return
        sync_apply(connection, run, decision.plan, feed=feed, actor=run.requested_by, now=now)
        columns = outcome_columns(decision.plan)
        columns["names"]["selected"] = said
        sync_close(
            run,
            status=Status.APPLIED,
            now=now,
            seen=len(feed.records),
            requests=feed.requests,
            taken_from=decision.taken_from,
            **columns,
        )


def _said(
    selected: Sequence[Mapping[str, Any]], feed: Feed, decision: Decision
) -> list[dict[str, Any]]:
    """Each of the selected with what came of reading them again."""
    read = {worker.external_id for worker in feed.records}
    left_out = {row.external_id: row.reason for row in (*feed.skipped, *decision.plan.skipped)}
    changed = {plan.ref for plan in decision.plan.updated}

    def words(row: Mapping[str, Any]) -> str:
        reasons = [left_out[one] for one in row["ids"] if one in left_out]
        if row["person"] in changed:
            return TOO_MUCH if decision.reason else CHANGED
        if reasons:
            return " ".join(dict.fromkeys(reasons))
        return AS_BEFORE if any(one in read for one in row["ids"]) else UNKNOWN

    return [{**row, "said": words(row)} for row in selected]
