"""Where rooms above hang something onto the pages of people, which know nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

LIST_ACTIONS: list[Callable[..., Any]] = []
"""Bulk actions of the list: functions of (model admin, request, people), as Django's admin has
them. Whoever appends one decorates it with ``admin.action(description=…, permissions=…)``."""


def list_action(function: Callable[..., Any]) -> Callable[..., Any]:
    """Offer ``function`` in the list of people."""
    LIST_ACTIONS.append(function)
    return function
