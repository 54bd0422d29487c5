"""Who is asked, and what they decided."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from people.models import Person


class ApproverPolicy(models.Model):
    """An ordered list of rules, first match wins, with a baseline that is always there."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200, blank=True)
    rules = models.JSONField(default=list, help_text="[{when: condition group, approver: {…}}]")
    baseline = models.JSONField(help_text="The approver when no rule matches.")

    class Meta:
        ordering: ClassVar = ["key"]
        verbose_name_plural = "approver policies"

    def __str__(self) -> str:
        return self.name or self.key


class Approval(models.Model):
    """One person is asked one question. Several rows of one stage are counted together."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        EXPIRED = "expired", "Expired"
        CANCELLED = "cancelled", "Cancelled"
        INFO = "info", "Asked for information"

    OPEN: ClassVar = [Status.PENDING, Status.INFO]

    class Origin(models.TextChoices):
        """How the approver was found: only what was resolved is resolved again."""

        FOUND = "found", "Found by the step"
        ESCALATED = "escalated", "Nobody answered"
        MOVED = "moved", "Moved by hand"

    step = models.ForeignKey(
        "workflows.StepRun", on_delete=models.CASCADE, related_name="approvals"
    )
    stage = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveSmallIntegerField(
        default=1, help_text="Counts up when the request changes: what was decided before is void."
    )
    subject = models.ForeignKey(
        Person,
        on_delete=models.CASCADE,
        related_name="approvals_about",
        help_text="Whom it is about: the requester, or the run's person.",
    )
    approver = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="approvals")
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True, help_text="What happens if approved, in words.")
    why_asked = models.CharField(max_length=300, blank=True)
    origin = models.CharField(max_length=20, choices=Origin.choices, default=Origin.FOUND)
    bulk = models.BooleanField(
        default=False, help_text="May be approved together with others, without being opened."
    )
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.PENDING, db_index=True
    )
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    remind_at = models.DateTimeField(null=True, blank=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    notified_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="decisions"
    )
    comment = models.TextField(blank=True)
    closed_reason = models.CharField(
        max_length=300, blank=True, help_text="Why nobody decides it any more, in words."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        permissions: ClassVar = [("reassign_approval", "Can move an approval to somebody else")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(approver=F("subject")), name="nobody_is_asked_about_themselves"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("subject")),
                name="nobody_decides_for_themselves",
            ),
            models.UniqueConstraint(
                fields=["step", "stage", "approver", "round"], name="asked_once_per_round"
            ),
        ]

    def __str__(self) -> str:
        return self.title
