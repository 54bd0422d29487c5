"""What changed, and what somebody set by hand."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from people.models.person import Person


class PersonChange(models.Model):
    """One field of one person went from one value to another. Append-only."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="changes")
    field = models.CharField(max_length=60)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    source = models.CharField(max_length=60, help_text="Connection key, or “manual”.")
    at = models.DateTimeField(db_index=True)
    correlation = models.CharField(max_length=64, blank=True, db_index=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.field} of {self.person_id}"


class FieldOverride(models.Model):
    """A value that an admin set by hand; it wins over every source until it is removed."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="overrides")
    field = models.CharField(max_length=60)
    value = models.JSONField(null=True)
    reason = models.CharField(max_length=300)
    set_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    set_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["person", "field"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "field"], name="one_override_per_field")
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.person_id}"
