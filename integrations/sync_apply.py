"""Judge a feed and write what it means: shared by a sync and by the release of a held one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from integrations.connectors.base import Feed
from integrations.models import Connection, SyncRun
from integrations.safeguard import WINDOWS, Affected, Earlier, affected_by, hold_reason
from people.applying import plan_apply
from people.choices import PersonStatus
from people.defaults import workspace_get
from people.loading import digests_load, entity_names, policy_load
from people.organising import entities_ensure
from people.plan import Directory, Plan
from people.reconcile import reconcile
from people.services import ENGINE
from people.settling import Foresight
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None


def sources_by_age() -> tuple[str, ...]:
    """Keys of all connections, the one whose set-up was finished first in front."""
    rows = Connection.objects.order_by("created_at", "pk")
    return tuple(rows.values_list("key", flat=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be done with a feed."""

    plan: Plan
    reason: str = ""
    affected: tuple[Affected, ...] = ()

    @property
    def taken_from(self) -> list[int]:
        """Whom it takes something from when it is applied without a person's word."""
        return [person.person_id for person in self.affected]


def foresight_of(*, now: datetime) -> Foresight:
    """For a first import, whose people are mostly new."""
    directory = digests_load()
    return Foresight(
        known=directory.records,
        entity_names=entity_names(),
        policy=policy_load(sources_by_age=sources_by_age()),
        now=now,
    )


def judge(
    feed: Feed,
    *,
    directory: Directory,
    now: datetime,
    baseline: bool,
    complete: bool = True,
    foresight: Foresight | None = None,
) -> Decision:
    """Reconcile ``feed`` and ask the safeguard. Reads the policy and the workspace's limits.

    ``complete`` is false for single workers: nobody is absent from such a feed. ``foresight``: see
    :func:`people.reconcile.reconcile`.
    """
    plan = reconcile(
        feed.records,
        skipped=feed.skipped,
        directory=directory,
        policy=policy_load(sources_by_age=sources_by_age()),
        now=now,
        complete=complete,
        baseline=baseline,
        foresight=foresight,
    )
    affected = affected_by(plan, directory)
    workspace = workspace_get()
    here = {
        person.id
        for person in directory.people.values()
        if person.values["status"] not in (PersonStatus.ENDED, PersonStatus.EXTERNAL)
    }
    reason = hold_reason(
        affected,
        here=here,
        limit_people=workspace.sync_limit_people,
        limit_percent=workspace.sync_limit_percent,
        now=now,
        earlier=_earlier(now),
    )
    return Decision(
        plan=plan,
        reason=reason,
        affected=tuple(affected),
    )


def _earlier(now: datetime) -> list[Earlier]:
    """What the syncs of all connections took lately without being asked."""
    longest = max(window.length for window in WINDOWS)
    rows = SyncRun.objects.filter(status=SyncRun.Status.APPLIED, finished_at__gt=now - longest)
    return [
        Earlier(at=at, people=frozenset(people))
        for at, people in rows.exclude(taken_from=[]).values_list("finished_at", "taken_from")
        if at is not None
    ]


def sync_apply(
    connection: Connection,
    run: SyncRun,
    plan: Plan,
    *,
    feed: Feed,
    actor: Actor,
    now: datetime,
    action: str = "sync.applied",
    detail: dict[str, Any] | None = None,
) -> None:
    """Write ``plan`` in the caller's transaction, finish a set-up, and ring the engine's bell."""
    baseline = connection.finished_at is None
    if not plan.is_empty:
        entities_ensure(feed.entities)
    result = plan_apply(plan, now=now, correlation=f"sync:{run.pk}")
    values: dict[str, Any] = {"last_ok_at": now, "last_error": "", "last_error_code": ""}
    if baseline:
        values["finished_at"] = now
    rows = Connection.objects.filter(pk=connection.pk)
    rows.exclude(status=Connection.Status.DISCONNECTED).update(
        status=Connection.Status.READY, **values
    )
    connection.refresh_from_db()
    if baseline:
        sync_record("connection.finished", connection, run, actor, {})
    if result.changed_anything or actor is not None:
        counts = {"created": result.created, "updated": result.updated, "ended": result.ended}
        sync_record(action, connection, run, actor, {**counts, **(detail or {})})
    if result.changed_anything:
        ring(ENGINE)


def sync_record(
    action: str, connection: Connection, run: SyncRun, actor: Actor, detail: dict[str, Any]
) -> None:
    """Write an audit entry about one sync, tied to everything that it changed."""
    record(
        action,
        actor=actor,
        object_type="connection",
        object_key=connection.key,
        object_label=connection.name,
        detail={"sync": run.pk, **detail},
        correlation=f"sync:{run.pk}",
    )
