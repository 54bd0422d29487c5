"""What the task queue calls: thin doors into services, safe to run twice and anywhere."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from siit_remote import beats
from siit_remote.audit.head import head_note
from siit_remote.lib import clock
from siit_remote.lib.bell import ring
from siit_remote.outages import outages_report
from siit_remote.restored import restored_report
from siit_remote.staleness import stale_report
from workflows.access.drift import drift_count_changed
from workflows.access.looking_after import access_look_after
from workflows.bounces import bounces_follow
from workflows.chat import chat_refresh
from workflows.engine.refusals import refusals_forget
from workflows.forecasting import snapshot_keep
from workflows.gap_memory import gaps_look
from workflows.one_pass import pass_once
from workflows.recovery import audit_head_path, recovery_watch
from workflows.retention import old_forget
from workflows.shipments import shipments_watch
from workflows.tasks_watch import tasks_watch

PASS_TAKES: Final = timedelta(seconds=30)
"""How long a pass takes up new runs: the longest that urgent work waits to be planned."""
AGAIN: Final = "siit_remote.tasks.run_due"


def run_due() -> dict[str, Any]:
    """Plan and carry out what is due; nothing when this machine is at it already.

    A pass ends after :data:`PASS_TAKES` and rings for the next, which plans anew: what became due
    meanwhile and is more urgent goes first then. The schedule rings each minute besides. One pass
    at a time leaves a worker free for syncs and the canary.
    """
    if not beats.busy_begin():
        return {"skipped": "A pass is under way on this machine."}
    try:
        report = pass_once(now=clock.now(), within=PASS_TAKES)
    finally:
        beats.busy_end()
    if report.left:
        ring(AGAIN)
    return report.to_data()


def refresh_chat() -> dict[str, int]:
    """Show every question in a chat as it stands, wherever it was decided."""
    return {"shown": chat_refresh(now=clock.now())}


def heartbeat() -> None:
    """The schedule's sign of life, each minute; and whether the database is still the same."""
    beats.beat(beats.SCHEDULE)
    recovery_watch(now=clock.now())


def canary() -> None:
    """The queue's sign of life, enqueued by the supervisor."""
    beats.beat(beats.CANARY)


def keep_forecast() -> dict[str, Any]:
    """Keep the day's forecast, once, and forget refusals nobody asks about any more."""
    now = clock.now()
    return {"kept": snapshot_keep(now=now), "forgotten": refusals_forget(now=now)}


def look_for_gaps() -> dict[str, int]:
    """Look for gaps, so that their page and the first page open at once."""
    return {"gaps": len(gaps_look(now=clock.now()).gaps)}


def note_audit_end() -> dict[str, bool]:
    """Remember outside the database how far the activity log had come."""
    path = audit_head_path()
    return {"noted": path is not None and head_note(path, now=clock.system_now())}


def watch_tasks() -> dict[str, int]:
    """Tell people of their tasks, remind them, pass on what nobody does."""
    return tasks_watch(now=clock.now())


def look_after_access() -> dict[str, int]:
    """End access whose time is over, remind of what ends soon, count what differs."""
    return access_look_after(now=clock.now()).to_data()


def count_drift() -> int:
    """Count what differs of applications to which something happened; how many were counted."""
    return drift_count_changed(now=clock.now())


def watch_shipments() -> dict[str, int]:
    """Ask for addresses again, order equipment, erase addresses that are not needed any more."""
    return shipments_watch(now=clock.now())


def watch_staleness() -> dict[str, int]:
    """Tell IT, once, of every connection whose directory is out of date."""
    return {"stale": stale_report(now=clock.now())}


def watch_outages() -> dict[str, int]:
    """Tell those concerned, once each, of targets that fell silent or refuse us, and are back.

    And of a restored backup, while it holds things up.
    """
    return {**outages_report(now=clock.now()), "restored": restored_report()}


def follow_bounces() -> dict[str, int]:
    """Tell people the next way whose mail did not arrive."""
    return {"followed": bounces_follow(now=clock.now())}


def forget_old() -> dict[str, int]:
    """Forget calls and other fast-growing rows that nobody needs any more."""
    return old_forget(now=clock.now())
