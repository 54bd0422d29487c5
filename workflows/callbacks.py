"""Asynchronous ends of steps: an endpoint calls a secret address of ours once, signed.

The address follows from the step's key and our secret, so that a repeated call names the same one;
only its digest is stored. The signature is that of the connection the step called.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.urls import reverse
from django.utils.crypto import salted_hmac

from integrations.answers import parse_json
from integrations.connectors.base import SignedCaller
from integrations.errors import IntegrationError
from integrations.services import client_for, connection_by_key
from siit_remote.lib.bell import ring
from workflows.answer_rules import DONE, FAILED, LATER, MEANINGS, meaning_of
from workflows.engine.wake import run_wake
from workflows.models import Callback

if TYPE_CHECKING:
    from collections.abc import Mapping

    from workflows.models import StepRun

BODY_LIMIT = 64 * 1024
"""Bytes of the largest call that is read."""
ENGINE = "siit_remote.tasks.run_due"
_SALT = "siit.workflows.callback"


class Taken(Enum):
    """What became of a call, as the HTTP status that says so."""

    ACCEPTED = 202
    REPEATED = 200
    MALFORMED = 400
    NOT_GENUINE = 401
    UNKNOWN = 404
    OVER = 410


def _token(step: StepRun) -> str:
    mac = salted_hmac(_SALT, step.idempotency_key, algorithm="sha256")
    return urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def callback_of(step: StepRun) -> Callback | None:
    """What this step waits for, where it has asked for a call."""
    return Callback.objects.filter(step=step).first()


def callback_address(step: StepRun) -> str:
    """The address to hand out; whoever knows it still has to sign."""
    return settings.SITE_URL + reverse("callback", kwargs={"token": _token(step)})


def callback_open(
    step: StepRun, *, connection: str, now: datetime, expires_at: datetime
) -> Callback:
    """Expect a call for ``step``. Safe to repeat; the time allowed stays that of the first."""
    row, made = Callback.objects.get_or_create(
        step=step,
        defaults={
            "connection": connection,
            "token_hash": _digest(_token(step)),
            "created_at": now,
            "expires_at": expires_at,
        },
    )
    if not made and row.sent_at is None:
        Callback.objects.filter(pk=row.pk, sent_at__isnull=True).update(
            token_hash=_digest(_token(step)), expires_at=expires_at, connection=connection
        )
        row.refresh_from_db()
    return row


def callback_sent(row: Callback, *, now: datetime) -> Callback:
    """The endpoint has taken the call; returns the row as it is now, perhaps answered already."""
    Callback.objects.filter(pk=row.pk).update(sent_at=now)
    row.refresh_from_db()
    return row


def callback_take(token: str, *, body: bytes, headers: Mapping[str, str], now: datetime) -> Taken:
    """Take in one call at ``now`` (the machine's clock, UTC): verified before it is parsed."""
    row = Callback.objects.select_related("step").filter(token_hash=_digest(token)).first()
    if row is None:
        return Taken.UNKNOWN
    if not _is_genuine(row, body=body, headers=headers):
        Callback.objects.filter(pk=row.pk).update(refused=F("refused") + 1)
        return Taken.NOT_GENUINE
    name = _digest(headers.get("webhook-id", ""))
    if row.state != Callback.State.OPEN:
        return Taken.REPEATED if row.message_id_hash == name else Taken.OVER
    if now >= row.expires_at:
        return Taken.OVER
    try:
        said = parse_json(body)
    except IntegrationError:
        return Taken.MALFORMED
    meaning = _meaning(row.step, said)
    if not meaning:
        return Taken.MALFORMED
    if meaning == LATER:
        return Taken.ACCEPTED
    return _close(row, meaning, said, name=name, now=now)


def _is_genuine(row: Callback, *, body: bytes, headers: Mapping[str, str]) -> bool:
    connection = connection_by_key(row.connection)
    if connection is None:
        return False
    try:
        client = client_for(connection)
    except IntegrationError:
        return False
    return isinstance(client, SignedCaller) and client.is_genuine(body, headers)


def _meaning(step: StepRun, said: Any) -> str:
    """By the step's own rules, else by the plain word in ``status``."""
    rules = step.run.version.document if step.run.document is None else step.run.document
    own = _rules_in(rules.get("steps", ()), step.key)
    if found := meaning_of(own, said) if own else "":
        return found
    word = said.get("status") if isinstance(said, dict) else None
    return word if isinstance(word, str) and word in MEANINGS else ""


def _rules_in(steps: Any, key: str) -> dict[str, Any]:
    """The rules of the step ``key``, wherever it stands in the document."""
    waiting = [steps]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if item.get("key") == key and isinstance(item.get("params"), dict):
                answer = item["params"].get("answer")
                return answer if isinstance(answer, dict) else {}
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)
    return {}


def _close(row: Callback, meaning: str, said: Any, *, name: str, now: datetime) -> Taken:
    words = said.get("message") if isinstance(said, dict) else None
    state = {DONE: Callback.State.DONE, FAILED: Callback.State.FAILED}[meaning]
    with transaction.atomic():
        closed = Callback.objects.filter(pk=row.pk, state=Callback.State.OPEN).update(
            state=state,
            message=" ".join(words.split())[:300] if isinstance(words, str) else "",
            message_id_hash=name,
            answered_at=now,
        )
        if closed:
            run_wake(row.step.run_id, at=now)
            ring(ENGINE)
    return Taken.ACCEPTED if closed else Taken.OVER
