"""Where in a chat a question stands, so that it can be shown as it is now."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models import Connection
from people.models import Person
from workflows.models.approval import Approval


class ChatMessage(models.Model):
    """One message of ours that asks for one approval."""

    approval = models.ForeignKey(Approval, on_delete=models.CASCADE, related_name="chat_messages")
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, related_name="+", help_text="Who was asked there."
    )
    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=60)
    ts = models.CharField(max_length=40, help_text="The chat's own name of the message.")
    shown = models.CharField(
        max_length=20, help_text="The approval's status as the message says it now."
    )
    posted_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "channel", "ts"], name="one_row_per_chat_message"
            )
        ]

    def __str__(self) -> str:
        return f"{self.approval_id} in {self.channel}"
