"""Message templates in several languages."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class MessageTemplate(models.Model):
    """Texts with placeholders; the variant is chosen by language, then country, then default."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    variants = models.JSONField(
        default=list, help_text="[{language, country, default, subject, body}]"
    )

    class Meta:
        ordering: ClassVar = ["key"]

    def __str__(self) -> str:
        return self.name or self.key
