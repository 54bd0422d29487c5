"""Systems that people are given, and what people are called there."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from integrations.models.connection import Connection
from people.models import Person


class Application(models.Model):
    """A system people are given, how it is provisioned and who is entitled to it."""

    class Provision(models.TextChoices):
        GROUP = "group", "By membership of a group"
        APP = "app", "By assignment of an application there"
        ACCOUNT = "account", "By an account of its own"
        HTTP = "http", "By a signed call"
        TASK = "task", "By hand, as a task"

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    category = models.CharField(max_length=60, blank=True)
    icon = models.CharField(max_length=40, blank=True, help_text="Name in our own set of icons.")
    owner = models.ForeignKey(
        Person, null=True, blank=True, on_delete=models.SET_NULL, related_name="owned_applications"
    )
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.PROTECT, related_name="applications"
    )
    provision_by = models.CharField(
        max_length=20, choices=Provision.choices, default=Provision.TASK
    )
    provision = models.JSONField(
        default=dict, blank=True, help_text="As {'group': 'github-users'} or {'app': 'GitHub'}."
    )
    entitle = models.JSONField(
        null=True, blank=True, help_text="Condition group: who is entitled. Empty: nobody by rule."
    )
    sensitive = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class Account(models.Model):
    """What a person is called at a connection: found once, then addressed by id."""

    connection = models.ForeignKey(Connection, on_delete=models.CASCADE, related_name="accounts")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="accounts")
    external_id = models.CharField(max_length=200)
    username = models.CharField(max_length=300, blank=True)
    active = models.BooleanField(default=True)
    adopted = models.BooleanField(default=False, help_text="It existed before we looked.")
    changed_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["connection", "username"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["connection", "person"], name="one_account_per_person"),
            models.UniqueConstraint(
                fields=["connection", "external_id"], name="one_person_per_account"
            ),
        ]

    def __str__(self) -> str:
        return self.username or self.external_id


class Bundle(models.Model):
    """A set of equipment that can be shipped."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.PROTECT, related_name="bundles"
    )
    items = models.JSONField(default=list, blank=True, help_text="What is in it, one text each.")
    countries = models.JSONField(
        default=list, blank=True, help_text="Where it can be sent (alpha-3). Empty: everywhere."
    )
    employment_types = models.JSONField(
        default=list, blank=True, help_text="For whom, by key. Empty: for everybody."
    )
    active = models.BooleanField(default=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name
