"""The lock across processes."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from siit_remote.lib.locks import LockBusyError, named_lock

pytestmark = pytest.mark.django_db


def test_a_second_holder_waits_in_vain_and_then_gets_it() -> None:
    with named_lock("group"):
        with pytest.raises(LockBusyError), named_lock("group", wait=0.05):
            pytest.fail("two holders at once")
        with named_lock("another-group", wait=0.05):
            pass
    with named_lock("group", wait=0.05):
        pass


def test_a_failing_block_gives_the_lock_back() -> None:
    with pytest.raises(ZeroDivisionError), named_lock("group"):
        raise ZeroDivisionError
    with named_lock("group", wait=0.05):
        pass


def test_a_lock_that_went_to_somebody_else_is_left_alone() -> None:
    with named_lock("group"):
        cache.set("siit:lock:group", "another holder")
    assert cache.get("siit:lock:group") == "another holder"
    cache.delete("siit:lock:group")
