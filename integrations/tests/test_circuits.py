"""A failing target is left alone, tried by one call at a time, and back at once when it works."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from integrations.circuits import (
    FIRST_PROBE,
    LONGEST_PROBE,
    OPENS_AFTER,
    CircuitGate,
    Reach,
    connections_reach,
)
from integrations.errors import (
    CircuitOpenError,
    ConfigError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.models import Circuit, Connection, Delivery
from integrations.services import client_for, connection_mark_unauthorized, connection_test
from integrations.tests.servers import Answer, Asked, serving, transport_to_loopback
from siit_remote.lib import clock

pytestmark = pytest.mark.django_db
T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def connection() -> Connection:
    row = Connection.objects.create(
        key="target", connector="http", name="Target", status="ready", created_at=T0
    )
    row.set_secrets({"signing_secret": "a secret"})
    row.save()
    return row


@pytest.fixture
def gate(connection: Connection) -> CircuitGate:
    return CircuitGate(connection_id=connection.pk, key="target")


def fail(gate: CircuitGate, times: int = OPENS_AFTER) -> None:
    for _ in range(times):
        gate.leave("x:1", status=None, error=TransientError("Could not connect."))


def reach(at: datetime) -> Reach:
    return connections_reach(["target"], now=at)["target"]


def test_circuit_opens_after_failures_in_a_row_only(gate: CircuitGate) -> None:
    with clock.fixed(T0):
        fail(gate, OPENS_AFTER - 1)
        gate.leave("x:1", status=200, error=None)
        fail(gate, OPENS_AFTER - 1)
        gate.enter("x:1")
        fail(gate, 1)
        with pytest.raises(CircuitOpenError) as told:
            gate.enter("x:1")
    assert told.value.connection == "target"
    assert "Nothing was sent" in told.value.message
    assert reach(T0) is Reach.SHUT


@pytest.mark.parametrize(
    ("status", "error", "counts"),
    [
        (500, None, True),
        (503, None, True),
        (None, UncertainError("No answer."), True),
        (None, TransientError("421", status=421), True),
        (501, None, False),
        (404, None, False),
        (429, None, False),
        (401, None, False),
        (None, TransientError("Put off.", status=450), False),
        (None, ConfigError("A private address."), False),
        (None, PermanentError("Refused.", status=550), False),
    ],
)
def test_only_silence_and_breakdown_count_as_failures(
    gate: CircuitGate, status: int | None, error: PermanentError | None, counts: bool
) -> None:
    with clock.fixed(T0):
        for _ in range(OPENS_AFTER):
            gate.leave("x:1", status=status, error=error)
        assert Circuit.objects.filter(opened_at__isnull=False).exists() is counts


def test_half_open_circuit_lets_one_call_through(gate: CircuitGate) -> None:
    with clock.fixed(T0):
        fail(gate)
    later = T0 + FIRST_PROBE
    assert reach(later) is Reach.PROBE
    with clock.fixed(later):
        gate.enter("x:1")
        assert reach(later) is Reach.SHUT
        with pytest.raises(CircuitOpenError):
            gate.enter("x:1")
        gate.leave("x:1", status=200, error=None)
        gate.enter("x:1")
        gate.enter("x:1")
    assert reach(later) is Reach.OPEN


def test_pause_before_a_probe_grows_to_its_limit(gate: CircuitGate) -> None:
    at, pauses = T0, []
    with clock.fixed(at):
        fail(gate)
    for _ in range(6):
        due = Circuit.objects.get().probe_at
        assert due is not None
        pauses.append(due - at)
        at = due
        with clock.fixed(at):
            gate.enter("x:1")
            fail(gate, 1)
    assert pauses[0] == FIRST_PROBE
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_PROBE


def test_probe_whose_worker_died_is_not_waited_for_for_ever(gate: CircuitGate) -> None:
    with clock.fixed(T0):
        fail(gate)
    with clock.fixed(T0 + FIRST_PROBE):
        gate.enter("x:1")
    with clock.fixed(T0 + timedelta(minutes=5)):
        gate.enter("x:1")


def test_one_target_of_a_connection_does_not_stop_another(gate: CircuitGate) -> None:
    with clock.fixed(T0):
        fail(gate)
        gate.enter("y:1")


def test_target_that_asks_to_slow_down_is_left_alone_for_so_long(
    connection: Connection, gate: CircuitGate
) -> None:
    answers = iter([Answer(429, headers={"Retry-After": "90"}), Answer(200)])
    with serving(lambda _: next(answers)) as server, clock.fixed(T0):
        transport = transport_to_loopback(gate=gate)
        assert transport.request("POST", server.url).status == 429
        with pytest.raises(RateLimitedError) as told:
            transport.request("POST", server.url)
        assert told.value.retry_after == 90
        assert len(server.asked) == 1
        with clock.fixed(T0 + timedelta(seconds=90)):
            assert transport.request("POST", server.url).status == 200
    assert reach(T0 + timedelta(seconds=89)) is Reach.SHUT
    assert reach(T0 + timedelta(seconds=90)) is Reach.OPEN


def test_refused_call_is_no_attempt_and_leaves_no_row(connection: Connection) -> None:
    with serving(lambda _: Answer(503)) as server:
        Connection.objects.update(config={"base_url": server.url})
        connection.refresh_from_db()
        client = client_for(connection)
        with clock.fixed(T0):
            for _ in range(OPENS_AFTER):
                with pytest.raises(TransientError):
                    client.call({}, idempotency_key="k", sent_at=T0)  # type: ignore[attr-defined]
            with pytest.raises(CircuitOpenError):
                client.call({}, idempotency_key="k", sent_at=T0)  # type: ignore[attr-defined]
        assert len(server.asked) == OPENS_AFTER
    assert Delivery.objects.count() == OPENS_AFTER


def test_connection_test_is_let_through_and_closes_the_circuit(connection: Connection) -> None:
    with serving(lambda _: Answer(200)) as server:
        Connection.objects.update(config={"base_url": server.url})
        connection.refresh_from_db()
        gate = CircuitGate(connection_id=connection.pk, key="target")
        for _ in range(OPENS_AFTER):
            gate.leave(f"127.0.0.1:{server.port}", status=500, error=None)
        assert reach(clock.now()) is Reach.SHUT
        assert connection_test(connection).problems == ()
    assert reach(clock.now()) is Reach.OPEN
    assert Delivery.objects.get().purpose == "Connection test"


def test_error_made_from_an_answer_names_its_connection(connection: Connection) -> None:
    with serving(lambda _: Answer(401)) as server:
        Connection.objects.update(config={"base_url": server.url})
        connection.refresh_from_db()
        with pytest.raises(UnauthorizedError) as told:
            client_for(connection).call({}, idempotency_key="k", sent_at=T0)  # type: ignore[attr-defined]
    assert told.value.connection == "target"


def test_refusal_of_the_former_credential_does_not_stop_the_new_one(
    connection: Connection,
) -> None:
    used = Connection.objects.get(pk=connection.pk)
    connection.set_secrets({"signing_secret": "another"})
    connection.save()
    assert not connection_mark_unauthorized(used, "refused")
    connection.refresh_from_db()
    assert connection.status == Connection.Status.READY


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("", "/"),
        ("/scim/v2/Users", "/scim/v2/Users"),
        ("/scim/v2/Users/ana@acme.test", "/scim/v2/Users/{id}"),
        ("/scim/v2/Users/anonymous", "/scim/v2/Users/{id}"),
        ("/api/v1/users/00u1abcd/lifecycle/suspend", "/api/v1/users/{id}/lifecycle/suspend"),
        ("/api/v1/users/me", "/api/v1/users/me"),
        ("/services/T012/B345/s3cr3t", "/services/{id}/{id}/{id}"),
        ("/api/chat.postMessage", "/api/chat.postMessage"),
        ("/hooks/Ana%20Lopez", "/hooks/{id}"),
        ("/x/7f0c6f8a-1111-4222-8333-944444444444", "/x/{id}"),
    ],
)
def test_log_shows_paths_without_ids_and_addresses(path: str, shown: str) -> None:
    attempts: list[str] = []
    with serving(lambda _: Answer(200)) as server:
        transport = transport_to_loopback()
        transport._recorder = lambda attempt: attempts.extend([attempt.operation, attempt.target])
        transport.request("GET", f"{server.url}{path}")
    assert attempts == [f"GET {shown}", f"127.0.0.1:{server.port}{shown}"]


Handler = Callable[[Asked], Answer]


@pytest.mark.parametrize(
    "name", ["X-Request-Id", "X-Okta-Request-Id", "X-Slack-Req-Id", "Request-Id", "CF-Ray"]
)
def test_name_of_the_request_at_the_target_is_kept(name: str) -> None:
    with serving(lambda _: Answer(200, headers={name: "r-1"})) as server:
        assert transport_to_loopback().request("GET", server.url).request_id == "r-1"
