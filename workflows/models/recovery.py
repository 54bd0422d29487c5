"""Which installation this database belongs to, how far it has come, and whether it was put back."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.lookups import IsNull


class Installation(models.Model):
    """The one row that a database and its witness outside recognise each other by.

    ``position`` only ever grows: no retention and no deleting of rows takes it back.
    """

    identity = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    position = models.PositiveBigIntegerField(default=0)
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When the position was last moved on."
    )

    def __str__(self) -> str:
        return str(self.identity)


class RecoveryHold(models.Model):
    """A database that may be older than what was done with it: nothing is taken until it ends."""

    found_by_witness = models.BooleanField(default=False)
    stands_at = models.DateTimeField(
        null=True, blank=True, help_text="When the restored backup was made, as far as known."
    )
    worked_until = models.DateTimeField(
        null=True, blank=True, help_text="Until when was worked with what is lost."
    )
    reason = models.CharField(max_length=300, blank=True)
    opened_at = models.DateTimeField()
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    mailed_to = models.PositiveIntegerField(default=0, help_text="How many people were mailed.")
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    closing_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            # The expression is the same for every open one, so there is at most one.
            models.UniqueConstraint(
                IsNull(F("closed_at"), True),
                condition=Q(closed_at__isnull=True),
                name="one_open_recovery_hold",
            ),
        ]

    def __str__(self) -> str:
        return f"Recovery hold {self.pk}"
