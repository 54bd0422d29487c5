"""Ship equipment, or ask for it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.base import SignedCaller
from integrations.models import Bundle, Connection
from integrations.services import client_for
from workflows.actions.ladder import call_signed, task_or_webhook
from workflows.nodes import (
    ACTIONS,
    Action,
    ActionContext,
    Compensation,
    Outcome,
    Reversal,
    UndoContext,
    Undoing,
)
from workflows.params import ParamsForm, TextParam


class EquipmentParams(ParamsForm):
    """What, from where, with which word."""

    bundle = TextParam(label="Bundle", limit=60, picks="bundle")
    address_from = TextParam(required=False, label="Address from", default="worker", limit=60)
    note = TextParam(required=False, label="Note", limit=1000)


class EquipmentAction(Action):
    """Through the bundle's connection, else the ladder."""

    icon = "truck"
    category = "Equipment"
    Params = EquipmentParams
    verb = "Ship"

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"{self.verb.lower()} the {params.get('bundle', 'equipment')}"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """To whom and how."""
        bundle = self._bundle(params)
        through = f" through {bundle.connection}" if bundle and bundle.connection else ""
        name = bundle.name if bundle else str(params.get("bundle"))
        return f"{self.verb} {name} for {ctx.person}{through or ' (a task for IT)'}"

    def _bundle(self, params: Mapping[str, Any]) -> Bundle | None:
        key = str(params.get("bundle") or "")
        return Bundle.objects.select_related("connection").filter(key=key).first()

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """One signed call; its key makes a repeat recognisable."""
        values = self.Params.read(params)
        bundle = self._bundle(params)
        extra = {
            "bundle": values["bundle"],
            "bundle_name": bundle.name if bundle else values["bundle"],
            "address_from": values["address_from"],
            "note": values["note"],
        }
        connection = bundle.connection if bundle else None
        if connection is not None and connection.status != Connection.Status.DISCONNECTED:
            client = client_for(connection)
            if isinstance(client, SignedCaller):
                return call_signed(connection, client, ctx, self.key, extra)
        return task_or_webhook(
            ctx,
            self.key,
            title=f"{self.verb} {extra['bundle_name']}: {ctx.person}",
            role="it",
            why="No shipping connection is set for the bundle.",
            extra=extra,
        )


@ACTIONS.register
class ShipAction(EquipmentAction):
    """On joining."""

    key = "equipment.ship"
    label = "Ship equipment"
    verb = "Ship"
    reversible = Reversal(
        by="equipment.collect", words="Ask for the equipment to be collected.", days=60
    )

    def undo(self, ctx: UndoContext) -> Undoing:
        """Ask for it back."""
        params = {name: ctx.params[name] for name in ("bundle", "note") if ctx.params.get(name)}
        return Compensation(
            action="equipment.collect",
            params=params,
            words=f"Collect the {params.get('bundle', 'equipment')} from {ctx.person}",
        )


@ACTIONS.register
class CollectAction(EquipmentAction):
    """On leaving."""

    key = "equipment.collect"
    label = "Collect equipment"
    verb = "Collect"
