"""Tables of what is connected and what went in and out."""

from integrations.models.application import Account, AppAccess, Application, Bundle
from integrations.models.connection import Connection
from integrations.models.custom import CustomReading, CustomValues
from integrations.models.delivery import Delivery
from integrations.models.incident import Incident
from integrations.models.sync_run import SyncRun
from integrations.models.webhook import WebhookReceipt, WebhookSubscription

__all__ = [
    "Account",
    "AppAccess",
    "Application",
    "Bundle",
    "Connection",
    "CustomReading",
    "CustomValues",
    "Delivery",
    "Incident",
    "SyncRun",
    "WebhookReceipt",
    "WebhookSubscription",
]
