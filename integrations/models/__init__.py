"""Tables of what is connected and what went in and out."""

from integrations.models.access import AccessEvent, AccessReading, AppAccess, ReportedAccess
from integrations.models.application import Account, Application, Bundle
from integrations.models.circuit import Circuit
from integrations.models.connection import Connection
from integrations.models.custom import CustomReading, CustomValues
from integrations.models.delivery import Delivery
from integrations.models.incident import Incident
from integrations.models.mail import MailEvent
from integrations.models.sync_run import SyncRun
from integrations.models.webhook import WebhookReceipt, WebhookSubscription

__all__ = [
    "AccessEvent",
    "AccessReading",
    "Account",
    "AppAccess",
    "Application",
    "Bundle",
    "Circuit",
    "Connection",
    "CustomReading",
    "CustomValues",
    "Delivery",
    "Incident",
    "MailEvent",
    "ReportedAccess",
    "SyncRun",
    "WebhookReceipt",
    "WebhookSubscription",
]
