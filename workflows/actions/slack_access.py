"""What closing and reopening somebody's Slack access share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from integrations.connectors.base import RemoteAccount
from integrations.errors import NotAvailableError, UnauthorizedError
from workflows.actions.account_state import ConnectionParams
from workflows.actions.ladder import (
    mark_if_unauthorized,
    named_or_only,
    repeatable,
    task_or_webhook,
    would_climb,
)
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


class SlackAccessAction(Action):
    """Through Slack's SCIM API where the plan has it; the ladder's next rung otherwise."""

    icon = "message-square"
    category = "Chat"
    Params = ConnectionParams
    capability: ClassVar[type[Any]]
    word: ClassVar[str]
    """“close” or “reopen”."""
    verb: ClassVar[str]
    """“Deactivate”."""
    opposite: ClassVar[str]
    """What takes it back: “Reactivate”."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"{self.word} Slack access"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"{self.verb} the Slack member {ctx.person.work_email}"
        return would_climb(self.capability, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Do it and read back."""
        found = named_or_only(self.capability, self.Params.read(params)["connection"])
        if found is None:
            return self._by_hand(ctx, "Slack is not connected.")
        connection, client = found
        try:
            with repeatable():
                member = self.change(client, ctx.person.work_email, key=ctx.idempotency_key)
        except NotAvailableError as error:
            return self._by_hand(ctx, error.message)
        except UnauthorizedError as error:
            mark_if_unauthorized(connection, error)
            raise
        if member is None:
            return Skipped(reason=f"{connection.name} has no member {ctx.person.work_email}.")
        return Done(
            summary=f"{self.verb}d {member.username} at {connection.name}.",
            detail={"member": member.external_id, "connection": connection.key},
        )

    def change(self, client: Any, work_email: str, *, key: str) -> RemoteAccount | None:
        """The one call; ``None`` where nobody there has the address."""
        raise NotImplementedError

    def undo(self, ctx: UndoContext) -> Undoing:
        """The opposite, in the same workspace."""
        if "task" in ctx.done:
            return ByHand(words=f"{self.opposite} {ctx.person} in Slack: it was left to a task.")
        if "member" not in ctx.done or self.reversible is None:
            return NothingToUndo(why=f"No Slack member was {self.verb.lower()}d.")
        return Compensation(
            action=self.reversible.by,
            params={"connection": ctx.done["connection"]},
            words=f"{self.opposite} {ctx.person.work_email} in Slack",
        )

    def _by_hand(self, ctx: ActionContext, why: str) -> Done:
        title = f"{self.verb} {ctx.person} in Slack"
        return task_or_webhook(ctx, self.key, title=title, role="it", why=why)
