"""Create the identity-provider account, or adopt the one with that work e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.accounts import account_ensure, group_join, profile_of
from integrations.connectors.base import AccountAdmin
from workflows.actions.ladder import (
    named_or_only,
    repeatable,
    task_or_webhook,
    would_climb,
)
from workflows.messages import message_context, render, source_problems
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
    UndoContext,
    Undoing,
)
from workflows.params import KeysParam, ParamsForm, TextParam
from workflows.problems import Problem


class CreateAccountParams(ParamsForm):
    """Where, under which name, in which groups."""

    connection = TextParam(required=False, label="Connection", limit=60, picks="connection")
    username = TextParam(
        required=False, label="Username", default="{{ person.work_email }}", limit=300
    )
    groups = KeysParam(required=False, label="Groups")

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Also the placeholders of the username."""
        username = params.get("username", "")
        return [*super().validate(params, path), *source_problems(username, f"{path}.username")]


@ACTIONS.register
class CreateAccountAction(Action):
    """Never makes a second account."""

    key = "idp.create_account"
    label = "Create account"
    help = "Creates or finds the account by work email."
    icon = "user-plus"
    category = "Identity"
    Params = CreateAccountParams
    reversible = Reversal(by="idp.suspend_account", words="Suspend the account.", days=90)

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return "create the identity provider account"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"Create or adopt the account {ctx.person.work_email}"
        return would_climb(AccountAdmin, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Find or create, then the groups."""
        values = self.Params.read(params)
        found = named_or_only(AccountAdmin, values["connection"])
        if found is None:
            return task_or_webhook(
                ctx,
                self.key,
                title=f"Create an account for {ctx.person}",
                role="it",
                why="No identity provider is connected.",
            )
        connection, client = found
        username = render(values["username"], message_context(ctx.person, run=ctx.run), "text")
        with repeatable():
            made = account_ensure(
                connection,
                ctx.person,
                profile_of(ctx.person, username=username.strip()),
                idempotency_key=ctx.idempotency_key,
                now=ctx.now,
            )
        account = made.account
        with repeatable():
            for group in values["groups"]:
                group_join(
                    connection,
                    client,
                    account.external_id,
                    group,
                    idempotency_key=f"{ctx.idempotency_key}:{group}",
                )
        words = "Created" if made.created else "Adopted"
        return Done(
            summary=f"{words} {account.username} at {connection.name}.",
            detail={
                "account": account.external_id,
                "connection": connection.key,
                "groups": values["groups"],
                "created": made.created,
            },
        )

    def undo(self, ctx: UndoContext) -> Undoing:
        """Suspend what it made; an account that was there before is left alone."""
        if "task" in ctx.done:
            return ByHand(words=f"Close the account of {ctx.person}: it was left to a task.")
        if not ctx.done.get("created"):
            why = "The account existed before this run; it is left as it is."
            return NothingToUndo(why=why)
        return Compensation(
            action="idp.suspend_account",
            params={"connection": ctx.done["connection"]},
            words=f"Suspend the account {ctx.person.work_email} at {ctx.done['connection']}",
        )
