"""Webhooks that an outside system sends us: the subscription, and what was received."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from integrations.models.connection import Connection
from siit_remote.lib import crypto


class WebhookSubscription(models.Model):
    """One address of ours that one connection's system calls. Its keys are encrypted."""

    connection = models.OneToOneField(Connection, on_delete=models.CASCADE, related_name="webhook")
    path_hash = models.CharField(
        max_length=64, unique=True, help_text="SHA-256 of the unguessable part of the address."
    )
    secrets_token = models.TextField(blank=True, editable=False)
    external_id = models.CharField(max_length=64, help_text="Its id at the outside system.")
    events = models.JSONField(default=list, blank=True)
    old_key_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then the key of before is valid as well."
    )
    created_at = models.DateTimeField()
    last_received_at = models.DateTimeField(null=True, blank=True)
    received = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0, help_text="Calls with a bad or old signature.")

    def __str__(self) -> str:
        return f"Webhooks of {self.connection_id}"

    @property
    def _bound_to(self) -> str:
        return f"integrations.webhook:{self.pk}:secrets"

    def set_secrets(self, secrets: dict[str, Any]) -> None:
        """Encrypt ``secrets`` for this row, which must have a primary key. Does not save."""
        if self.pk is None:
            raise ValueError("Save the subscription before its secrets: they are bound to the row.")
        self.secrets_token = crypto.encrypt(
            secrets, keys=settings.FIELD_ENCRYPTION_KEYS, bound_to=self._bound_to
        )

    def get_secrets(self) -> dict[str, Any]:
        """``path``, ``key`` and perhaps ``old_key``. Raises :class:`crypto.DecryptionError`."""
        if not self.secrets_token:
            return {}
        return crypto.decrypt(
            self.secrets_token, keys=settings.FIELD_ENCRYPTION_KEYS, bound_to=self._bound_to
        )


class WebhookReceipt(models.Model):
    """One genuine call, kept as long as it could be repeated. A hint, never data."""

    subscription = models.ForeignKey(
        WebhookSubscription, on_delete=models.CASCADE, related_name="receipts"
    )
    signature_hash = models.CharField(max_length=64)
    received_at = models.DateTimeField()
    event_type = models.CharField(max_length=100, blank=True)
    external_id = models.CharField(
        max_length=64, blank=True, help_text="The employment to look at again; blank for none."
    )
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["subscription", "signature_hash"], name="one_receipt_per_signature"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["subscription"],
                name="receipt_unhandled",
                condition=models.Q(handled_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.pk}"
