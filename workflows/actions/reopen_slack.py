"""Reactivate the Slack member."""

from __future__ import annotations

from integrations.connectors.base import RemoteAccount
from integrations.connectors.identity import MemberReactivator
from workflows.actions.slack_access import SlackAccessAction
from workflows.nodes import ACTIONS, Reversal


@ACTIONS.register
class ReopenSlackAction(SlackAccessAction):
    """Lets a deactivated member in again; never invites anybody."""

    key = "slack.reopen_access"
    label = "Reopen Slack access"
    reversible = Reversal(
        by="slack.close_access", words="Deactivate the member in Slack again.", days=90
    )
    capability = MemberReactivator
    word, verb, past, opposite = "reopen", "Reactivate", "Reactivated", "Deactivate"

    def turn(self, client: MemberReactivator, work_email: str, *, key: str) -> RemoteAccount | None:
        """Activate and read back."""
        return client.reactivate_member(work_email, idempotency_key=key)
