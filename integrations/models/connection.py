"""A configured connection to one outside system, with its credentials encrypted."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from siit_remote.lib import crypto


class Connection(models.Model):
    """One account at one outside system."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Set-up not finished"
        READY = "ready", "Connected"
        NEEDS_ATTENTION = "needs_attention", "Needs attention"
        DISCONNECTED = "disconnected", "Disconnected"

    key = models.SlugField(max_length=60, unique=True, help_text="Name of it in documents.")
    connector = models.CharField(max_length=40, help_text="Key of the connector.")
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.DRAFT)
    config = models.JSONField(default=dict, blank=True, help_text="Settings that are no secret.")
    secrets_token = models.TextField(blank=True, editable=False)
    account = models.JSONField(
        default=dict, blank=True, help_text="Who we are there: company id, name, environment."
    )
    capabilities = models.JSONField(
        default=dict, blank=True, help_text="What the server said it can do, read once per test."
    )
    last_error = models.TextField(blank=True)
    last_error_code = models.CharField(
        max_length=40, blank=True, help_text="What kind of failure it was."
    )
    last_ok_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(
        null=True, blank=True, help_text="When set-up was finished: the baseline of cold start."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def _bound_to(self) -> str:
        return f"integrations.connection:{self.pk}:secrets"

    def set_secrets(self, secrets: dict[str, str]) -> None:
        """Encrypt ``secrets`` for this row, which must have a primary key. Does not save."""
        if self.pk is None:
            raise ValueError("Save the connection before its secrets: they are bound to the row.")
        self.secrets_token = crypto.encrypt(
            secrets, keys=settings.FIELD_ENCRYPTION_KEYS, bound_to=self._bound_to
        )

    def get_secrets(self) -> dict[str, Any]:
        """Decrypt; ``{}`` where none were set. Raises :class:`crypto.DecryptionError`."""
        if not self.secrets_token:
            return {}
        return crypto.decrypt(
            self.secrets_token, keys=settings.FIELD_ENCRYPTION_KEYS, bound_to=self._bound_to
        )
