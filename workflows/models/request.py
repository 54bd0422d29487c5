"""What employees ask for."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.models import Person


class Service(models.Model):
    """An entry of the catalogue: what can be asked for and which fields its form has."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=80, blank=True)
    icon = models.CharField(max_length=40, default="inbox")
    fields = models.JSONField(
        default=list, blank=True, help_text="[{name, label, type, required, choices}]"
    )
    audience = models.JSONField(
        null=True, blank=True, help_text="Who may ask for it, as a condition; empty: everybody."
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["category", "name"]

    def __str__(self) -> str:
        return self.name


class Request(models.Model):
    """One submitted request."""

    class Status(models.TextChoices):
        NEW = "new", "New"
        IN_PROGRESS = "in_progress", "In progress"
        WAITING = "waiting", "Waiting"
        RESOLVED = "resolved", "Resolved"
        CANCELLED = "cancelled", "Cancelled"

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="requests")
    requester = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="requests")
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.NEW)
    status_reason = models.TextField(blank=True)
    priority = models.CharField(max_length=20, default="normal")
    form = models.JSONField(default=dict, blank=True)
    revision = models.PositiveSmallIntegerField(
        default=1, help_text="Counts up when the answers change."
    )
    submitted_by = models.ForeignKey(
        Person,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="Who asked on behalf of the requester.",
    )
    consumed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the planner looked at it."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]
        permissions: ClassVar = [("submit_for_others", "Can ask for something for somebody else")]

    def __str__(self) -> str:
        return f"Request {self.pk}"

    @property
    def is_open(self) -> bool:
        """Neither resolved nor cancelled."""
        return self.status not in (self.Status.RESOLVED, self.Status.CANCELLED)


class RequestNote(models.Model):
    """One line of a request's timeline: what somebody said, or what happened, in words."""

    class Kind(models.TextChoices):
        COMMENT = "comment", "Comment"
        QUESTION = "question", "Question"
        ANSWER = "answer", "Answer"
        EVENT = "event", "Event"

    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="notes")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.EVENT)
    author = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField()
    at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["at", "pk"]

    def __str__(self) -> str:
        return f"Note {self.pk} on request {self.request_id}"
