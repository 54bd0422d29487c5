"""Reactivate the Slack member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.base import MemberReactivator
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


class ReopenSlackParams(ParamsForm):
    """Which workspace."""

    connection = TextParam(required=False, label="Connection", limit=60)


@ACTIONS.register
class ReopenSlackAction(Action):
    """Through Slack's SCIM API where the plan has it; a task otherwise."""

    key = "slack.reopen_access"
    label = "Reopen Slack access"
    icon = "message-square"
    category = "Chat"
    Params = ReopenSlackParams
    reversible = Reversal(
        by="slack.close_access", words="Deactivate the member in Slack again.", days=90
    )

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "reopen Slack access"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"Reactivate the Slack member {ctx.person.work_email}"
        return would_climb(MemberReactivator, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Reactivate and read back."""
        found = named_or_only(MemberReactivator, self.Params.read(params)["connection"])
        if found is None:
            return self._by_hand(ctx, "Slack is not connected.")
        connection, client = found
        try:
            with repeatable():
                member = client.reactivate_member(
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
            summary=f"Reactivated {member.username} at {connection.name}.",
            detail={"member": member.external_id, "connection": connection.key},
        )

    def undo(self, ctx: UndoContext) -> Undoing:
        """Close it again."""
        if "task" in ctx.done:
            return ByHand(words=f"Deactivate {ctx.person} in Slack: it was left to a task.")
        if "member" not in ctx.done:
            return NothingToUndo(why="No Slack member was reactivated.")
        return Compensation(
            action="slack.close_access",
            params={"connection": ctx.done["connection"]},
            words=f"Deactivate {ctx.person.work_email} in Slack",
        )

    def _by_hand(self, ctx: ActionContext, why: str) -> Done:
        return task_or_webhook(
            ctx, self.key, title=f"Reactivate {ctx.person} in Slack", role="it", why=why
        )
