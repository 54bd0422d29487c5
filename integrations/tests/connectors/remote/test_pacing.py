"""Waiting as told: the window is never exceeded, refusals never hammer, deadlines end it."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.connectors.base import ConnectionSettings, HttpResponse
from integrations.connectors.remote.client import RemoteClient
from integrations.connectors.remote.pacing import WAIT_CAP, Pacer, reset_seconds, told_wait
from integrations.errors import TransientError
from integrations.tests.connectors.remote.fakes import COMPANY, TOKEN, Clock, FakeRemote, person

TODAY = date(2026, 5, 10)


class Window:
    """A transport with Remote's fixed window, on the injected clock; others may use it up too."""

    def __init__(
        self,
        clock: Clock,
        *,
        limit: int,
        people: int,
        others: int = 0,
        headers: bool = True,
        latency: float = 0.06,
    ) -> None:
        self.clock = clock
        self.limit = limit
        self.others = others
        self.tells = headers
        self.latency = latency
        self.remote = FakeRemote([person(number) for number in range(people)])
        self.opened: float | None = None
        self.used = 0
        self.refused_at: list[float] = []

    def request(
        self, method: str, url: str, *, params: dict[str, str], **_: object
    ) -> HttpResponse:
        self.clock.now += self.latency
        if self.opened is None or self.clock.now >= self.opened + 60:
            self.opened, self.used = self.clock.now, self.others
        reset = (self.opened + 60 - self.clock.now) * 1000
        self.used += 1
        headers = {
            "x-ratelimit-count": str(self.used),
            "x-ratelimit-remaining": str(max(self.limit - self.used, 0)),
            "x-ratelimit-reset": f"{reset:.3f}",
        }
        headers = headers if self.tells else {}
        if self.used > self.limit:
            self.refused_at.append(self.clock.now)
            body = b'{"message": "Too many requests"}'
            return HttpResponse(status=429, headers=headers, body=body, url=url)
        status, _, content = self.remote.truth(url.removeprefix("http://remote.test"), params)
        return HttpResponse(status=status, headers=headers, body=content or b"", url=url)


def fetch(window: Window, *, deadline: float = 1800.0) -> int:
    client = RemoteClient(
        ConnectionSettings(key="remote", config={}, secrets={}, account={"company_id": COMPANY}),
        window,
        base_url="http://remote.test",
        api_token=TOKEN,
        deadline=deadline,
        sleep=window.clock.sleep,
        monotonic=window.clock.monotonic,
    )
    return len(client.fetch_people(today=TODAY, progress=lambda _: None).records)


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 12), st.integers(0, 6))
def test_pacing_never_exceeds_the_window(limit: int, pages: int) -> None:
    window = Window(Clock(), limit=limit, people=pages * 100)
    assert fetch(window) == pages * 100
    assert window.refused_at == []


def test_pacing_finishes_although_others_use_the_limit_up() -> None:
    window = Window(Clock(), limit=20, people=600, others=18)
    assert fetch(window) == 600
    assert window.refused_at == []


@pytest.mark.parametrize("told", [True, False])
def test_pacing_refusals_are_never_hammered(told: bool) -> None:
    clock = Clock()
    window = Window(clock, limit=3, people=600, others=3 if told else 0, headers=told)
    if told:
        window.others = 0
        window.used, window.opened = 3, clock.now
    assert fetch(window) == 600
    assert window.refused_at
    gaps = [b - a for a, b in zip(window.refused_at, window.refused_at[1:], strict=False)]
    assert all(gap >= 1.0 for gap in gaps)


def test_pacing_starved_for_good_ends_at_the_deadline() -> None:
    clock = Clock()
    window = Window(clock, limit=3, people=600, others=3)
    began = clock.now
    with pytest.raises(TransientError, match="did not finish within 10 minutes"):
        fetch(window, deadline=600)
    assert clock.now - began <= 600
    assert len(window.refused_at) <= 11


def test_pacing_slow_server_ends_at_the_deadline() -> None:
    window = Window(Clock(), limit=1000, people=10_000, latency=40)
    with pytest.raises(TransientError, match="did not finish within 30 minutes"):
        fetch(window)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "x-ratelimit-reset": "1500"}, 7.0),
        ({"x-ratelimit-reset": "1500"}, 1.5),
        (
            {
                "retry-after": "Sun, 10 May 2026 10:00:30 GMT",
                "date": "Sun, 10 May 2026 10:00:00 GMT",
            },
            30.0,
        ),
        ({"retry-after": "Sun, 10 May 2026 10:00:30 GMT", "x-ratelimit-reset": "900"}, 0.9),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"x-ratelimit-reset": "٣"}, None),
        ({}, None),
    ],
)
def test_wait_is_read_as_told(headers: dict[str, str], expected: float | None) -> None:
    assert told_wait(headers) == expected


def test_reset_is_a_duration_in_milliseconds() -> None:
    assert reset_seconds({"x-ratelimit-reset": "48250"}) == 48.25


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "9999"}, WAIT_CAP),
        ({"x-ratelimit-reset": "99999999"}, WAIT_CAP),
    ],
)
def test_refusal_waits_what_is_told_within_bounds(headers: dict[str, str], expected: float) -> None:
    clock = Clock()
    pacer = Pacer(sleep=clock.sleep, monotonic=clock.monotonic, deadline=1800)
    pacer.after_refusal(headers, nth=1, what="people")
    assert clock.naps == [expected]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2500"}, [2.5]),
        ({"x-ratelimit-remaining": "0"}, [60.0]),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9999999"}, [120.0]),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "2500"}, []),
        ({"x-ratelimit-remaining": "none", "x-ratelimit-reset": "2500"}, []),
    ],
)
def test_window_used_up_is_waited_for(headers: dict[str, str], expected: list[float]) -> None:
    clock = Clock()
    pacer = Pacer(sleep=clock.sleep, monotonic=clock.monotonic, deadline=1800)
    pacer.after_answer(headers)
    pacer.before_request("people")
    assert clock.naps == expected
