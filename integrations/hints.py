"""Hints that somebody changed: taken in at once, looked after in the background.

A hint is never data. It names an employment, which is then read afresh and judged as a sync would;
the schedule of full syncs stays the truth, so that lost, late, doubled or forged hints end in the
same directory as none at all.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.db.models import F

from integrations.connectors.base import Feed
from integrations.connectors.remote.answers import MalformedAnswer, read_json
from integrations.connectors.remote.payloads import Fields, Findings
from integrations.connectors.remote.webhooks import verify_signature
from integrations.custom_values import CHANGED_EVENT, custom_values_stale
from integrations.errors import IntegrationError
from integrations.freshness import HINT, last_good_sync
from integrations.models import Connection, SyncRun, WebhookReceipt, WebhookSubscription
from integrations.single_people import SYNC, single_failed, single_people_fetch
from integrations.sync_apply import judge, sync_apply
from integrations.sync_lease import SyncRefusedError, sync_claim, sync_close
from integrations.sync_report import outcome_columns
from people.loading import directory_load, directory_lock
from siit_remote.lib.bell import ring
from siit_remote.lib.crypto import DecryptionError

if TYPE_CHECKING:
    from integrations.connectors.base import SinglePeople

DRAIN = "integrations.tasks.hints_one"
BODY_LIMIT = 256 * 1024
"""Bytes of the largest call that is read."""
_AT_ONCE = 100
_KEPT = timedelta(days=1)
_QUIET = timedelta(minutes=1)
Status = SyncRun.Status


def path_digest(path: str) -> str:
    """What of an address's unguessable part is stored to find it by."""
    return hashlib.sha256(path.encode("utf-8", "surrogatepass")).hexdigest()


def hint_is_genuine(
    subscription: WebhookSubscription, *, body: bytes, signature: str, timestamp: str, now: datetime
) -> bool:
    """Whether the key, or for a while after its rotation the one before, signed it just now.

    ``now`` is the machine's moment (UTC). A refusal is counted.
    """
    try:
        secrets = subscription.get_secrets()
    except DecryptionError:
        secrets = {}
    keys = [str(secrets.get("key", ""))]
    if subscription.old_key_until is not None and now < subscription.old_key_until:
        keys.append(str(secrets.get("old_key", "")))
    good = verify_signature(body, signature, timestamp, keys, int(now.timestamp() * 1000))
    if not good:
        WebhookSubscription.objects.filter(pk=subscription.pk).update(refused=F("refused") + 1)
    return good


def hint_receive(
    subscription: WebhookSubscription, *, body: bytes, signature: str, now: datetime
) -> bool:
    """Keep a genuine call once, and ring the worker. False for one that was seen already."""
    event_type, external_id = _read(subscription.connection, body)
    known = hashlib.sha256(signature.encode("utf-8", "surrogatepass")).hexdigest()
    try:
        with transaction.atomic():
            waiting = subscription.receipts.filter(handled_at=None, received_at__gt=now - _QUIET)
            silent = bool(external_id) and not waiting.exists()
            WebhookReceipt.objects.create(
                subscription=subscription,
                signature_hash=known,
                received_at=now,
                event_type=event_type,
                external_id=external_id,
                handled_at=None if external_id else now,
            )
            WebhookSubscription.objects.filter(pk=subscription.pk).update(
                received=F("received") + 1, last_received_at=now
            )
            if silent:
                ring(DRAIN, subscription.connection_id)
    except IntegrityError:
        if not subscription.receipts.filter(signature_hash=known).exists():
            raise
        return False
    return True


def _read(connection: Connection, body: bytes) -> tuple[str, str]:
    """Event type and employment; nothing to look at for anything odd or of another company."""
    try:
        data = read_json(body)
    except MalformedAnswer:
        return "", ""
    fields = Fields(data, Findings())
    ours = str(connection.account.get("company_id", ""))
    if ours and fields.identifier("company_id") != ours:
        return fields.text("event_type", 100), ""
    # One event names the worker by another key than all others.
    employment = fields.identifier("employment_id", 64) or fields.identifier("employment_slug", 64)
    return fields.text("event_type", 100), employment


def hints_drain(
    connection: Connection, *, now: datetime, client: SinglePeople | None = None
) -> SyncRun | None:
    """Look again at everybody that hints name; ``None`` when there was nobody or it is not time.

    While a sync runs, hints wait: the schedule comes back to them.
    """
    _settle_old(connection, now=now)
    pending = WebhookReceipt.objects.filter(subscription__connection=connection, handled_at=None)
    receipts = list(pending.order_by("pk").values_list("pk", "external_id"))
    ids = list(dict.fromkeys(external_id for _, external_id in receipts))[:_AT_ONCE]
    if not ids or connection.status != Connection.Status.READY:
        return None
    try:
        run = sync_claim(connection, trigger=HINT, actor=None, now=now)
    except SyncRefusedError:
        return None
    taken = [pk for pk, external_id in receipts if external_id in set(ids)]
    try:
        feed = single_people_fetch(connection, run, ids, client=client, now=now)
        kept = _decide(connection, run, feed, now=now)
        told = WebhookReceipt.objects.filter(pk__in=taken)
        told.update(handled_at=now)
        changed = told.filter(event_type=CHANGED_EVENT).values_list("external_id", flat=True)
        custom_values_stale(connection, set(changed))
    except IntegrationError as error:
        single_failed(connection, run, error, now=now)
        kept = run
    except Exception:
        # The boundary of a task: whatever happens, the sync does not stay “running”.
        single_failed(
            connection, run, IntegrationError("It broke off by an error of ours."), now=now
        )
        raise
    if len(receipts) > len(taken):
        ring(DRAIN, connection.pk)
    return kept


def _settle_old(connection: Connection, *, now: datetime) -> None:
    """What a full sync has read since is answered; what cannot be repeated is forgotten."""
    receipts = WebhookReceipt.objects.filter(subscription__connection=connection)
    good = last_good_sync(connection)
    if good is not None:
        receipts.filter(handled_at=None, received_at__lt=good.started_at).update(handled_at=now)
    receipts.filter(received_at__lt=now - _KEPT).exclude(handled_at=None).delete()


def _decide(connection: Connection, run: SyncRun, feed: Feed, *, now: datetime) -> SyncRun | None:
    """Apply what is harmless; what would be held is left to a full sync, which holds it whole."""
    with transaction.atomic():
        directory_lock()
        decision = judge(feed, directory=directory_load(), now=now, baseline=False, complete=False)
        if decision.reason:
            sync_close(
                run, status=Status.DISCARDED, now=now, error="Left to a full sync, which follows."
            )
            ring(SYNC, connection.pk)
            return run
        if decision.plan.is_empty:
            # Nothing to tell: the log is about what happened.
            SyncRun.objects.filter(pk=run.pk, status=Status.RUNNING).delete()
            return None
        sync_apply(connection, run, decision.plan, feed=feed, actor=None, now=now)
        columns = {
            **outcome_columns(decision.plan),
            "requests": feed.requests,
            "taken_from": decision.taken_from,
        }
        sync_close(run, status=Status.APPLIED, now=now, seen=len(feed.records), **columns)
    return run
