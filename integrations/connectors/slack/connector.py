"""The Slack connector."""

from __future__ import annotations

from integrations.connectors.base import CONNECTORS, ConnectionSettings, Setting, Transport
from integrations.connectors.chat import ALSO, INSTEAD, NEVER
from integrations.connectors.inbound import Inbound
from integrations.connectors.scim.session import ScimSession
from integrations.connectors.slack.client import SlackClient
from integrations.errors import ConfigError

_WEB = "https://slack.com/api"
_SCIM = "https://api.slack.com/scim/v2"


@CONNECTORS.register
class SlackConnector:
    """A Slack workspace."""

    key = "slack"
    label = "Slack"
    category = "Chat"
    help = (
        "Sends messages and asks approvers as your bot; on Business+ and Enterprise also "
        "deactivates members."
    )
    icon = "message"
    settings: tuple[Setting, ...] = (
        Setting(name="base_url", label="Web API address", default=_WEB),
        Setting(name="scim_base_url", label="SCIM API address", default=_SCIM),
        Setting(
            name="bot_token",
            label="Bot token",
            help="xoxb-… with chat:write, im:write, users:read and users:read.email.",
            secret=True,
        ),
        Setting(
            name="admin_token",
            label="Admin token",
            help="xoxp-… of an owner or admin with the scope admin: closes accounts.",
            secret=True,
        ),
        Setting(
            name="signing_secret",
            label="Signing secret",
            help="Your Slack app's, under Basic Information. With it approvers can be asked in "
            "Slack; switch Interactivity on there, with the request URL that stands on this "
            "connection's page.",
            secret=True,
        ),
        Setting(
            name="approvals",
            label="Ask approvers in Slack",
            help="Needs the signing secret. Who has no Slack account is asked by mail in any case.",
            default=ALSO,
            choices=(ALSO, INSTEAD, NEVER),
        ),
    )

    inbound = (
        Inbound(
            label="Request URL for Interactivity",
            path="/slack/{key}/",
            help="Enter it in your Slack app under Interactivity: approvals are pressed there.",
        ),
    )

    def client(self, settings: ConnectionSettings, transport: Transport) -> SlackClient:
        """Bind to one connection."""
        bot, admin = settings.secrets.get("bot_token", ""), settings.secrets.get("admin_token", "")
        if not bot and not admin:
            raise ConfigError("Slack needs a bot_token, an admin_token, or both.")
        scim = None
        if admin:
            scim_base_url = settings.config.get("scim_base_url") or _SCIM
            scim = ScimSession(transport, base_url=scim_base_url, token=admin)
        return SlackClient(
            transport,
            base_url=settings.config.get("base_url") or _WEB,
            bot_token=bot,
            scim=scim,
            signing_secret=settings.secrets.get("signing_secret", ""),
            when_asked=settings.config.get("approvals") or ALSO,
            team=str(settings.account.get("team_id") or ""),
        )
