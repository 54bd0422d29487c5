"""Whoever takes too long is told so, once; whoever is done in time is left alone."""

from __future__ import annotations

import os
import threading
import time

from siit_remote.lib.watchdog import Watchdog


def test_late_work_is_called_once_and_while_it_goes_on() -> None:
    dog, called = Watchdog(), threading.Event()
    calls: list[int] = []

    def late() -> None:
        calls.append(1)
        called.set()

    with dog.guard(0.02, late):
        assert called.wait(10)
    with dog.guard(30, late):
        time.sleep(0.05)
    assert calls == [1]


def test_work_in_time_is_left_alone_and_a_shorter_limit_after_a_longer_holds() -> None:
    dog, called = Watchdog(), threading.Event()
    for _ in range(50):
        with dog.guard(60, lambda: called.set()):
            pass
    assert not called.is_set()
    with dog.guard(60, lambda: None), dog.guard(0.02, called.set):
        assert called.wait(10)


def test_many_share_one_thread() -> None:
    dog, called = Watchdog(), threading.Event()
    before = threading.active_count()
    with dog.guard(60, lambda: None), dog.guard(60, lambda: None), dog.guard(0.01, called.set):
        assert called.wait(10)
        assert threading.active_count() == before + 1


def test_a_child_process_watches_for_itself() -> None:
    dog = Watchdog()
    with dog.guard(60, lambda: None):
        pass
    child = os.fork()
    if child == 0:  # pragma: no cover - the other process
        called = threading.Event()
        with dog.guard(0.01, called.set):
            os._exit(0 if called.wait(10) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
