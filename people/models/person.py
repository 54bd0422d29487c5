"""People and the e-mail addresses they were known by."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from people.choices import ContractStatus, PersonStatus, WorkerType
from people.folding import initials_of
from people.models.organisation import LegalEntity, Team


class Person(models.Model):
    """One human being, found by work e-mail. Values are the resolved ones; see ``value_sources``.

    Text columns are never null: ``""`` means that no source has a value.
    """

    work_email = models.EmailField(max_length=254, unique=True, help_text="Lower-case.")
    full_name = models.CharField(max_length=300, blank=True)
    preferred_name = models.CharField(max_length=300, blank=True)
    search_text = models.TextField(
        blank=True, help_text="Folded name, e-mail, title and ids, for search without accents."
    )
    remote_id = models.CharField(
        max_length=64, blank=True, db_index=True, help_text="Employment id of the primary record."
    )
    display_id = models.CharField(max_length=32, blank=True)
    job_title = models.CharField(max_length=300, blank=True)
    seniority = models.CharField(max_length=200, blank=True)
    manager = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="reports"
    )
    team = models.ForeignKey(
        Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    country = models.CharField(max_length=3, blank=True, db_index=True)
    legal_entity = models.ForeignKey(
        LegalEntity, null=True, blank=True, on_delete=models.SET_NULL, related_name="people"
    )
    worker_type = models.CharField(
        max_length=30, blank=True, choices=WorkerType.choices, db_index=True
    )
    employment_type = models.CharField(
        max_length=60, blank=True, db_index=True, help_text="Key of an employment type."
    )
    personal_email = models.EmailField(
        blank=True, help_text="Where they are reached before their first day. Private."
    )
    contract_type = models.CharField(max_length=100, blank=True)
    contract_status = models.CharField(max_length=20, blank=True, choices=ContractStatus.choices)
    contract_status_raw = models.CharField(max_length=100, blank=True)
    status = models.CharField(
        max_length=20, choices=PersonStatus.choices, default=PersonStatus.EXTERNAL, db_index=True
    )
    start_date = models.DateField(null=True, blank=True, db_index=True)
    end_date = models.DateField(null=True, blank=True, db_index=True)
    contract_end_date = models.DateField(null=True, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    probation_end_date = models.DateField(null=True, blank=True, db_index=True)
    timezone = models.CharField(max_length=64, blank=True, help_text="IANA name; blank if unknown.")
    language = models.CharField(max_length=10, blank=True)
    custom = models.JSONField(default=dict, blank=True)
    value_sources = models.JSONField(
        default=dict, blank=True, help_text="Field → key of the source whose value is shown."
    )
    known_at = models.JSONField(
        default=dict,
        blank=True,
        help_text="Date field → moment (ISO, UTC) at which its present value became known.",
    )
    problems = models.JSONField(default=list, blank=True)
    problem_notes = models.JSONField(default=list, blank=True)
    has_problems = models.GeneratedField(
        expression=models.Case(
            models.When(problems=[], then=models.Value(False)), default=models.Value(True)
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    protected = models.BooleanField(
        default=False, help_text="No automation may take anything from this person."
    )
    baseline_at = models.DateTimeField(
        null=True,
        blank=True,
        help_text="Set when the person came with a first import: no moment before it ever fires.",
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["full_name", "pk"]
        verbose_name_plural = "people"
        indexes: ClassVar = [
            models.Index(fields=["full_name", "id"], name="person_name_id"),
            models.Index(fields=["status", "full_name", "id"], name="person_status_name"),
            # Narrow, for counting: the others hold the names as well.
            models.Index(fields=["status", "has_problems"], name="person_status_counts"),
            models.Index(fields=["has_problems", "status", "full_name"], name="person_problems"),
            # What the engine asks every minute: who has changed, and where there is anybody.
            models.Index(fields=["updated_at"], name="person_updated"),
            models.Index(fields=["timezone", "country"], name="person_places"),
        ]
        permissions: ClassVar = [
            ("view_private_fields", "Can see date of birth and other private fields"),
            ("view_raw_payload", "Can see what the source sent"),
            ("export_people", "Can export people"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.work_email

    @property
    def display_name(self) -> str:
        """What the person wants to be called, else the full name, else the address."""
        return self.preferred_name or self.full_name or self.work_email

    @property
    def initials(self) -> str:
        """Up to two letters for the avatar."""
        return initials_of(self.full_name or self.work_email)

    @property
    def is_current(self) -> bool:
        """Works here now or will: may be asked to approve and given tasks."""
        return self.status != PersonStatus.ENDED


class PersonAlias(models.Model):
    """A former work e-mail, so that what refers to it still finds the person."""

    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="aliases")
    email = models.EmailField(max_length=254, unique=True)
    since = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["email"]
        verbose_name_plural = "person aliases"

    def __str__(self) -> str:
        return self.email
