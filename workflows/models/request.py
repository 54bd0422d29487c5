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
    consumed_at = models.DateTimeField(
        null=True, blank=True, help_text="When the planner looked at it."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Request {self.pk}"
