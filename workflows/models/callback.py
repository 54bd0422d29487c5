"""An address that one endpoint calls once, to say how what it was asked for went."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from workflows.models.run import StepRun


class Callback(models.Model):
    """What one step waits for. The address itself is not stored, only what to know it by."""

    class State(models.TextChoices):
        OPEN = "open", "Waits"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"

    step = models.OneToOneField(StepRun, on_delete=models.CASCADE, related_name="callback")
    connection = models.CharField(max_length=60, help_text="Key of the connection that signs.")
    token_hash = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=20, choices=State.choices, default=State.OPEN)
    message = models.CharField(max_length=300, blank=True, help_text="What the endpoint said.")
    message_id_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(
        null=True, blank=True, help_text="When the endpoint had taken the call."
    )
    expires_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    refused = models.PositiveIntegerField(default=0, help_text="Calls that were not genuine.")

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Callback of step {self.step_id}: {self.state}"
