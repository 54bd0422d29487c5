"""What suspending and reactivating an account share: the ladder, reading back, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from integrations.connectors.base import AccountAdmin
from integrations.models import Account, Connection
from workflows.actions.ladder import named_or_only, repeatable, task_or_webhook, would_climb
from workflows.nodes import (
    Action,
    ActionContext,
    ByHand,
    Compensation,
    Done,
    NothingToUndo,
    Outcome,
    Skipped,
    UndoContext,
    Undoing,
)
from workflows.params import ParamsForm, TextParam


class ConnectionParams(ParamsForm):
    """Which connection, where there are several."""

    connection = TextParam(required=False, label="Connection", limit=60, picks="connection")


class AccountStateAction(Action):
    """Base of both. Subclasses set the words and do the one call."""

    category = "Identity"
    Params = ConnectionParams
    capability: ClassVar[type[Any]] = AccountAdmin
    verb: ClassVar[str]
    """“Suspend”."""
    past: ClassVar[str]
    """“Suspended”."""
    opposite: ClassVar[str]
    """What takes it back: “Reactivate”."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"{self.verb.lower()} the identity provider account"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"{self.verb} the account {ctx.person.work_email}"
        return would_climb(self.capability, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Do it and read back."""
        found = named_or_only(self.capability, self.Params.read(params)["connection"])
        if found is None:
            return task_or_webhook(
                ctx,
                self.key,
                title=f"{self.verb} the account of {ctx.person}",
                role="it",
                why="No identity provider is connected.",
            )
        connection, client = found
        with repeatable():
            account = self.change(ctx, connection)
        if account is None:
            return Skipped(reason=f"{connection.name} has no account for {ctx.person.work_email}.")
        return Done(
            summary=f"{self.past} {account.username} at {connection.name}.{self.also(client)}",
            detail={"account": account.external_id, "connection": connection.key},
        )

    def change(self, ctx: ActionContext, connection: Connection) -> Account | None:
        """The one call; ``None`` where the person has no account."""
        raise NotImplementedError

    def also(self, client: Any) -> str:
        """A sentence more for the summary, with its leading space."""
        return ""

    def undo(self, ctx: UndoContext) -> Undoing:
        """The opposite, at the same connection."""
        if "task" in ctx.done:
            words = f"{self.opposite} the account of {ctx.person}: it was left to a task."
            return ByHand(words=words)
        if "account" not in ctx.done or self.reversible is None:
            return NothingToUndo(why=f"No account was {self.past.lower()}.")
        where = ctx.done["connection"]
        return Compensation(
            action=self.reversible.by,
            params={"connection": where},
            words=f"{self.opposite} the account {ctx.person.work_email} at {where}",
        )
