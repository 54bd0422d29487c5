"""Tables of what is connected and what went in and out."""

from integrations.models.application import Account, AppAccess, Application, Bundle
from integrations.models.connection import Connection
from integrations.models.delivery import Delivery
from integrations.models.sync_run import SyncRun

__all__ = ["Account", "AppAccess", "Application", "Bundle", "Connection", "Delivery", "SyncRun"]
