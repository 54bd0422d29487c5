"""Who may do what with the workflows of one category, where that differs from what roles say."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class CategoryRights(models.Model):
    """Rights on one category: those that are named here replace what the role's permission says."""

    category = models.CharField(
        max_length=100, unique=True, help_text="In lower case; empty: workflows without one."
    )
    rights = models.JSONField(
        default=dict, help_text="{right: [role, …]}; a right that is left out follows the roles."
    )

    class Meta:
        ordering: ClassVar = ["category"]
        verbose_name = "rights on a category"
        verbose_name_plural = "rights on categories"

    def __str__(self) -> str:
        return self.category or "(no category)"
