"""What the planner refused, as it was known then."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.models import Person
from workflows.models.workflow import Workflow, WorkflowVersion


class Refusal(models.Model):
    """A due moment came and nothing started. A row is added whenever the verdict changes.

    People and conditions change; this answers later questions from what was known at the time.
    """

    workflow = models.ForeignKey(Workflow, on_delete=models.CASCADE, related_name="refusals")
    version = models.ForeignKey(
        WorkflowVersion, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="refusals")
    key = models.CharField(max_length=64, db_index=True, help_text="The key its run would have.")
    anchor = models.CharField(max_length=80)
    due_at = models.DateTimeField()
    verdict = models.CharField(max_length=20)
    reason = models.TextField(blank=True)
    noted_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(fields=["workflow", "due_at"], name="refusal_due"),
            models.Index(fields=["person", "workflow"], name="refusal_person"),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {self.person_id}"
