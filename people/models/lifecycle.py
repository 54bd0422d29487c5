"""The outbox: changes worth reacting to, written with the change itself."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.choices import EventKind
from people.models.person import Person


class LifecycleEvent(models.Model):
    """Something happened to a person. Written in the same transaction as the change."""

    kind = models.CharField(max_length=40, choices=EventKind.choices)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="events")
    field = models.CharField(max_length=60, blank=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    at = models.DateTimeField()
    key = models.CharField(
        max_length=64,
        unique=True,
        help_text="SHA-256 over what happened: twice written, once kept.",
    )
    baseline = models.BooleanField(
        default=False, help_text="Came with a first import: starts nothing, ever."
    )
    consumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                name="event_unconsumed",
                condition=models.Q(consumed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.person_id}"
