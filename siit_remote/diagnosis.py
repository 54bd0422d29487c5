"""What ``doctor`` looks at: each check says in words how it is and what to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core import checks as system_checks
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Q
from django_q.models import OrmQ, Schedule

from integrations.models import Connection, SyncRun, WebhookSubscription
from people.models import LifecycleEvent
from siit_remote import beats
from siit_remote.audit.head import head_trouble
from siit_remote.audit.services import verify_chain
from siit_remote.lib.crypto import DecryptionError
from siit_remote.schedules import schedule_problem, schedules_missing
from siit_remote.staleness import stale_connections
from workflows.models import Attempt, Installation, Request, Run
from workflows.recovery import audit_head_path, recovery_open, recovery_words
from workflows.witness import witness_folder, witness_read, witness_trouble

QUEUE_SLOW: Final = timedelta(minutes=5)
"""Work that waits longer than this waits for a worker that is not there."""
BEAT_LATE: Final = timedelta(minutes=3)
_START_WORKER: Final = "Start `manage.py worker` and keep it running (make run does both)."


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckResult:
    """One thing that was looked at. ``hint`` says what to do where ``ok`` is false."""

    id: str
    ok: bool
    detail: str
    hint: str = ""

    def to_data(self) -> dict[str, Any]:
        """As ``doctor --json`` prints it."""
        return asdict(self)


def _result(key: str, problems: list[str], *, good: str, hint: str) -> CheckResult:
    if problems:
        return CheckResult(id=key, ok=False, detail="; ".join(problems), hint=hint)
    return CheckResult(id=key, ok=True, detail=good)


def check_settings(now: datetime) -> CheckResult:
    """Django's system checks, those for deployment included in production."""
    found = system_checks.run_checks(include_deployment_checks=settings.PRODUCTION)
    bad = [
        f"{item.id}: {item.msg}"
        for item in found
        if item.level >= system_checks.WARNING and not item.is_silenced()
    ]
    hint = "Run `manage.py check --deploy` and follow its hints."
    return _result("settings", bad, good="The settings are sound.", hint=hint)


def check_database(now: datetime) -> CheckResult:
    """It answers; SQLite serves one machine only."""
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        return CheckResult(
            id="database",
            ok=False,
            detail=f"The database does not answer ({type(error).__name__}).",
            hint="Check DATABASE_URL and that the server runs.",
        )
    hosts = _hosts_lately(now) if connection.vendor == "sqlite" else set()
    problems = [f"{len(hosts)} machines work on one SQLite file"] if len(hosts) > 1 else []
    hint = "Use PostgreSQL (DATABASE_URL) for more than one machine."
    return _result("database", problems, good=f"{connection.vendor} answers.", hint=hint)


def _hosts_lately(now: datetime) -> set[str]:
    since = now - timedelta(minutes=10)
    workers = Attempt.objects.filter(started_at__gte=since).values_list("worker", flat=True)
    syncs = SyncRun.objects.filter(started_at__gte=since).values_list("lease_holder", flat=True)
    return {holder.split("/")[0] for holder in [*workers, *syncs] if holder}


