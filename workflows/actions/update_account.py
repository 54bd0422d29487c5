"""Keep the identity-provider account in step with the directory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.accounts import account_update
from integrations.connectors.identity import AccountUpdater, Updated
from workflows.actions.account_state import ConnectionParams
from workflows.actions.ladder import named_or_only, repeatable, task_or_webhook, would_climb
from workflows.nodes import (
    ACTIONS,
    Action,
    ActionContext,
    ByHand,
    Done,
    NothingToUndo,
    Outcome,
    Reversal,
    Skipped,
    UndoContext,
    Undoing,
)


@ACTIONS.register
class UpdateAccountAction(Action):
    """Name, job title, team and work email, as the directory has them now."""

    key = "idp.update_account"
    label = "Update account"
    help = "Brings name, job title, team and work email of the account in step with the directory."
    icon = "user-cog"
    category = "Identity"
    Params = ConnectionParams
    reversible = Reversal(
        by="idp.update_account",
        words="Change the person in the directory, then update the account again.",
        days=90,
    )

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "update the identity provider account"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"Bring the account {ctx.person.work_email} in step with the directory"
        return would_climb(AccountUpdater, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Change what differs and read back."""
        found = named_or_only(AccountUpdater, self.Params.read(params)["connection"])
        if found is None:
            return task_or_webhook(
                ctx,
                self.key,
                title=f"Update the account of {ctx.person}",
                role="it",
                why="No identity provider is connected that can change accounts.",
            )
        connection, _ = found
        with repeatable():
            updated = account_update(
                connection, ctx.person, idempotency_key=ctx.idempotency_key, now=ctx.now
            )
        if updated is None:
            return Skipped(reason=f"{connection.name} has no account for {ctx.person.work_email}.")
        return Done(
            summary=_words(updated, where=connection.name),
            detail={
                "account": updated.account.external_id,
                "connection": connection.key,
                "changed": list(updated.changed),
                "refused": list(updated.refused),
            },
            reason=_refused(updated, where=connection.name),
        )

    def undo(self, ctx: UndoContext) -> Undoing:
        """An account follows the directory: what is wrong there is put right there."""
        if "task" in ctx.done:
            return ByHand(words=f"Look at the account of {ctx.person}: it was left to a task.")
        return NothingToUndo(why="The account follows the directory; change the person there.")


def _words(updated: Updated, *, where: str) -> str:
    name = updated.account.username
    if not updated.changed:
        in_step = f"{name} at {where} was in step already."
        return f"Nothing of {name} at {where} was updated." if updated.refused else in_step
    return f"Updated {', '.join(updated.changed)} of {name} at {where}."


def _refused(updated: Updated, *, where: str) -> str:
    if not updated.refused:
        return ""
    return f"{where} did not take over: {', '.join(updated.refused)}. Set it there by hand."
