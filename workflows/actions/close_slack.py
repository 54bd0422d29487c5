"""Deactivate the Slack member."""

from __future__ import annotations

from integrations.connectors.base import MemberAdmin, RemoteAccount
from workflows.actions.slack_access import SlackAccessAction
from workflows.nodes import ACTIONS, Reversal


@ACTIONS.register
class CloseSlackAction(SlackAccessAction):
    """The member's messages stay; they cannot sign in any more."""

    key = "slack.close_access"
    label = "Close Slack access"
    destructive = True
    reversible = Reversal(
        by="slack.reopen_access", words="Reactivate the member in Slack.", days=90
    )
    capability = MemberAdmin
    word, verb, past, opposite = "close", "Deactivate", "Deactivated", "Reactivate"

    def turn(self, client: MemberAdmin, work_email: str, *, key: str) -> RemoteAccount | None:
        """Deactivate and read back."""
        return client.deactivate_member(work_email, idempotency_key=key)
