"""One row for each attempt to reach an outside system. Append-only."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models.connection import Connection
from people.models import Person


class Delivery(models.Model):
    """What we sent where, what for, and how it ended. Holds no secret and no body."""

    class Outcome(models.TextChoices):
        OK = "ok", "Done"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Unknown"

    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    idempotency_key = models.CharField(max_length=120, db_index=True, blank=True)
    operation = models.CharField(
        max_length=80, help_text="Method and path without ids, as POST /Users; or smtp.send."
    )
    target = models.CharField(
        max_length=300, blank=True, help_text="Host and path without ids, no query."
    )
    purpose = models.CharField(max_length=120, blank=True, help_text="What for, in words.")
    run_id = models.PositiveBigIntegerField(
        null=True, blank=True, db_index=True, help_text="Number of the run it was made for."
    )
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="deliveries"
    )
    attempt = models.PositiveIntegerField(default=1, help_text="Which try of the same thing.")
    started_at = models.DateTimeField()
    milliseconds = models.PositiveIntegerField(default=0)
    outcome = models.CharField(max_length=20, choices=Outcome.choices)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    request_id = models.CharField(max_length=120, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "deliveries"
        indexes: ClassVar = [
            models.Index(fields=["connection", "-id"], name="delivery_of_connection")
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.outcome}"
