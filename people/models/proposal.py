"""A change of source of truth or visibility that somebody looks at before it is made."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class FieldProposal(models.Model):
    """What somebody wants to change about fields, and a mark of what the preview showed.

    Holds no personal data: the preview is worked out anew each time, and ``shown`` only tells
    whether it is still the same.
    """

    changes = models.JSONField(help_text="Field → its new sources and visible_to.")
    before = models.JSONField(help_text="Field → sources and visible_to when this was proposed.")
    shown = models.JSONField(
        default=dict, help_text="Person → digest of what would change for them."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+"
    )
    created_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Proposal {self.pk}: {', '.join(sorted(self.changes))}"
