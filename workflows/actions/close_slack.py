"""Deactivate the Slack member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.base import MemberAdmin
from integrations.errors import NotAvailableError, UnauthorizedError
from workflows.actions.ladder import (
    mark_if_unauthorized,
    named_or_only,
    repeatable,
    task_or_webhook,
    would_climb,
)
from workflows.nodes import (
    ACTIONS,
    Action,
    ActionContext,
    ByHand,
    Compensation,
    Done,
    NothingToUndo,
    Outcome,
    Reversal,
    Skipped,
    UndoContext,
    Undoing,
)
from workflows.params import ParamsForm, TextParam


class CloseSlackParams(ParamsForm):
    """Which workspace."""

    connection = TextParam(required=False, label="Connection", limit=60, picks="connection")


@ACTIONS.register
class CloseSlackAction(Action):
    """Through Slack's SCIM API where the plan has it; a task otherwise."""

    key = "slack.close_access"
    label = "Close Slack access"
    icon = "message-square"
    category = "Chat"
    Params = CloseSlackParams
    destructive = True
    reversible = Reversal(
        by="slack.reopen_access", words="Reactivate the member in Slack.", days=90
    )

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "close Slack access"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"Deactivate the Slack member {ctx.person.work_email}"
        return would_climb(MemberAdmin, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Deactivate and read back."""
        found = named_or_only(MemberAdmin, self.Params.read(params)["connection"])
        if found is None:
            return self._by_hand(ctx, "Slack is not connected.")
        connection, client = found
        try:
            with repeatable():
                member = client.deactivate_member(
                    ctx.person.work_email, idempotency_key=ctx.idempotency_key
                )
        except NotAvailableError as error:
            return self._by_hand(ctx, error.message)
        except UnauthorizedError as error:
            mark_if_unauthorized(connection, error)
            raise
        if member is None:
            return Skipped(reason=f"{connection.name} has no member {ctx.person.work_email}.")
        return Done(
            summary=f"Deactivated {member.username} at {connection.name}.",
            detail={"member": member.external_id, "connection": connection.key},
        )

    def undo(self, ctx: UndoContext) -> Undoing:
        """Wake the member it put to sleep."""
        if "task" in ctx.done:
            return ByHand(words=f"Reactivate {ctx.person} in Slack: it was left to a task.")
        if "member" not in ctx.done:
            return NothingToUndo(why="No Slack member was deactivated.")
        return Compensation(
            action="slack.reopen_access",
            params={"connection": ctx.done["connection"]},
            words=f"Reactivate {ctx.person.work_email} in Slack",
        )

    def _by_hand(self, ctx: ActionContext, why: str) -> Done:
        return task_or_webhook(
            ctx, self.key, title=f"Deactivate {ctx.person} in Slack", role="it", why=why
        )
