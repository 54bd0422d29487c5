"""Who has which application, everything that became of it, and what connections report."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from integrations.models.application import Application
from people.models import Person


class AppAccess(models.Model):
    """One person's access to one application. Ended rows stay as history."""

    class State(models.TextChoices):
        PLANNED = "planned", "Planned"
        REQUESTED = "requested", "Being given"
        GRANTED = "granted", "Active"
        REVOKING = "revoking", "Being taken away"
        REVOKED = "revoked", "Taken away"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        BY_HAND = "by_hand", "Waits for somebody"

    class Aim(models.TextChoices):
        HAVE = "have", "To have it"
        GONE = "gone", "To be rid of it"

    OPEN_STATES: ClassVar = [
        State.PLANNED,
        State.REQUESTED,
        State.GRANTED,
        State.REVOKING,
        State.FAILED,
        State.UNCERTAIN,
        State.BY_HAND,
    ]
    HELD: ClassVar = Q(state=State.GRANTED) | (Q(aim=Aim.GONE) & ~Q(state=State.REVOKED))
    """Whose door is open, as far as is written down: given, or not taken away yet."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="accesses")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="accesses")
    state = models.CharField(max_length=20, choices=State.choices, default=State.REQUESTED)
    aim = models.CharField(max_length=10, choices=Aim.choices, default=Aim.HAVE)
    since = models.DateTimeField()
    run_id = models.BigIntegerField(
        null=True, blank=True, db_index=True, help_text="The run that last changed it."
    )
    evidence = models.JSONField(default=dict, blank=True)
    expires_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When it is taken away by itself."
    )
    expiry_told_at = models.DateTimeField(
        null=True, blank=True, help_text="When the owner was reminded that it ends."
    )
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]
        verbose_name_plural = "application access"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "person"],
                condition=~Q(state="revoked"),
                name="one_open_access",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["application", "state"], name="access_app_state"),
            models.Index(fields=["person", "aim", "ended_at"], name="access_person_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.application_id} for {self.person_id}"

    @property
    def is_settled(self) -> bool:
        """Whether it has come to what it was meant to come to."""
        return self.state in (self.State.GRANTED, self.State.REVOKED)


class AccessEvent(models.Model):
    """One thing that happened to an access: when, by whom, with which proof. Append-only."""

    access = models.ForeignKey(AppAccess, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    state = models.CharField(max_length=20, choices=AppAccess.State.choices)
    run_id = models.BigIntegerField(null=True, blank=True)
    by_label = models.CharField(max_length=200, blank=True, help_text="Blank: a workflow.")
    words = models.CharField(max_length=300, blank=True)
    evidence = models.JSONField(
        default=dict, blank=True, help_text="Calls with their request ids, what was read back."
    )

    class Meta:
        ordering: ClassVar = ["access", "pk"]

    def __str__(self) -> str:
        return f"{self.state} of access {self.access_id}"


class AccessReading(models.Model):
    """When a connection was last asked who has an application, and what came of it."""

    application = models.OneToOneField(
        Application, on_delete=models.CASCADE, related_name="reading"
    )
    asked_at = models.DateTimeField(null=True, blank=True, help_text="Somebody pressed Read now.")
    read_at = models.DateTimeField(null=True, blank=True)
    tried_at = models.DateTimeField(null=True, blank=True)
    accounts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    drift = models.JSONField(
        default=dict, blank=True, help_text="How many of each difference, when last looked at."
    )
    drift_at = models.DateTimeField(null=True, blank=True)
    changed = models.BooleanField(
        default=False, help_text="Something happened since its differences were counted."
    )

    class Meta:
        ordering: ClassVar = ["application"]

    def __str__(self) -> str:
        return f"Reading of {self.application_id}"

    @classmethod
    def mark_changed(cls, application_id: int) -> None:
        """Its differences have to be counted again. Writes once, however much happens."""
        cls.objects.filter(application=application_id, changed=False).update(changed=True)


class ReportedAccess(models.Model):
    """An account that a connection reports to have an application, and whose it is."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="reported")
    external_id = models.CharField(max_length=200)
    username = models.CharField(max_length=300, blank=True)
    email = models.CharField(max_length=254, blank=True)
    active = models.BooleanField(default=True)
    person = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="reported_accesses"
    )
    matched_by = models.CharField(
        max_length=200, blank=True, help_text="Who said whose it is; blank: by work email."
    )
    first_seen_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["application", "email", "pk"]
        verbose_name_plural = "reported access"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "external_id"], name="one_report_per_account"
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["application", "person"],
                name="reported_now",
                condition=Q(gone_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.username or self.external_id} at {self.application_id}"
