"""What a workflow is: a draft document and immutable published versions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models


class Workflow(models.Model):
    """One automation, known by its key."""

    class Status(models.TextChoices):
        DRAFT = "draft", "Draft"
        LIVE = "live", "Live"
        PAUSED = "paused", "Paused"
        ARCHIVED = "archived", "Archived"

    key = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    category = models.CharField(max_length=80, blank=True)
    owner = models.EmailField(
        blank=True, help_text="Work e-mail; told when a run fails or is held."
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.DRAFT, db_index=True
    )
    status_reason = models.CharField(max_length=300, blank=True)
    draft = models.JSONField(default=dict, help_text="The document being edited.")
    draft_saved_at = models.DateTimeField()
    draft_saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    draft_revision = models.PositiveIntegerField(
        default=0, help_text="One more with every change: who edits names the one they saw."
    )
    draft_state = models.PositiveIntegerField(
        default=0, help_text="The number of the kept state that the draft is at."
    )
    live_version = models.ForeignKey(
        "workflows.WorkflowVersion",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
    )
    live_since = models.DateTimeField(
        null=True, blank=True, help_text="First publication: no earlier moment ever fires."
    )
    planned_until = models.DateTimeField(
        null=True, blank=True, help_text="The last moment up to which the planner has looked."
    )
    planned_whole_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="When it last looked back over everything, not only over what is new.",
    )
    planned_with = models.CharField(
        max_length=64, blank=True, help_text="Digest of what all answers of that look rest on."
    )
    planned_again = models.JSONField(
        default=list, blank=True, help_text="People who wait for a run of another date of theirs."
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name"]
        permissions: ClassVar = [
            ("publish_workflow", "Can publish, pause and archive workflows"),
            ("run_workflow", "Can start, retry, cancel and release runs"),
        ]

    def __str__(self) -> str:
        return self.name


class DraftState(models.Model):
    """A draft as it was after a change: undo and redo move among these."""

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="draft_states")
    number = models.PositiveIntegerField(help_text="The revision that made it.")
    document = models.JSONField()
    what = models.CharField(max_length=120, blank=True)
    saved_at = models.DateTimeField()
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["workflow", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow", "number"], name="one_state_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} draft {self.number}"


class WorkflowVersion(models.Model):
    """A published document. Never changed: runs point here."""

    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering: ClassVar = ["workflow", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow", "number"], name="one_version_per_number")
        ]

    def __str__(self) -> str:
        return f"{self.workflow_id} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only. Raises ``ValueError`` on an attempt to change a published version."""
        if self.pk is not None:
            raise ValueError("A published version is never changed; publish a new one.")
        super().save(*args, **kwargs)
