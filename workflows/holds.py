"""What people decide about what is held: a second person releases exactly the list they saw."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from siit_remote.audit.models import AuditEntry
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring
from workflows.category_rights import right_require
from workflows.engine.holding import hold_settle, steps_cancel
from workflows.models import Hold, Run, StepRun
from workflows.services import RefusedError

if TYPE_CHECKING:
    from people.models import Person
    from workflows.services import Actor

ENGINE = "siit_remote.tasks.run_due"
LIMIT_CHANGE_COUNTS = timedelta(days=30)
"""So long before a hold a change of the limits still bars who made it from releasing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """One person on a list, and why they are on it."""

    run: Run
    person: Person
    why: str


def holds_open() -> QuerySet[Hold]:
    """Lists that wait, the soonest to expire first, with the number of people on each."""
    waiting = Count("runs", filter=Q(runs__status=Run.Status.HELD))
    return (
        Hold.objects.filter(status=Hold.Status.OPEN)
        .select_related("workflow", "version", "started_by")
        .annotate(waiting=waiting)
        .filter(waiting__gt=0)
        .order_by("expires_at", "pk")
    )


def holds_decided() -> QuerySet[Hold]:
    """Lists that were decided or ran out, newest first."""
    return (
        Hold.objects.exclude(status=Hold.Status.OPEN)
        .select_related("workflow", "decided_by")
        .annotate(total=Count("runs"))
        .order_by("-decided_at", "-pk")
    )


def held_rows(hold: Hold) -> list[HeldRow]:
    """Who is on the list now, by name."""
    runs = (
        hold.runs.filter(status=Run.Status.HELD)
        .select_related("person", "person__team")
        .order_by("person__full_name", "pk")
    )
    return [HeldRow(run=run, person=run.person, why=_why(run.trace)) for run in runs]


def _why(trace: dict[str, Any]) -> str:
    """The conditions that the person met, in words."""
    words = [str(part) for part in _leaves(trace)]
    return "; ".join(words) or "The workflow has no conditions: it is for everybody."


def _leaves(node: dict[str, Any]) -> list[str]:
    if "rules" in node:
        return [word for child in node["rules"] for word in _leaves(child)]
    spoke = node.get("result") in ("matched", "true")
    words = node.get("reason") or node.get("text")
    return [str(words)] if spoke and words else []


def list_seal(rows: Collection[HeldRow]) -> str:
    """A digest of exactly these runs: what is released is what was shown."""
    text = ",".join(str(pk) for pk in sorted(row.run.pk for row in rows))
    return hashlib.sha256(text.encode()).hexdigest()


def barred_why(hold: Hold, user: Any) -> str:
    """Why ``user`` may not release this list: they are its first person. ``""``: they may."""
    if user is None or user.pk is None:
        return "Sign in: a list is released by a person."
    if hold.started_by_id == user.pk:
        return "You started these runs; somebody else has to release them."
    publishers = {hold.version.published_by_id}
    live = hold.workflow.live_version
    if live is not None:
        publishers.add(live.published_by_id)
    if user.pk in publishers:
        return "You published this workflow; somebody else has to release its list."
    if hold.kind == Hold.Kind.LIMIT and user.pk == _limit_changer(hold):
        return "You changed the limits last; somebody else has to release this list."
    return ""


def _limit_changer(hold: Hold) -> int | None:
    since = hold.created_at - LIMIT_CHANGE_COUNTS
    last = AuditEntry.objects.filter(action="limits.changed", at__gte=since).first()
    return last.actor_id if last is not None else None


def hold_release(
    hold: Hold,
    *,
    run_ids: Collection[int],
    seal: str,
    named: str,
    reason: str,
    now: datetime,
    actor: Actor,
) -> int:
    """Let the chosen runs go on; the others stay held. Returns how many.

    ``seal`` is the digest of the list that was shown; ``named`` the work email that was typed for
    a protected person. Raises :class:`RefusedError` with what to do.
    """  # fmt: skip
    with transaction.atomic():
        right_require(actor, "release", hold.workflow.category)
        rows = _decidable(hold, run_ids, seal=seal, reason=reason)
        barred = barred_why(hold, actor)
        if barred:
            raise RefusedError(barred)
        changes: dict[str, Any] = {}
        if hold.kind == Hold.Kind.PROTECTED:
            changes["protection_released_by"] = _named(rows, named=named, actor=actor)
        ids = [row.run.pk for row in rows]
        _move(ids, status=Run.Status.QUEUED, reason="", wake_at=now, released_at=now, **changes)
        StepRun.objects.filter(run_id__in=ids, status=StepRun.Status.RETRYING).update(retry_at=now)
        _decided(hold, "run.released", ids, reason=reason, now=now, actor=actor)
        hold_settle(hold, now=now)
        ring(ENGINE)
    return len(ids)


def hold_discard(
    hold: Hold, *, run_ids: Collection[int], seal: str, reason: str, now: datetime, actor: Actor
) -> int:
    """End the chosen runs without doing anything. Returns how many. Raises as for releasing."""
    words = f"Discarded: {reason.strip()}"
    with transaction.atomic():
        right_require(actor, "release", hold.workflow.category)
        rows = _decidable(hold, run_ids, seal=seal, reason=reason)
        ids = [row.run.pk for row in rows]
        _move(ids, status=Run.Status.CANCELLED, reason=words, finished_at=now, wake_at=None)
        steps_cancel(ids, reason=words, now=now)
        _decided(hold, "hold.discarded", ids, reason=reason, now=now, actor=actor)
        hold_settle(hold, now=now)
        Hold.objects.filter(pk=hold.pk, status=Hold.Status.EMPTY).update(
            status=Hold.Status.DISCARDED
        )
    return len(ids)


def _decidable(hold: Hold, run_ids: Collection[int], *, seal: str, reason: str) -> list[HeldRow]:
    if not reason.strip():
        raise RefusedError("Say why; the reason stays with the list.")
    if not Hold.objects.select_for_update().filter(pk=hold.pk, status=Hold.Status.OPEN).exists():
        raise RefusedError("This list is not held any more; somebody else decided it.")
    rows = held_rows(hold)
    if list_seal(rows) != seal:
        raise RefusedError(
            "The list has changed since you saw it, so nothing was done. Look at it again."
        )
    chosen = [row for row in rows if row.run.pk in set(run_ids)]
    if not chosen:
        raise RefusedError("Choose at least one person.")
    return chosen


def _named(rows: list[HeldRow], *, named: str, actor: Actor) -> str:
    """The label of who releases; the protected person's own address has to be typed."""
    wanted = {row.person.work_email.lower() for row in rows}
    if wanted != {named.strip().lower()}:
        raise RefusedError(
            "Type the work email of the protected person exactly, to be sure it is meant."
        )
    return actor.get_username() if actor is not None else "system"


def _move(ids: list[int], **changes: Any) -> None:
    moved = Run.objects.filter(pk__in=ids, status=Run.Status.HELD).update(**changes)
    if moved != len(ids):
        raise RefusedError("Somebody else decided about one of them just now. Look again.")


def _decided(
    hold: Hold, action: str, ids: list[int], *, reason: str, now: datetime, actor: Actor
) -> None:
    Hold.objects.filter(pk=hold.pk).update(
        decided_at=now,
        decided_by_id=getattr(actor, "pk", None),
        decision_reason=reason.strip()[:300],
    )
    record(
        action,
        actor=actor,
        object_type="hold",
        object_key=str(hold.pk),
        object_label=hold.workflow.name,
        detail={"runs": ids, "reason": reason.strip()[:300]},
    )
