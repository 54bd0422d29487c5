"""Suspend the identity-provider account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.accounts import account_suspend
from integrations.connectors.base import AccountAdmin
from workflows.actions.ladder import (
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


class SuspendAccountParams(ParamsForm):
    """Where."""

    connection = TextParam(required=False, label="Connection", limit=60, picks="connection")


@ACTIONS.register
class SuspendAccountAction(Action):
    """Deactivates it and ends its sessions where the connection can."""

    key = "idp.suspend_account"
    label = "Suspend account"
    icon = "user-x"
    category = "Identity"
    Params = SuspendAccountParams
    destructive = True
    reversible = Reversal(
        by="idp.reactivate_account",
        words="Reactivate the account at the identity provider.",
        days=90,
    )

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "suspend the identity provider account"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"Suspend the account {ctx.person.work_email}"
        return would_climb(AccountAdmin, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Suspend and read back."""
        values = self.Params.read(params)
        found = named_or_only(AccountAdmin, values["connection"])
        if found is None:
            return task_or_webhook(
                ctx,
                self.key,
                title=f"Suspend the account of {ctx.person}",
                role="it",
                why="No identity provider is connected.",
            )
        connection, _ = found
        with repeatable():
            account = account_suspend(
                connection,
                ctx.person,
                idempotency_key=ctx.idempotency_key,
                now=ctx.now,
                protection_released=ctx.protection_released,
            )
        if account is None:
            return Skipped(reason=f"{connection.name} has no account for {ctx.person.work_email}.")
        return Done(
            summary=f"Suspended {account.username} at {connection.name}.",
            detail={"account": account.external_id, "connection": connection.key},
        )

    def undo(self, ctx: UndoContext) -> Undoing:
        """Wake the account it put to sleep."""
        if "task" in ctx.done:
            return ByHand(words=f"Reactivate the account of {ctx.person}: it was left to a task.")
        if "account" not in ctx.done:
            return NothingToUndo(why="No account was suspended.")
        return Compensation(
            action="idp.reactivate_account",
            params={"connection": ctx.done["connection"]},
            words=f"Reactivate the account {ctx.person.work_email} at {ctx.done['connection']}",
        )
