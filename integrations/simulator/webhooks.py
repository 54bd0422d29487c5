"""Subscriptions, signed deliveries in a background thread, and the history of events."""

import hashlib
import hmac
import http.client
import json
import queue
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit
from uuid import uuid4

from integrations.simulator.events import DOCUMENTED, NEWER
from integrations.simulator.vocabulary import Record

DELIVERY_TIMEOUT_SECONDS = 5.0


def sign(body: bytes, *, key: str, timestamp_ms: int) -> str:
    """The value of `X-Remote-Signature`: lower-case hex over `body:timestamp`.

    https://developer.remote.com/docs/webhooks
    """
    message = body + b":" + str(timestamp_ms).encode()
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt; `status` is None when no HTTP answer came."""

    event_id: str
    url: str
    body: bytes
    status: int | None


class Webhooks:
    """Thread safe. `clock` gives seconds since the epoch."""

    def __init__(
        self, *, company_id: str, clock: Callable[[], float], know_newer_events: bool
    ) -> None:
        self._company_id = company_id
        self._clock = clock
        self._known = DOCUMENTED | NEWER if know_newer_events else DOCUMENTED
        self._lock = threading.Lock()
        self._callbacks: dict[str, Record] = {}
        self._events: dict[str, Record] = {}
        self._bodies: dict[str, bytes] = {}
        self._queue: queue.Queue[str | None] = queue.Queue()
        self._thread: threading.Thread | None = None
        self.deliveries: list[Delivery] = []

    # -- subscriptions ---------------------------------------------------------------------

    def problems(self, wish: Record, *, new: bool) -> dict[str, list[str]]:
        """What is wrong with a subscription, by field; empty when it is fine."""
        found: dict[str, list[str]] = {}
        url, events = wish.get("url"), wish.get("subscribed_events")
        if (new or url is not None) and not str(url or "").startswith(("https://", "http://")):
            found["url"] = ["is invalid"]
        everything = bool(wish.get("subscribe_to_all_events"))
        if everything == (events is not None) and (new or everything):
            found["subscribed_events"] = ["give either subscribed_events or all events"]
        elif not isinstance(events or [], list) or set(events or ()) - self._known:
            found["subscribed_events"] = ["is invalid"]
        return found

    def subscribe(self, wish: Record, *, signing_key: str | None = None) -> Record:
        """Store a checked subscription; only this answer shows the signing key."""
        row: Record = {
            "id": str(uuid4()),
            "url": wish["url"],
            "subscribe_to_all_events": bool(wish.get("subscribe_to_all_events")),
            "subscribed_events": list(wish.get("subscribed_events") or ()),
            "signing_key": signing_key or secrets.token_hex(32),
        }
        with self._lock:
            self._callbacks[row["id"]] = row
        return dict(row)

    def change(self, callback_id: str, wish: Record) -> Record | None:
        names = ("url", "subscribed_events", "subscribe_to_all_events")
        with self._lock:
            row = self._callbacks.get(callback_id)
            if row is None:
                return None
            row = row | {name: wish[name] for name in names if name in wish}
            if wish.get("subscribed_events") is not None:
                row["subscribe_to_all_events"] = False
            self._callbacks[callback_id] = row
        return _public(row)

    def unsubscribe(self, callback_id: str) -> bool:
        with self._lock:
            return self._callbacks.pop(callback_id, None) is not None

    def callbacks(self) -> list[Record]:
        with self._lock:
            return [_public(row) for row in self._callbacks.values()]

    # -- events ----------------------------------------------------------------------------

    def fire(self, body: Record) -> None:
        """Queue one event for everybody subscribed to it; without a subscriber nothing is kept."""
        if not self._targets(body["event_type"]):
            return
        at = _iso(self._clock())
        event_id = str(uuid4())
        with self._lock:
            self._bodies[event_id] = json.dumps(body, separators=(",", ":")).encode()
            self._events[event_id] = {
                "id": event_id,
                "event_type": body["event_type"],
                "company_id": self._company_id,
                "first_triggered_at": at,
                "last_triggered_at": at,
                "successfully_delivered": False,
            }
        self._queue.put(event_id)

    def events(self) -> list[Record]:
        """The history, oldest first."""
        with self._lock:
            return list(self._events.values())

    def replay(self, event_ids: list[str]) -> None:
        for event_id in event_ids:
            self._queue.put(event_id)

    # -- the background thread -------------------------------------------------------------

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name="simulator-webhooks", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=DELIVERY_TIMEOUT_SECONDS + 1)
            self._thread = None

    def flush(self) -> None:
        """Wait until everything queued has been attempted. The thread must be running."""
        self._queue.join()

    def _work(self) -> None:
        while True:
            event_id = self._queue.get()
            try:
                if event_id is None:
                    return
                self._deliver(event_id)
            finally:
                self._queue.task_done()

    def _deliver(self, event_id: str) -> None:
        with self._lock:
            body, event = self._bodies.get(event_id), self._events.get(event_id)
        if body is None or event is None:
            return
        timestamp_ms = int(self._clock() * 1000)
        statuses = []
        for row in self._targets(event["event_type"]):
            signature = sign(body, key=row["signing_key"], timestamp_ms=timestamp_ms)
            status = _post(row["url"], body, signature=signature, timestamp_ms=timestamp_ms)
            self.deliveries.append(Delivery(event_id, row["url"], body, status))
            statuses.append(status)
        delivered = bool(statuses) and all(s is not None and s // 100 == 2 for s in statuses)
        with self._lock:
            self._events[event_id] = event | {
                "last_triggered_at": _iso(timestamp_ms / 1000),
                "successfully_delivered": delivered,
            }

    def _targets(self, event_type: str) -> list[Record]:
        with self._lock:
            return [
                row
                for row in self._callbacks.values()
                if row["subscribe_to_all_events"] or event_type in row["subscribed_events"]
            ]


def _public(row: Record) -> Record:
    return {name: value for name, value in row.items() if name != "signing_key"}


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _post(url: str, body: bytes, *, signature: str, timestamp_ms: int) -> int | None:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {
        "Content-Type": "application/json",
        "X-Remote-Signature": signature,
        "X-Remote-Timestamp": str(timestamp_ms),
    }
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=DELIVERY_TIMEOUT_SECONDS)
        try:
            connection.request("POST", target, body, headers)
            return connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError):
        return None  # seen in the history as not delivered
