"""What closing and waking an account share, at whatever target: the ladder and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from integrations.connectors.base import AccountAdmin, RemoteAccount
from integrations.errors import NotAvailableError
from integrations.models import Account, Connection
from people.models import Person
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


class StateAction(Action):
    """One call that opens or closes, and its opposite. Subclasses set the words and do the call."""

    Params = ConnectionParams
    capability: ClassVar[type[Any]]
    verb: ClassVar[str]
    """“Suspend”."""
    past: ClassVar[str]
    """“Suspended”."""
    opposite: ClassVar[str]
    """What takes it back: “Reactivate”."""
    noun: ClassVar[str]
    """What it is done to: “account”, “Slack member”."""
    found_as: ClassVar[str]
    """Under which name its id stands in the outcome."""
    unconnected: ClassVar[str]
    """Why it becomes a task where no connection can do it."""

    def whose(self, person: Person) -> str:
        """“the account of Ana”."""
        raise NotImplementedError

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Through which rung."""
        key = str(params.get("connection") or "")
        does = f"{self.verb} the {self.noun} {ctx.person.work_email}"
        return would_climb(self.capability, key, self.key, does=does)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Do it and read back; a target that cannot leaves it to the next rung."""
        found = named_or_only(self.capability, self.Params.read(params)["connection"])
        if found is None:
            return self._by_hand(ctx, self.unconnected)
        connection, client = found
        try:
            with repeatable():
                after = self.change(ctx, connection, client)
        except NotAvailableError as error:
            return self._by_hand(ctx, error.message)
        if after is None:
            return Skipped(
                reason=f"{connection.name} has no {self.found_as} for {ctx.person.work_email}."
            )
        return Done(
            summary=f"{self.past} {after.username} at {connection.name}.{self.also(client)}",
            detail={self.found_as: after.external_id, "connection": connection.key},
        )

    def change(
        self, ctx: ActionContext, connection: Connection, client: Any
    ) -> Account | RemoteAccount | None:
        """The one call; ``None`` where the person has none there."""
        raise NotImplementedError

    def also(self, client: Any) -> str:
        """A sentence more for the summary, with its leading space."""
        return ""

    def undo(self, ctx: UndoContext) -> Undoing:
        """The opposite, at the same connection."""
        if "task" in ctx.done:
            return ByHand(words=f"{self.opposite} {self.whose(ctx.person)}: it was left to a task.")
        if self.found_as not in ctx.done or self.reversible is None:
            return NothingToUndo(why=f"No {self.noun} was {self.past.lower()}.")
        where = ctx.done["connection"]
        return Compensation(
            action=self.reversible.by,
            params={"connection": where},
            words=f"{self.opposite} the {self.noun} {ctx.person.work_email} at {where}",
        )

    def _by_hand(self, ctx: ActionContext, why: str) -> Done:
        title = f"{self.verb} {self.whose(ctx.person)}"
        return task_or_webhook(ctx, self.key, title=title, role="it", why=why)


class AccountStateAction(StateAction):
    """At the identity provider."""

    category = "Identity"
    capability = AccountAdmin
    noun = found_as = "account"
    unconnected = "No identity provider is connected."

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"{self.verb.lower()} the identity provider account"

    def whose(self, person: Person) -> str:
        """See :class:`StateAction`."""
        return f"the account of {person}"