def check_migrations(now: datetime) -> CheckResult:
    """The tables are those of this version."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    problems = [f"{len(plan)} migrations are not applied"] if plan else []
    good = "Every migration is applied."
    return _result("migrations", problems, good=good, hint="Run `manage.py migrate`.")


def check_encryption(now: datetime) -> CheckResult:
    """Every stored credential can be read."""
    rows: list[tuple[str, Connection | WebhookSubscription]] = [
        (row.key, row) for row in Connection.objects.exclude(secrets_token="")
    ]
    hooks = WebhookSubscription.objects.exclude(secrets_token="").select_related("connection")
    rows += [(f"webhooks of {row.connection.key}", row) for row in hooks]
    unreadable = []
    for key, row in rows:
        try:
            row.get_secrets()
        except DecryptionError:
            unreadable.append(key)
    problems = [f"the secrets of {key} cannot be decrypted" for key in unreadable]
    return _result(
        "encryption",
        problems,
        good="Every stored secret can be decrypted.",
        hint="Add the former key to FIELD_ENCRYPTION_KEYS, or enter the secret again.",
    )


def check_connections(now: datetime) -> CheckResult:
    """No connection waits for a person."""
    rows = Connection.objects.filter(status=Connection.Status.NEEDS_ATTENTION)
    problems = [f"{row.key} needs attention: {row.last_error}" for row in rows]
    return _result(
        "connections",
        problems,
        good=f"{Connection.objects.filter(status=Connection.Status.READY).count()} connected.",
        hint="Open Settings → Integrations, or test with `manage.py connect`.",
    )


def check_sync(now: datetime) -> CheckResult:
    """No directory is older than two intervals."""
    problems = [f"{health.connection.key} is stale" for health in stale_connections(now=now)]
    return _result(
        "sync",
        problems,
        good="Every directory is up to date.",
        hint="Run `manage.py sync_remote` and read why it fails or is held.",
    )


def check_queue(now: datetime) -> CheckResult:
    """Due runs and unread events do not pile up."""
    problems = []
    open_runs = Run.objects.filter(
        Q(status=Run.Status.QUEUED, due_at__lt=now - QUEUE_SLOW)
        | Q(status=Run.Status.WAITING, wake_at__lt=now - QUEUE_SLOW)
    ).count()
    if open_runs:
        problems.append(f"{open_runs} runs have waited for a worker for over five minutes")
    events = LifecycleEvent.objects.filter(
        consumed_at__isnull=True, at__lt=now - QUEUE_SLOW
    ).count()
    if events:
        problems.append(f"{events} changes of people have not been looked at")
    requests = Request.objects.filter(
        consumed_at__isnull=True, created_at__lt=now - QUEUE_SLOW
    ).count()
    if requests:
        problems.append(f"{requests} requests have not been looked at")
    good = f"Nothing waits too long; {OrmQ.objects.count()} tasks in the queue."
    return _result("queue", problems, good=good, hint=_START_WORKER)


def check_worker(now: datetime) -> CheckResult:
    """The worker takes tasks and its schedules ring."""
    words = {beats.CANARY: "takes tasks", beats.SCHEDULE: "keeps its schedules"}
    problems = []
    for name, does in words.items():
        last = beats.beat_last(name)
        if last is None:
            problems.append(f"no worker has shown that it {does}")
        elif now - last > BEAT_LATE:
            problems.append(f"the worker last showed that it {does} at {last:%d %b %H:%M} UTC")
    return _result("worker", problems, good="The worker is alive.", hint=_START_WORKER)


def check_schedules(now: datetime) -> CheckResult:
    """Every schedule of ours is there and every row can be read."""
    problems = [f"“{name}” is missing" for name in schedules_missing()]
    for row in Schedule.objects.exclude(repeats=0):
        if problem := schedule_problem(row):
            problems.append(f"“{row.name or row.pk}”: {problem}")
    return _result(
        "schedules",
        problems,
        good="Every schedule is there and can be read.",
        hint="Run `manage.py setup_schedules`; one unreadable row stops all of them.",
    )


def check_held(now: datetime) -> CheckResult:
    """Nothing waits for a person's yes."""
    problems = []
    if runs := Run.objects.filter(status=Run.Status.HELD).count():
        problems.append(f"{runs} runs are held")
    if syncs := SyncRun.objects.filter(status=SyncRun.Status.HELD).count():
        problems.append(f"{syncs} syncs are held")
    return _result(
        "held",
        problems,
        good="Nothing is held.",
        hint="Look at whom it concerns, then release or discard it in the browser.",
    )


def check_recovery(now: datetime) -> CheckResult:
    """No restored backup waits for a person, and a next one would be noticed."""
    row, hold = Installation.objects.filter(pk=1).first(), recovery_open()
    if hold is not None:
        hint = "Compare and let it go on: Held → Restored backup, or `manage.py recovery_hold`."
        return CheckResult(id="recovery", ok=False, detail=recovery_words(hold), hint=hint)
    trouble = witness_trouble(row.identity) if row is not None else ""
    if trouble:
        hint = (
            "A restored backup may have gone unnoticed here: if there was one, put the hold on "
            "with `manage.py recovery_hold --begin`. Then delete the file, or mend the folder "
            "(WITNESS_FOLDER; empty where there shall be no witness)."
        )
        return CheckResult(id="recovery", ok=False, detail=trouble, hint=hint)
    return CheckResult(id="recovery", ok=True, detail=_witness_words(row))


def _witness_words(row: Installation | None) -> str:
    by_hand = "a restored backup is not noticed here: hold it by `manage.py recovery_hold --begin`."
    if witness_folder() is None:
        return f"No witness is kept, so {by_hand}"
    witness = witness_read(row.identity) if row is not None else None
    if witness is None:
        return f"No witness lies on this machine (a running worker makes one); until then {by_hand}"
    return f"No backup was restored; the witness is of {witness.seen_at:%d %b %H:%M} UTC."


def check_audit(now: datetime) -> CheckResult:
    """Nobody changed the activity log: its chain holds, and its end is the one last seen."""
    broken, path = verify_chain(), audit_head_path()
    problems = [] if broken is None else [f"entry {broken} of the activity log was tampered with"]
    if path is not None and (trouble := head_trouble(path)):
        problems.append(trouble)
    return _result(
        "audit",
        problems,
        good="The activity log holds together"
        + (", and ends where it was seen to." if path else "; nothing outside remembers its end."),
        hint="Compare with a backup. After a restored one that is as it should be: take away "
        f"{path}."
        if path
        else "Compare with a backup.",
    )


CHECKS: Final[tuple[Callable[[datetime], CheckResult], ...]] = (
    check_settings,
    check_database,
    check_migrations,
    check_encryption,
    check_connections,
    check_sync,
    check_queue,
    check_worker,
    check_schedules,
    check_held,
    check_recovery,
    check_audit,
)
_NEEDED: Final = (check_database, check_migrations)


def diagnose(*, now: datetime) -> list[CheckResult]:
    """Every check at ``now`` (UTC); without a database or its tables only those say so."""
    first = []
    for check in _NEEDED:
        first.append(check(now))
        if not first[-1].ok:
            return first
    return [check(now) for check in CHECKS]
