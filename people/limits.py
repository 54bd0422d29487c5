"""The limits of the workspace: which columns they are, and the record of who changed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from siit_remote.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from people.models import Workspace

LIMIT_FIELDS = (
    "workflow_limit_people",
    "workflow_limit_percent",
    "workflow_limit_hours",
    "workflow_week_people",
    "workflow_week_percent",
    "workspace_limit_people",
    "workspace_limit_percent",
    "workspace_week_people",
    "workspace_week_percent",
    "limit_floor",
    "hold_days",
    "directory_stale_hours",
)


def limits_of(workspace: Workspace) -> dict[str, Any]:
    """The limits as they stand."""
    return {name: getattr(workspace, name) for name in LIMIT_FIELDS}


def limits_changed(
    before: Mapping[str, Any],
    workspace: Workspace,
    *,
    actor: AbstractBaseUser | AnonymousUser | None,
    reason: str = "",
) -> bool:
    """Record what differs from ``before``, in the caller's transaction. False: nothing does.

    Nothing that is held is let go by it: a limit counts for later decisions only.
    """
    changes = {
        name: [before[name], value]
        for name, value in limits_of(workspace).items()
        if before[name] != value
    }
    if changes:
        record(
            "limits.changed",
            actor=actor,
            object_type="workspace",
            object_key=str(workspace.pk),
            object_label=workspace.name,
            detail={"changes": changes, "reason": reason.strip()[:300]},
        )
    return bool(changes)
