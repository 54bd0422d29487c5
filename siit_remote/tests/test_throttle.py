"""The brake counts from the first time, in every cache, and no two at once as one."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from siit_remote.lib import clock, throttle
from siit_remote.lib.locks import LockBusyError
from siit_remote.lib.throttle import Throttle

BRAKE = Throttle(name="test", most=3, seconds=900)
START = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _clean(db: None) -> None:
    cache.clear()


def test_so_many_and_no_more_each_on_their_own() -> None:
    assert [BRAKE.take("ada", "10.0.0.1") for _ in range(5)] == [True, True, True, False, False]
    assert BRAKE.spent("ada", "10.0.0.1")
    assert BRAKE.take("ada", "10.0.0.2")
    assert not BRAKE.spent("ada", "10.0.0.2")
    BRAKE.forget("ada", "10.0.0.1")
    assert BRAKE.take("ada", "10.0.0.1")


def test_the_window_begins_with_the_first_and_is_not_made_longer_nor_shorter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = START

    def now() -> datetime:
        return moment

    monkeypatch.setattr(clock, "system_now", now)
    for minutes, let_in in ((0, True), (7, True), (14, True), (14.9, False), (15.1, True)):
        moment = START + timedelta(minutes=minutes)
        assert BRAKE.take("ada") is let_in, minutes


def test_the_cache_is_told_how_long_it_lasts_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[int] = []
    real = cache.set

    def note(key: str, value: Any, timeout: int) -> None:
        kept.append(timeout)
        real(key, value, timeout)

    monkeypatch.setattr(cache, "set", note)
    for _ in range(3):
        BRAKE.take("ada")
    assert all(895 <= seconds <= 901 for seconds in kept), kept


def test_more_than_can_be_counted_is_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def busy(*_: Any, **__: Any) -> Iterator[None]:
        raise LockBusyError("busy")
        yield

    monkeypatch.setattr(throttle, "named_lock", busy)
    assert not BRAKE.take("ada")


def test_what_it_keeps_names_nobody() -> None:
    key = BRAKE._key(("ada@acme.test", "10.0.0.1"))
    assert "ada" not in key
    assert "10.0" not in key


@pytest.mark.slow
def test_many_at_the_same_moment_are_no_way_around(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A cache that threads share: the tests' SQLite lets them write one by one only.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    real = Throttle._kept

    def slowly(key: str, now: float) -> tuple[int, float] | None:
        kept = real(key, now)
        time.sleep(0.005)
        return kept

    monkeypatch.setattr(Throttle, "_kept", staticmethod(slowly))
    with ThreadPoolExecutor(8) as pool:
        let_in = list(pool.map(lambda _: BRAKE.take("ada"), range(8)))
    assert let_in.count(True) == 3
