"""Fields beyond the built-in ones: from an HR system, or an admin's own."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class CustomField(models.Model):
    """One definition. Values stand in ``Person.custom`` under ``key``."""

    class Type(models.TextChoices):
        TEXT = "text", "Text"
        NUMBER = "number", "Number"
        DATE = "date", "Date"
        CHOICE = "choice", "One of several"
        BOOLEAN = "boolean", "Yes or no"

    key = models.CharField(
        max_length=50,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_]*$", "Small letters, digits and _ only.")],
        help_text="Name in conditions and messages: custom.KEY.",
    )
    label = models.CharField(max_length=200)
    type = models.CharField(max_length=20, choices=Type.choices, default=Type.TEXT)
    options = models.JSONField(default=list, blank=True, help_text="What can be chosen, in order.")
    source = models.CharField(
        max_length=60, blank=True, help_text="Key of the connection; empty for an admin's own."
    )
    external_id = models.CharField(max_length=128, blank=True)
    enabled = models.BooleanField(
        default=False, help_text="In use: values are read, and conditions may ask about it."
    )
    created_at = models.DateTimeField()
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="When its source no longer had it."
    )

    class Meta:
        ordering: ClassVar = ["label", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "external_id"],
                condition=~Q(external_id=""),
                name="one_custom_field_per_source_id",
            )
        ]

    def __str__(self) -> str:
        return self.label
