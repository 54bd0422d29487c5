"""Equipment on its way to people and back."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from integrations.models import Connection
from people.models import Person
from siit_remote.lib import crypto


class Shipment(models.Model):
    """One set of equipment for one person, from the first question to its return."""

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        ADDRESS_RECEIVED = "address_received", "Address received"
        ORDERED = "ordered", "Ordered"
        SHIPPED = "shipped", "Shipped"
        DELIVERED = "delivered", "Delivered"
        PROBLEM = "problem", "Problem"
        RETURN_ASKED = "return_asked", "Asked back"
        RETURNED = "returned", "Returned"
        LOST = "lost", "Lost"
        CANCELLED = "cancelled", "Not needed any more"

    ENDED: ClassVar = [State.RETURNED, State.LOST, State.CANCELLED]
    OUTWARD: ClassVar = [State.ASKED, State.ADDRESS_RECEIVED, State.ORDERED, State.SHIPPED]
    HELD: ClassVar = [State.ORDERED, State.SHIPPED, State.DELIVERED, State.PROBLEM]
    """The person has it, or it is on its way to them."""

    key = models.CharField(max_length=80, unique=True, help_text="What asked for it, once only.")
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="shipments")
    bundle_key = models.SlugField(max_length=60)
    bundle_name = models.CharField(max_length=200)
    items = models.JSONField(default=list, blank=True)
    connection = models.ForeignKey(
        Connection, null=True, blank=True, on_delete=models.SET_NULL, related_name="shipments"
    )
    step = models.ForeignKey(
        "workflows.StepRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.TextField(blank=True)
    state = models.CharField(
        max_length=20, choices=State.choices, default=State.ASKED, db_index=True
    )
    state_at = models.DateTimeField()
    reported_at = models.DateTimeField(
        null=True, blank=True, help_text="Of when the partner's newest report is that was followed."
    )
    created_at = models.DateTimeField()
    tracking = models.CharField(max_length=200, blank=True)
    wants_address = models.BooleanField(default=False)
    address_token = models.TextField(blank=True, help_text="Encrypted for this row.")
    address_at = models.DateTimeField(null=True, blank=True)
    link_nonce = models.CharField(max_length=64, blank=True)
    link_sent_at = models.DateTimeField(null=True, blank=True)
    link_until = models.DateTimeField(null=True, blank=True)
    links = models.PositiveSmallIntegerField(default=0)
    order_at = models.DateTimeField(
        null=True, blank=True, db_index=True, help_text="When it is ordered through its connection."
    )
    order_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-pk"]
        permissions: ClassVar = [("see_address", "Can see delivery addresses")]

    def __str__(self) -> str:
        return f"{self.bundle_name} for {self.person}"

    @property
    def is_ended(self) -> bool:
        """Nothing more is expected of it."""
        return self.state in self.ENDED

    @property
    def _bound_to(self) -> str:
        return f"workflows.shipment:{self.pk}:address"

    def set_address(self, address: dict[str, str]) -> None:
        """Encrypt the address for this row, which must have a primary key. Does not save."""
        self.address_token = crypto.encrypt(
            address, keys=settings.FIELD_ENCRYPTION_KEYS, bound_to=self._bound_to
        )

    def get_address(self) -> dict[str, str]:
        """Decrypt; ``{}`` where there is none. Raises ``DecryptionError``."""
        if not self.address_token:
            return {}
        return crypto.decrypt(
            self.address_token, keys=settings.FIELD_ENCRYPTION_KEYS, bound_to=self._bound_to
        )


class ShipmentEvent(models.Model):
    """One line of a shipment's history, in words. Never an address."""

    shipment = models.ForeignKey(Shipment, on_delete=models.CASCADE, related_name="events")
    state = models.CharField(max_length=20, choices=Shipment.State.choices)
    text = models.TextField(blank=True)
    by_label = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    message_hash = models.CharField(
        max_length=64, blank=True, help_text="Of the report's id; blank: nobody's report."
    )

    class Meta:
        ordering: ClassVar = ["at", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["shipment", "message_hash"],
                condition=~Q(message_hash=""),
                name="one_event_per_report",
            )
        ]

    def __str__(self) -> str:
        return f"Event {self.pk} of shipment {self.shipment_id}"
