"""A registry of things known by a stable key, each in a file of its own."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType


class Keyed(Protocol):
    """Anything with a stable ``key``."""

    @property
    def key(self) -> str:
        """Never a class path, never a primary key."""
        ...


T = TypeVar("T", bound=Keyed)


class Registry(Generic[T]):
    """Maps stable keys to instances. An unknown key gives ``None``, never an exception."""

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._items: dict[str, T] = {}

    def register(self, cls: type[T]) -> type[T]:
        """Class decorator: add one instance of ``cls``. Raises ``ValueError`` on a taken key."""
        item = cls()
        if item.key in self._items:
            raise ValueError(f"Two {self.noun}s have the key {item.key!r}.")
        self._items[item.key] = item
        return cls

    def get(self, key: str) -> T | None:
        """The item with this key, or ``None``."""
        return self._items.get(key)

    def keys(self) -> list[str]:
        """All known keys, sorted."""
        return sorted(self._items)

    def __iter__(self) -> Iterator[T]:
        return iter(self._items[key] for key in self.keys())

    def __len__(self) -> int:
        return len(self._items)


def import_submodules(package: ModuleType) -> None:
    """Import every module of ``package`` so that each can register itself."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".tests" not in module.name:
            importlib.import_module(module.name)
