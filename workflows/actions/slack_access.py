"""What closing and reopening somebody's Slack access share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from integrations.connectors.base import RemoteAccount
from integrations.errors import UnauthorizedError
from integrations.models import Connection
from people.models import Person
from workflows.actions.account_state import StateAction
from workflows.actions.ladder import mark_if_unauthorized
from workflows.nodes import ActionContext


class SlackAccessAction(StateAction):
    """Through Slack's SCIM API where the plan has it; the ladder's next rung otherwise."""

    icon = "message-square"
    category = "Chat"
    noun, found_as = "Slack member", "member"
    unconnected = "Slack is not connected."
    word: ClassVar[str]
    """“close” or “reopen”."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"{self.word} Slack access"

    def whose(self, person: Person) -> str:
        """See :class:`StateAction`."""
        return f"{person} in Slack"

    def change(
        self, ctx: ActionContext, connection: Connection, client: Any
    ) -> RemoteAccount | None:
        """See :class:`StateAction`; a refused token stops the connection at once."""
        try:
            return self.turn(client, ctx.person.work_email, key=ctx.idempotency_key)
        except UnauthorizedError as error:
            mark_if_unauthorized(connection, error)
            raise

    def turn(self, client: Any, work_email: str, *, key: str) -> RemoteAccount | None:
        """The one call; ``None`` where nobody there has the address."""
        raise NotImplementedError
