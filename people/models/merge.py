"""Two people who turned out to be one, so that it can be taken back."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from people.models.person import Person


class PersonMerge(models.Model):
    """Somebody was merged into somebody else by hand."""

    kept = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="merges")
    absorbed_name = models.CharField(max_length=300, blank=True)
    absorbed_email = models.EmailField(max_length=254)
    absorbed = models.JSONField(help_text="The row as it was, its changes and values by hand.")
    moved = models.JSONField(help_text="model.field → primary keys of the rows that moved.")
    reason = models.CharField(max_length=300)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    done_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"{self.absorbed_email} into {self.kept_id}"
