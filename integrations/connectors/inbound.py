"""Addresses of ours that the other side of a connection may call, for its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One address. ``path`` holds ``{key}`` where the connection's key belongs."""

    label: str
    path: str
    help: str


@runtime_checkable
class CalledBack(Protocol):
    """A connector whose other side calls us."""

    inbound: tuple[Inbound, ...]
