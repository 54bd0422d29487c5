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

    NOT_THERE: ClassVar = [Kind.BOUNCED, Kind.REFUSED]
    """Nobody will read it: whoever it was for is told another way."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="mail_events")
    message_id = models.CharField(max_length=200, db_index=True)
    kind = models.CharField(max_length=20, choices=Kind.choices)
    why = models.CharField(max_length=200, blank=True)
    digest = models.CharField(max_length=64, help_text="The same for a repeated call.")
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(
        null=True, blank=True, help_text="When whoever it concerns was told another way."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["connection", "digest"], name="one_mail_event_per_digest"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["id"],
                name="mail_event_to_follow",
                condition=models.Q(handled_at__isnull=True, kind__in=["bounced", "refused"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
