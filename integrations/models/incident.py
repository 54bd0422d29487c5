"""An outage of a connection that people were told of, once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models.connection import Connection


class Incident(models.Model):
    """One outage: the directory is stale, or its syncs fail."""

    class Kind(models.TextChoices):
        STALE = "stale", "Out of date"
        FAILED = "failed", "Sync failed"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    since_sync = models.PositiveBigIntegerField(
        default=0, help_text="The last good sync before it: one outage, one row."
    )
    opened_at = models.DateTimeField()
    mailed_to = models.PositiveIntegerField(default=0, help_text="How many people were mailed.")

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "kind", "since_sync"], name="one_incident_per_outage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection_id}"
