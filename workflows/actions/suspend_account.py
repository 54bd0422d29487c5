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
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Outcome, Skipped
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
    reversible = "Reactivate the account at the identity provider."

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
                connection, ctx.person, idempotency_key=ctx.idempotency_key, now=ctx.now
            )
        if account is None:
            return Skipped(reason=f"{connection.name} has no account for {ctx.person.work_email}.")
        return Done(
            summary=f"Suspended {account.username} at {connection.name}.",
            detail={"account": account.external_id, "connection": connection.key},
        )
