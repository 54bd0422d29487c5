"""Suspend the identity-provider account."""

from __future__ import annotations

from typing import Any

from integrations.accounts import account_suspend
from integrations.connectors.identity import SessionEnder
from integrations.models import Account, Connection
from workflows.actions.account_state import AccountStateAction
from workflows.nodes import ACTIONS, ActionContext, Reversal


@ACTIONS.register
class SuspendAccountAction(AccountStateAction):
    """Deactivates it and ends its sessions where the connection can."""

    key = "idp.suspend_account"
    label = "Suspend account"
    icon = "user-x"
    destructive = True
    reversible = Reversal(
        by="idp.reactivate_account",
        words="Reactivate the account at the identity provider.",
        days=90,
    )
    verb, past, opposite = "Suspend", "Suspended", "Reactivate"

    def change(self, ctx: ActionContext, connection: Connection, client: Any) -> Account | None:
        """Suspend, end the sessions, read back."""
        return account_suspend(
            connection,
            ctx.person,
            idempotency_key=ctx.idempotency_key,
            now=ctx.now,
            protection_released=ctx.protection_released,
        )

    def also(self, client: Any) -> str:
        """Whether what was open is closed as well."""
        return " Its sessions are ended." if isinstance(client, SessionEnder) else ""
