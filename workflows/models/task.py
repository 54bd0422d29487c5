"""What people do by hand because no connection can, or because a workflow asks."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.models import Person, Role


class Task(models.Model):
    """One thing for a role or a person to do."""

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        DONE = "done", "Done"
        CANCELLED = "cancelled", "Cancelled"

    key = models.CharField(max_length=80, unique=True, help_text="What asked for it, so once only.")
    title = models.CharField(max_length=300)
    body = models.TextField(blank=True)
    subject = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks_about"
    )
    role = models.ForeignKey(
        Role, null=True, blank=True, on_delete=models.PROTECT, related_name="tasks"
    )
    assignee = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks"
    )
    step = models.ForeignKey(
        "workflows.StepRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="tasks"
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.OPEN, db_index=True
    )
    due_on = models.DateField(null=True, blank=True)
    settles = models.JSONField(
        default=dict,
        blank=True,
        help_text="What finishing it means, as {'access': 4, 'state': 'revoked'}.",
    )
    created_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    done_by_label = models.CharField(max_length=200, blank=True)
    comment = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["status", "due_on", "-pk"]

    def __str__(self) -> str:
        return self.title
