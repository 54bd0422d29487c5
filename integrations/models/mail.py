"""What became of a mail after the sender had taken it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models.connection import Connection


class MailEvent(models.Model):
    """One bounce, refusal, delay or delivery. Holds no address: the run knows whose it is."""

    class Kind(models.TextChoices):
        DELIVERED = "delivered", "Delivered"
        DEFERRED = "deferred", "Delayed"
        BOUNCED = "bounced", "Bounced"
        REFUSED = "refused", "Refused"
        COMPLAINED = "complained", "Taken for spam"

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="mail_events")
    message_id = models.CharField(max_length=200, db_index=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    why = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, help_text="The same for a repeated call.")
    received_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "digest"], name="one_mail_event_per_digest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
