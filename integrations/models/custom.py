"""Values of custom fields that have to be asked for one employment at a time."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models.connection import Connection


class CustomValues(models.Model):
    """What was last read of one employment: the source's field id → value, enabled fields only."""

    connection = models.ForeignKey(
        Connection, on_delete=models.CASCADE, related_name="custom_values"
    )
    external_id = models.CharField(max_length=128)
    values = models.JSONField(default=dict)
    asked = models.JSONField(default=list, help_text="Ids of the fields that were looked for.")
    read_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["connection", "external_id"]
        verbose_name_plural = "custom values"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "external_id"], name="one_row_of_custom_values"
            )
        ]

    def __str__(self) -> str:
        return f"{self.connection_id}:{self.external_id}"


class CustomReading(models.Model):
    """How the reading of one connection's custom fields stands; also its lease."""

    connection = models.OneToOneField(
        Connection, on_delete=models.CASCADE, related_name="custom_reading"
    )
    lease_until = models.DateTimeField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["connection"]

    def __str__(self) -> str:
        return f"Custom fields of {self.connection_id}"
