"""Reactivate the identity-provider account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.accounts import account_reactivate
from integrations.connectors.base import AccountReactivator
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


class ReactivateAccountParams(ParamsForm):
    """Where."""

    connection = TextParam(required=False, label="Connection", limit=60)


@ACTIONS.register
class ReactivateAccountAction(Action):
    """Wakes an account that sleeps; never makes one."""

    key = "idp.reactivate_account"
    label = "Reactivate account"
    icon = "user-check"
    category = "Identity"
    Params = ReactivateAccountParams
    reversible = Reversal(by="idp.suspend_account", words="Suspend the account again.", days=90)

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "reactivate the identity provider account"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"Reactivate the account {ctx.person.work_email}"
        return would_climb(AccountReactivator, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Reactivate and read back."""
        found = named_or_only(AccountReactivator, self.Params.read(params)["connection"])
        if found is None:
            return task_or_webhook(
                ctx,
                self.key,
                title=f"Reactivate the account of {ctx.person}",
                role="it",
                why="No identity provider is connected.",
            )
        connection, _ = found
        with repeatable():
            woken = account_reactivate(
                connection, ctx.person, idempotency_key=ctx.idempotency_key, now=ctx.now
            )
        if woken is None:
            return Skipped(reason=f"{connection.name} has no account for {ctx.person.work_email}.")
        return Done(
            summary=f"Reactivated {woken.username} at {connection.name}.",
            detail={"account": woken.external_id, "connection": connection.key},
        )

    def undo(self, ctx: UndoContext) -> Undoing:
        """Suspend it again."""
        if "task" in ctx.done:
            return ByHand(words=f"Suspend the account of {ctx.person}: it was left to a task.")
        if "account" not in ctx.done:
            return NothingToUndo(why="No account was reactivated.")
        return Compensation(
            action="idp.suspend_account",
            params={"connection": ctx.done["connection"]},
            words=f"Suspend the account {ctx.person.work_email} at {ctx.done['connection']}",
        )
