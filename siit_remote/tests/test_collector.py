"""The collector of cyclic garbage waits, and goes on."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from siit_remote.lib.collector import collector_paused


@pytest.fixture(autouse=True)
def _collecting() -> Iterator[None]:
    gc.enable()
    yield
    gc.enable()


def test_collector_goes_on_after_the_last_one_out_even_after_an_error() -> None:
    with pytest.raises(ValueError, match="x"), collector_paused():
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()
        raise ValueError("x")
    assert gc.isenabled()


def test_collector_that_somebody_switched_off_stays_off() -> None:
    gc.disable()
    with collector_paused():
        assert not gc.isenabled()
    assert not gc.isenabled()
