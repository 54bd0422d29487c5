"""What each source says, and which source wins for which field."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.models.person import Person


class SourceRecord(models.Model):
    """The last :class:`people.records.WorkerRecord` of one employment or account at one source."""

    source = models.CharField(max_length=60, help_text="Key of the connection.")
    external_id = models.CharField(max_length=128)
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="source_records"
    )
    values = models.JSONField(default=dict, help_text="The normalised record.")
    digest = models.CharField(max_length=64)
    is_live = models.BooleanField(default=True)
    is_primary = models.BooleanField(default=False)
    skip_reason = models.CharField(max_length=300, blank=True)
    first_seen_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    missing_since = models.DateTimeField(
        null=True, blank=True, help_text="First complete sync in which the source no longer had it."
    )

    class Meta:
        ordering: ClassVar = ["source", "external_id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["source", "external_id"], name="one_record_per_source_id"
            )
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"


class FieldPolicy(models.Model):
    """For one field of the directory: the order of its sources and who may see it."""

    field = models.CharField(max_length=60, unique=True)
    sources = models.JSONField(
        default=list, help_text="Connection keys, most trusted first; others follow by age."
    )
    visible_to = models.JSONField(
        default=list, blank=True, help_text="Roles that may see the field; empty for everybody."
    )

    class Meta:
        ordering: ClassVar = ["field"]
        verbose_name_plural = "field policies"

    def __str__(self) -> str:
        return self.field
