"""How somebody likes to look at the list of people."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class SavedView(models.Model):
    """A tab over the list of people: its filters, search and order, and its columns."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="people_views"
    )
    name = models.CharField(max_length=60)
    query = models.TextField(blank=True, help_text="The query of the list's address, in order.")
    columns = models.JSONField(default=list, help_text="Keys of columns; empty: the reader's own.")
    shared = models.BooleanField(default=False, help_text="Everybody who sees the list has it.")
    created_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "name"], name="one_view_per_name")
        ]

    def __str__(self) -> str:
        return self.name


class ListColumns(models.Model):
    """The columns that one account chose for the list of people."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="people_columns"
    )
    columns = models.JSONField(default=list)

    class Meta:
        verbose_name_plural = "list columns"

    def __str__(self) -> str:
        return f"Columns of {self.user_id}"
