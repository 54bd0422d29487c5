"""Values of people and records as mappings that are read only when somebody asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Generic, TypeVar, overload

from siit_remote.lib.spool import Shelf

_AT_HAND = ("work_email", "status", "manager")
"""What is asked of everybody at once."""


class ValuesShelf:
    """Where the values of many lie. The ones read last are kept: they are mostly asked again."""

    __slots__ = ("_latest", "_latest_number", "_shelf")

    def __init__(self) -> None:
        self._shelf: Shelf[dict[str, Any]] = Shelf()
        self._latest: dict[str, Any] = {}
        self._latest_number = -1

    def packed(self, values: dict[str, Any]) -> Packed:
        """Put ``values`` down."""
        return Packed(self, self._shelf.put(values))

    def packed_person(self, values: dict[str, Any]) -> PackedPerson:
        """Put the values of a person down; who they are stays at hand."""
        return PackedPerson(self, self._shelf.put(values), [values[name] for name in _AT_HAND])

    def values(self, number: int) -> Mapping[str, Any]:
        """What was put down under ``number``; not to be changed."""
        if number != self._latest_number:
            self._latest, self._latest_number = self._shelf.get(number), number
        return self._latest


class Packed(Mapping[str, Any]):
    """A mapping that lies on a shelf."""

    __slots__ = ("_number", "_shelf")

    def __init__(self, shelf: ValuesShelf, number: int) -> None:
        self._shelf = shelf
        self._number = number

    def opened(self) -> Mapping[str, Any]:
        """All of it at once; not to be changed."""
        return self._shelf.values(self._number)

    def __getitem__(self, name: str) -> Any:
        return self.opened()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.opened())

    def __len__(self) -> int:
        return len(self.opened())


class PackedPerson(Packed):
    """The values of a person."""

    __slots__ = ("_manager", "_status", "_work_email")

    def __init__(self, shelf: ValuesShelf, number: int, at_hand: list[Any]) -> None:
        super().__init__(shelf, number)
        self._work_email, self._status, self._manager = at_hand

    def __getitem__(self, name: str) -> Any:
        if name == "work_email":
            return self._work_email
        if name == "status":
            return self._status
        if name == "manager":
            return self._manager
        return self.opened()[name]


def opened(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """``values`` as an ordinary mapping, for reading many of them."""
    return values.opened() if isinstance(values, Packed) else values


KEPT = 500
"""So many plans are made once and kept; more are made anew whenever somebody asks for them."""
K = TypeVar("K")
V = TypeVar("V")


class MadeWhenAsked(Sequence[V], Generic[K, V]):
    """A sequence whose items are made of their keys each time they are read."""

    def __init__(self, keys: Sequence[K], make: Callable[[K], V]) -> None:
        self._keys = keys
        self._make = make

    def only(self, wanted: Callable[[K], bool]) -> MadeWhenAsked[K, V]:
        """Those of some keys."""
        return MadeWhenAsked([key for key in self._keys if wanted(key)], self._make)

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[V]:
        return map(self._make, self._keys)

    @overload
    def __getitem__(self, index: int) -> V: ...

    @overload
    def __getitem__(self, index: slice) -> MadeWhenAsked[K, V]: ...

    def __getitem__(self, index: int | slice) -> V | MadeWhenAsked[K, V]:
        if isinstance(index, slice):
            return MadeWhenAsked(self._keys[index], self._make)
        return self._make(self._keys[index])


def made_when_asked(keys: Sequence[K], make: Callable[[K], V]) -> Sequence[V]:
    """What ``make`` gives for each of ``keys``: at once for few, again and again for many."""
    found = MadeWhenAsked(keys, make)
    return tuple(found) if len(keys) <= KEPT else found
