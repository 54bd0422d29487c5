"""What people belong to: the workspace, legal entities, teams, roles, employment types."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.choices import WorkerType


class Workspace(models.Model):
    """The one row of settings that an admin changes in the browser (primary key 1)."""

    name = models.CharField(max_length=200, default="My company")
    timezone = models.CharField(
        max_length=64, default="UTC", help_text="IANA name, as Europe/Paris."
    )
    language = models.CharField(max_length=10, default="en")
    sync_every_hours = models.PositiveSmallIntegerField(default=4)
    late_within_days = models.PositiveSmallIntegerField(
        default=3, help_text="A moment missed by up to so many days still runs, marked late."
    )
    sync_limit_people = models.PositiveIntegerField(
        default=5, help_text="A sync that would end or blank more people than this is held."
    )
    sync_limit_percent = models.PositiveSmallIntegerField(default=10)
    workflow_limit_people = models.PositiveIntegerField(default=20)
    workflow_limit_percent = models.PositiveSmallIntegerField(default=10)
    workflow_limit_hours = models.PositiveIntegerField(default=24)
    workflow_week_people = models.PositiveIntegerField(
        null=True, blank=True, help_text="Within 7 days. Empty: three times the daily number."
    )
    workflow_week_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Within 7 days. Empty: twice the daily percentage."
    )
    workspace_limit_people = models.PositiveIntegerField(
        null=True, blank=True, help_text="All workflows together. Empty: twice a workflow's."
    )
    workspace_limit_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="All workflows together. Empty: twice a workflow's."
    )
    workspace_week_people = models.PositiveIntegerField(
        null=True, blank=True, help_text="All together in 7 days. Empty: three times the daily."
    )
    workspace_week_percent = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="All together in 7 days. Empty: twice the daily."
    )
    limit_floor = models.PositiveSmallIntegerField(
        default=3, help_text="Percentages count from so many people on; fewer are never held."
    )
    hold_days = models.PositiveSmallIntegerField(
        default=7, help_text="What nobody releases within so many days is not run."
    )
    address_kept_days = models.PositiveSmallIntegerField(
        default=30, help_text="Days after shipping until a delivery address is erased."
    )
    calls_kept_days = models.PositiveSmallIntegerField(
        default=180,
        help_text="Days until a call to another system is forgotten. What a leaver's evidence "
        "needs stays.",
    )
    directory_stale_hours = models.PositiveIntegerField(
        null=True,
        blank=True,
        help_text="An older directory stops destructive steps. Empty: twice the sync interval.",
    )

    class Meta:
        verbose_name = "workspace settings"
        verbose_name_plural = "workspace settings"

    def __str__(self) -> str:
        return self.name


class LegalEntity(models.Model):
    """A company of the customer that people are engaged by."""

    name = models.CharField(max_length=200, unique=True)
    external_id = models.CharField(max_length=64, blank=True, db_index=True)
    country = models.CharField(max_length=3, blank=True, help_text="ISO 3166-1 alpha-3.")
    timezone = models.CharField(max_length=64, blank=True)
    language = models.CharField(max_length=10, blank=True)
    lead = models.ForeignKey(
        "people.Person",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="leads_entities",
        help_text="Who approves for this entity.",
    )

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name_plural = "legal entities"

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    """A department as the HR system names it."""

    name = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A named circle of people that tasks and approvals can go to: it, hr, facilities …"""

    name = models.SlugField(max_length=60, unique=True)
    members = models.ManyToManyField("people.Person", blank=True, related_name="roles")
    lead = models.ForeignKey(
        "people.Person",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="leads_roles",
        help_text="Whom overdue tasks of the role go to.",
    )

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class EmploymentType(models.Model):
    """A value that worker types are mapped to: Employee, Contractor, Intern …"""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class WorkerTypeMapping(models.Model):
    """Worker Type → Employment Type: one row per worker type."""

    worker_type = models.CharField(max_length=30, unique=True, choices=WorkerType.choices)
    employment_type = models.ForeignKey(EmploymentType, on_delete=models.PROTECT)

    class Meta:
        ordering: ClassVar = ["worker_type"]

    def __str__(self) -> str:
        return f"{self.worker_type} → {self.employment_type}"
