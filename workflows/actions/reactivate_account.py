"""Reactivate the identity-provider account."""

from __future__ import annotations

from typing import Any

from integrations.accounts import account_reactivate
from integrations.connectors.identity import AccountReactivator
from integrations.models import Account, Connection
from workflows.actions.account_state import AccountStateAction
from workflows.nodes import ACTIONS, ActionContext, Reversal


@ACTIONS.register
class ReactivateAccountAction(AccountStateAction):
    """Wakes an account that sleeps; never makes one."""

    key = "idp.reactivate_account"
    label = "Reactivate account"
    icon = "user-check"
    reversible = Reversal(by="idp.suspend_account", words="Suspend the account again.", days=90)
    capability = AccountReactivator
    verb, past, opposite = "Reactivate", "Reactivated", "Suspend"

    def change(self, ctx: ActionContext, connection: Connection, client: Any) -> Account | None:
        """Reactivate and read back."""
        return account_reactivate(
            connection, ctx.person, idempotency_key=ctx.idempotency_key, now=ctx.now
        )
