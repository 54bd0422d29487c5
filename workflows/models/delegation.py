"""Who is away, and who decides in their place."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from people.models import Person


class Delegation(models.Model):
    """Somebody else may decide too. Rows are ended, never erased."""

    class Kind(models.TextChoices):
        DATES = "dates", "Between two dates"
        PERMANENT = "permanent", "Until it is ended"
        WHILE_AWAY = "while_away", "Whenever away"

    approver = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="delegations")
    delegate = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="delegated_to_me")
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.DATES)
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    made_by_label = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=~Q(approver=F("delegate")), name="nobody_delegates_to_themselves"
            )
        ]

    def __str__(self) -> str:
        return f"Delegation {self.pk}"


class Absence(models.Model):
    """Somebody is away, from a day to a day (both included) or until they say they are back."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="absences")
    starts_on = models.DateField()
    ends_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField()
    made_by_label = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Absence {self.pk}"
