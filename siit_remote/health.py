"""How the installation is: connections, syncs, runs, work that waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django_q.models import OrmQ

from integrations.freshness import full_syncs, is_stale, last_good_sync
from integrations.models import Connection, SyncRun
from integrations.people_sources import brings_people
from people.models import Person, Workspace
from siit_remote.lib import clock
from workflows.engine.freshness import directory_trouble
from workflows.gap_memory import gaps_count
from workflows.holds import holds_open
from workflows.models import Hold, Run, Workflow
from workflows.recovery import recovery_open

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionHealth:
    """One connection and its last sync. ``stale``: no good sync for two intervals."""

    connection: Connection
    last: SyncRun | None
    last_good: SyncRun | None
    held: SyncRun | None
    stale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Numbers of the home page; ``None`` for what the user may not see."""

    connections: list[ConnectionHealth] | None
    people: int | None
    workflows_live: int | None
    runs_held: int | None
    holds: int | None
    gaps: int | None
    directory: str
    """Why destructive steps wait; empty when the directory can be trusted."""
    restored: bool
    """Whether they wait because of a restored backup."""
    runs_failed: int | None
    runs_open: int | None
    queue: int | None


def connection_health(connection: Connection, *, at: datetime, hours: int) -> ConnectionHealth:
    """Where this connection stands at ``at`` when it syncs every ``hours``."""
    syncs = full_syncs(connection)
    good = last_good_sync(connection)
    is_source = brings_people(connection) and connection.finished_at is not None
    return ConnectionHealth(
        connection=connection,
        last=syncs.first(),
        last_good=good,
        held=syncs.filter(status=SyncRun.Status.HELD).first(),
        stale=is_source and is_stale(connection, last_good=good, at=at, hours=hours),
    )


def sync_hours() -> int:
    """Hours between syncs: the workspace's setting, else the installation's."""
    workspace = Workspace.objects.filter(pk=1).first()
    return workspace.sync_every_hours if workspace else settings.SYNC_EVERY_HOURS


def overview(user: Any) -> Overview:
    """What ``user`` may know of the installation now."""
    at = clock.now()
    sees_connections = user.has_perm("integrations.view_connection")
    sees_runs = user.has_perm("workflows.view_run")
    healths = None
    if sees_connections:
        hours = sync_hours()
        healths = [
            connection_health(connection, at=at, hours=hours)
            for connection in Connection.objects.exclude(status=Connection.Status.DISCONNECTED)
        ]
    runs = Run.objects.all()
    return Overview(
        connections=healths,
        people=Person.objects.count() if user.has_perm("people.view_person") else None,
        workflows_live=Workflow.objects.filter(status=Workflow.Status.LIVE).count()
        if user.has_perm("workflows.view_workflow")
        else None,
        runs_held=runs.filter(status=Run.Status.HELD).exclude(hold__status=Hold.Status.OPEN).count()
        if sees_runs
        else None,
        holds=holds_open().count() if user.has_perm("workflows.release_hold") else None,
        gaps=gaps_count(now=at) if sees_runs and user.has_perm("people.view_person") else None,
        directory=directory_trouble(now=at) if sees_runs else "",
        restored=sees_runs and recovery_open() is not None,
        runs_failed=runs.filter(
            status__in=[Run.Status.FAILED, Run.Status.DONE_WITH_ERRORS],
            finished_at__gte=at - timedelta(days=7),
        ).count()
        if sees_runs
        else None,
        runs_open=runs.filter(status__in=Run.OPEN).count() if sees_runs else None,
        queue=OrmQ.objects.count() if sees_runs else None,
    )
