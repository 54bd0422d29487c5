"""One refresh of the directory from one connection."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.models.connection import Connection


class SyncRun(models.Model):
    """A sync with its counts and names. At most one runs per connection."""

    class Status(models.TextChoices):
        ASKED = "asked", "Waiting to start"
        RUNNING = "running", "Running"
        REVIEWED = "reviewed", "Waiting for review"
        APPLIED = "applied", "Applied"
        HELD = "held", "Held"
        FAILED = "failed", "Failed"
        DISCARDED = "discarded", "Discarded"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="syncs")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.RUNNING)
    trigger = models.CharField(
        max_length=40, default="schedule", help_text="schedule, manual, cli …"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_holder = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    progress = models.CharField(max_length=200, blank=True)
    requests = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    ended = models.PositiveIntegerField(default=0)
    skipped = models.JSONField(default=list, blank=True, help_text="[{remote_id, name, reason}]")
    conflicts = models.JSONField(default=list, blank=True)
    names = models.JSONField(
        default=dict, blank=True, help_text="created, updated, ended → [{name, work_email}]"
    )
    held_reason = models.TextField(blank=True)
    held_people = models.JSONField(default=list, blank=True)
    held_records = models.JSONField(
        default=list,
        blank=True,
        help_text="The records of a held sync, applied exactly on release.",
    )
    held_hash = models.CharField(max_length=64, blank=True)
    review = models.JSONField(
        default=dict, blank=True, help_text="What a first import would do, until it is decided."
    )
    taken_from = models.JSONField(
        default=list,
        blank=True,
        help_text="Ids of the people from whom it took something without a person's word.",
    )
    error_code = models.CharField(max_length=40, blank=True)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection"], condition=Q(status="running"), name="one_sync_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"Sync {self.pk} of {self.connection_id}"
