"""Choices that depend on the seed and a name only, whatever the size and order of building."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar
from uuid import UUID

T = TypeVar("T")


def stable_id(seed: int, *parts: object) -> str:
    """A UUID (version 4 by its bits) that is always the same for one seed and name."""
    name = ":".join(map(str, (seed, *parts)))
    return str(UUID(bytes=hashlib.md5(name.encode(), usedforsecurity=False).digest(), version=4))


class Dice:
    """A small pool of random bits from a seed and a name; several times quicker than `Random`."""

    __slots__ = ("_name", "_pool")

    def __init__(self, seed: int, *parts: object) -> None:
        self._name = ":".join(map(str, (seed, *parts)))
        self._pool = 1

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        if self._pool < limit << 16:
            self._name += "+"
            self._pool = int.from_bytes(hashlib.sha512(self._name.encode()).digest(), "big")
        self._pool, rolled = divmod(self._pool, limit)
        return rolled

    def between(self, low: int, high: int) -> int:
        """A number from `low` to `high`, both included."""
        return low + self.below(high - low + 1)

    def pick(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]
