"""An outage of a connection that people were told of, once."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from integrations.models.connection import Connection


class Incident(models.Model):
    """One outage: the directory is stale, its syncs fail, or a target is silent or refuses us."""

    class Kind(models.TextChoices):
        STALE = "stale", "Out of date"
        FAILED = "failed", "Sync failed"
        SILENT = "silent", "Does not answer"
        REFUSED = "refused", "Credential refused"

    OF_TARGETS: ClassVar = [Kind.SILENT, Kind.REFUSED]
    """Those with an end of their own, which is told of as well."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="incidents")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    since_sync = models.PositiveBigIntegerField(
        default=0, help_text="The last good sync before it: one outage, one row."
    )
    opened_at = models.DateTimeField()
    mailed_to = models.PositiveIntegerField(default=0, help_text="How many people were mailed.")
    closed_at = models.DateTimeField(null=True, blank=True, help_text="When a target was back.")
    return_told_at = models.DateTimeField(
        null=True, blank=True, help_text="When that was mailed, or found to concern nobody."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "kind", "since_sync"],
                condition=Q(kind__in=["stale", "failed"]),
                name="one_incident_per_outage",
            ),
            models.UniqueConstraint(
                fields=["connection", "kind"],
                condition=Q(kind__in=["silent", "refused"], closed_at__isnull=True),
                name="one_open_outage_of_a_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.connection_id}"
