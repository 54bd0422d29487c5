"""The ledger: what was decided once, what became of it, every attempt.

``Run.key`` and ``StepRun.idempotency_key`` are made from what happened (workflow, person, trigger,
anchor), so that a second planner, a restored backup or a repeated command collides with the row
instead of doing it again. Every transition is an ``UPDATE … WHERE state and fence``.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from people.models import Person
from workflows.models.hold import Hold
from workflows.models.request import Request
from workflows.models.workflow import Workflow, WorkflowVersion


class Run(models.Model):
    """One workflow for one person and one anchor."""

    class Status(models.TextChoices):
        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        HELD = "held", "Held"
        DONE = "done", "Done"
        DONE_WITH_ERRORS = "done_with_errors", "Done with errors"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        SUPERSEDED = "superseded", "Superseded"

    OPEN: ClassVar = [Status.QUEUED, Status.RUNNING, Status.WAITING, Status.HELD]

    class Lane(models.IntegerChoices):
        URGENT = 0, "Urgent"
        NORMAL = 1, "Normal"
        BULK = 2, "When there is time"

    ENDED: ClassVar = [
        Status.DONE,
        Status.DONE_WITH_ERRORS,
        Status.FAILED,
        Status.CANCELLED,
        Status.SUPERSEDED,
    ]

    workflow = models.ForeignKey(Workflow, on_delete=models.PROTECT, related_name="runs")
    version = models.ForeignKey(WorkflowVersion, on_delete=models.PROTECT, related_name="runs")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="runs")
    request = models.ForeignKey(
        Request, null=True, blank=True, on_delete=models.CASCADE, related_name="runs"
    )
    trigger = models.CharField(max_length=60)
    anchor = models.CharField(
        max_length=80, help_text="Date (ISO) or id of what set it off, as event:17 or request:4."
    )
    key = models.CharField(max_length=64, unique=True)
    status = models.CharField(
        max_length=20, choices=Status.choices, default=Status.QUEUED, db_index=True
    )
    reason = models.TextField(blank=True, help_text="Why it did not do what its sentence says.")
    late = models.BooleanField(default=False)
    due_at = models.DateTimeField(db_index=True)
    lane = models.PositiveSmallIntegerField(
        choices=Lane.choices, default=Lane.NORMAL, help_text="What is carried out first."
    )
    awaits = models.CharField(
        max_length=60, blank=True, help_text="Key of the connection it waits for."
    )
    timezone = models.CharField(max_length=64, default="UTC")
    snapshot = models.JSONField(default=dict, help_text="The person's facts when it was decided.")
    trace = models.JSONField(default=dict, help_text="The evaluation of the conditions.")
    change = models.JSONField(default=dict, blank=True, help_text="field, before, after.")
    moved_to = models.CharField(
        max_length=80, blank=True, help_text="The anchor's later value, when the date moved."
    )
    fence = models.PositiveIntegerField(default=0)
    lease_holder = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When a waiting run has something to do."
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    started_by = models.CharField(max_length=200, blank=True)
    restarted_from = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="restarts"
    )
    hold = models.ForeignKey(
        Hold, null=True, blank=True, on_delete=models.SET_NULL, related_name="runs"
    )
    released_at = models.DateTimeField(
        null=True, blank=True, help_text="When a second person let it go on."
    )
    protection_released_by = models.CharField(
        max_length=200, blank=True, help_text="Who named the protected person and let it happen."
    )
    successor = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="predecessors",
        help_text="The run that was planned instead, when the date moved.",
    )
    undoes = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="undone_by",
        help_text="The run whose effects this one takes back.",
    )
    document = models.JSONField(
        null=True, blank=True, help_text="Steps of its own, where it does not follow its version."
    )

    class Meta:
        ordering: ClassVar = ["-pk"]
        indexes: ClassVar = [
            models.Index(
                fields=["status", "wake_at"],
                name="run_open",
                condition=Q(status__in=["queued", "running", "waiting"]),
            ),
            models.Index(fields=["awaits"], name="run_awaits", condition=~Q(awaits="")),
        ]

    def __str__(self) -> str:
        return f"Run {self.pk}"


class StepRun(models.Model):
    """One step of one run. ``key`` is the step's key in the document."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        RUNNING = "running", "Running"
        WAITING = "waiting", "Waiting"
        RETRYING = "retrying", "Retrying"
        DONE = "done", "Done"
        SKIPPED = "skipped", "Skipped"
        FAILED = "failed", "Failed"
        UNCERTAIN = "uncertain", "Uncertain"
        CANCELLED = "cancelled", "Cancelled"

    SETTLED: ClassVar = [Status.DONE, Status.SKIPPED, Status.FAILED, Status.CANCELLED]

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
    key = models.CharField(max_length=80)
    action = models.CharField(max_length=60, help_text="Key of the action, or wait, or branch.")
    position = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    idempotency_key = models.CharField(max_length=64, unique=True)
    attempts = models.PositiveIntegerField(default=0)
    crashes = models.PositiveIntegerField(default=0)
    outcome = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True)
    error = models.TextField(blank=True)
    retry_at = models.DateTimeField(null=True, blank=True)
    wake_at = models.DateTimeField(null=True, blank=True)
    first_tried_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["run", "position", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "key"], name="one_step_run_per_key")
        ]

    def __str__(self) -> str:
        return f"{self.key} of run {self.run_id}"


class Attempt(models.Model):
    """One try of one step. Rows are added, never replaced."""

    class Phase(models.TextChoices):
        BEGUN = "begun", "Begun"
        SENDING = "sending", "Reached the point of no return"
        ENDED = "ended", "Ended"

    step = models.ForeignKey(StepRun, on_delete=models.CASCADE, related_name="tries")
    number = models.PositiveIntegerField()
    phase = models.CharField(max_length=20, choices=Phase.choices, default=Phase.BEGUN)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True)
    detail = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    worker = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["step", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["step", "number"], name="one_attempt_per_number")
        ]

    def __str__(self) -> str:
        return f"Attempt {self.number} of step {self.step_id}"
