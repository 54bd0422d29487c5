"""Where rooms above hang something onto the pages of people, which know nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAction:
    """One bulk action of the list: a function of (model admin, request, people), as Django's."""

    name: str
    label: str
    permission: str
    run: Callable[..., Any]


_ACTIONS: dict[str, ListAction] = {}


def list_action(action: ListAction) -> None:
    """Offer ``action`` in the list of people to who has its permission; called at start-up."""
    _ACTIONS[action.name] = action


def list_actions(user: Any) -> list[ListAction]:
    """What rooms above offer to ``user``."""
    return [action for action in _ACTIONS.values() if user.has_perm(action.permission)]
