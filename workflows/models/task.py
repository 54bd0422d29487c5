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
        REFUSED = "refused", "Could not be done"
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
    comment = models.TextField(blank=True, help_text="What was done, or why it could not be.")
    checklist = models.JSONField(
        default=list, blank=True, help_text="[{text, done, by, at}] in order."
    )
    remind_every = models.PositiveSmallIntegerField(default=1, help_text="Working days.")
    remind_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When somebody is told, again."
    )
    reminders = models.PositiveSmallIntegerField(default=0)
    notified_at = models.DateTimeField(null=True, blank=True)
    escalate_after = models.PositiveSmallIntegerField(
        default=2, help_text="Working days past the due day."
    )
    escalate_to = models.CharField(
        max_length=254, blank=True, help_text="A role or a work email; empty: the role's lead."
    )
    escalated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["status", "due_on", "-pk"]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to do it."""
        return self.status == self.Status.OPEN

    @property
    def left_to_tick(self) -> int:
        """Points of the checklist that nobody has ticked."""
        return sum(not item.get("done") for item in self.checklist)


class TaskNote(models.Model):
    """One line under a task: what somebody said, or what happened to it, in words."""

    task = models.ForeignKey(Task, on_delete=models.CASCADE, related_name="notes")
    comment = models.BooleanField(default=False, help_text="Said by somebody, not by the system.")
    author = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"Note {self.pk} on task {self.task_id}"
