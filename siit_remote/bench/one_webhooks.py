"""Measured by :mod:`siit_remote.bench.webhooks` in a process of its own: prints one JSON line.

Also the map of addresses for it: ours, and the bare view beside them.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

if not settings.configured or not django.apps.apps.ready:
    django.setup()

from django.test import Client, override_settings
from django.views.decorators.csrf import csrf_exempt

from integrations.hints import path_digest
from integrations.models import Connection, WebhookReceipt, WebhookSubscription
from integrations.simulator.webhooks import sign
from siit_remote.lib import clock

KEY, PATH = "k" * 40, "p" * 40
HOST = "localhost"


@csrf_exempt
def bare(request: HttpRequest) -> HttpResponse:
    """The peer: keeps one row of what it was sent, and asks nothing."""
    WebhookReceipt.objects.create(
        subscription_id=WebhookSubscription.objects.values_list("pk", flat=True)[0],
        signature_hash=hashlib.sha256(request.read()).hexdigest(),
        received_at=clock.system_now(),
        handled_at=clock.system_now(),
    )
    return HttpResponse(status=202)


urlpatterns = [path("bare/", bare), path("", include("siit_remote.urls"))]


def subscribed() -> None:
    """A connection whose subscription is known by its address and key."""
    row = Connection.objects.create(
        key="remote", connector="remote", name="Remote", created_at=clock.now()
    )
    made = WebhookSubscription.objects.create(
        connection=row, path_hash=path_digest(PATH), external_id="1", created_at=clock.now()
    )
    made.set_secrets({"path": PATH, "key": KEY})
    made.save()


def body_of(number: int) -> bytes:
    """One event about one worker."""
    data = {"event_type": "employment.updated", "employment_id": f"worker-{number}"}
    return json.dumps(data).encode()


def ours(client: Client, number: int) -> int:
    """One signed call, as Remote makes it."""
    body, moment = body_of(number), int(clock.system_now().timestamp() * 1000)
    answer = client.post(
        f"/hooks/{PATH}/",
        body,
        content_type="application/json",
        headers={
            "X-Remote-Signature": sign(body, key=KEY, timestamp_ms=moment),
            "X-Remote-Timestamp": str(moment),
            "Host": HOST,
        },
    )
    return answer.status_code


def theirs(client: Client, number: int) -> int:
    """The same body to the bare view."""
    return client.post(
        "/bare/", body_of(number), content_type="application/json", headers={"Host": HOST}
    ).status_code


def taken(call: Callable[[Client, int], int], client: Client, numbers: range) -> list[float]:
    """Seconds of each call; every one must be accepted."""
    found = []
    for number in numbers:
        start = time.perf_counter()
        status = call(client, number)
        found.append(time.perf_counter() - start)
        if status != 202:
            raise SystemExit(f"A call was answered {status}.")
    return found


def p95(seconds: list[float]) -> float:
    """The slowest but five of a hundred."""
    return statistics.quantiles(seconds, n=20)[-1]


@override_settings(ROOT_URLCONF="siit_remote.bench.one_webhooks", SECURE_SSL_REDIRECT=False)
def main(calls: str) -> None:
    """In turns of fifty, so that a busy machine hits both."""
    call_command("migrate", verbosity=0)
    call_command("createcachetable")
    subscribed()
    client = Client()
    taken(ours, client, range(-10, 0))
    taken(theirs, client, range(-10, 0))
    mine: list[float] = []
    peer: list[float] = []
    for start in range(0, int(calls), 50):
        mine += taken(ours, client, range(start, start + 50))
        peer += taken(theirs, client, range(start, start + 50))
    result: dict[str, Any] = {
        "ours_p95": p95(mine),
        "bare_p95": p95(peer),
        "per_second": len(mine) / sum(mine),
        "bare_per_second": len(peer) / sum(peer),
    }
    sys.stdout.write(f"{json.dumps(result)}\n")


if __name__ == "__main__":
    main(sys.argv[1])
