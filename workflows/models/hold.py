"""A brake that was pulled: which runs wait for a second person, why, and what was decided."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from workflows.models.workflow import Workflow, WorkflowVersion


class Hold(models.Model):
    """Runs held together before their first effect (or before one destructive step).

    The list itself is ``runs``: who is held is whose run still has the status held.
    """

    class Kind(models.TextChoices):
        LIMIT = "limit", "Too many people"
        PROTECTED = "protected", "Protected person"

    class Status(models.TextChoices):
        OPEN = "open", "Held"
        RELEASED = "released", "Released"
        DISCARDED = "discarded", "Discarded"
        EXPIRED = "expired", "Expired"
        EMPTY = "empty", "Nobody left on it"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    scope = models.CharField(
        max_length=20, default="workflow", help_text="Whose limit: workflow or workspace."
    )
    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="holds")
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(help_text="Why it is held, in words with the numbers.")
    people = models.PositiveIntegerField(default=1, help_text="People within the window.")
    window_hours = models.PositiveIntegerField(default=0)
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who started the runs by hand.",
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.OPEN, db_index=True
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When the mail went out.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decision_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        permissions: ClassVar = [("release_hold", "Can release and discard what is held")]

    def __str__(self) -> str:
        return f"Hold {self.pk}"
