"""How a target has been answering lately: shared by all workers, so that one's failures count."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from integrations.models.connection import Connection


class Circuit(models.Model):
    """One host of one connection that has failed or asked us to slow down. No row: all is well."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="circuits")
    target = models.CharField(max_length=300, help_text="Host and port.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row, none between.")
    opened_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it is left alone; blank: it is not."
    )
    probe_at = models.DateTimeField(
        null=True, blank=True, help_text="When one call may try it again."
    )
    probes = models.PositiveIntegerField(default=0, help_text="Tries since it was opened.")
    slowed_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then it asked us to wait (Retry-After)."
    )
    last_failed_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["connection", "target"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "target"], name="one_circuit_per_target"),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True) | Q(probe_at__isnull=False),
                name="open_circuit_has_a_probe",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.target} of {self.connection_id}"
