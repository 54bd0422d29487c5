"""Send equipment out and ask for it back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.base import SignedCaller
from integrations.models import Bundle, Connection
from integrations.services import client_for
from workflows.actions.ladder import call_signed, task_or_webhook, webhook_for
from workflows.models import Shipment
from workflows.nodes import (
    ACTIONS,
    Action,
    ActionContext,
    Compensation,
    Done,
    Outcome,
    Reversal,
    UndoContext,
    Undoing,
    Wait,
)
from workflows.params import FlagParam, ParamsForm, TextParam
from workflows.shipment_reports import report_address
from workflows.shipment_states import shipment_move, shipment_settle
from workflows.shipments import (
    SYSTEM,
    address_ask,
    bundle_fits,
    equipment_held,
    shipment_ask,
    shipment_page,
    shipments_stop,
)

WORKER = "worker"
State = Shipment.State


class ShipParams(ParamsForm):
    """What, where to, with which word."""

    bundle = TextParam(label="Bundle", limit=60, picks="bundle")
    address_from = TextParam(
        required=False,
        label="Address from",
        help_text="worker: they are asked by a private form. Anything else is told as it stands.",
        default=WORKER,
        limit=60,
    )
    note = TextParam(required=False, label="Note", limit=1000)
    wait_until_delivered = FlagParam(required=False, label="Go on only when it is delivered")


class CollectParams(ParamsForm):
    """What is asked back; nothing named means everything the person has."""

    bundle = TextParam(
        required=False,
        label="Bundle (empty: everything they have)",
        limit=60,
        picks="bundle",
    )
    address_from = TextParam(required=False, label="Address from", default=WORKER, limit=60)
    note = TextParam(required=False, label="Note", limit=1000)
    wait_until_returned = FlagParam(required=False, label="Go on only when all is back")


def _bundle(key: str) -> Bundle | None:
    return Bundle.objects.select_related("connection").filter(key=key).first()


def _caller(bundle: Bundle | None, action: str) -> tuple[Connection, SignedCaller] | None:
    """The bundle's own connection, else an endpoint that serves the action."""
    connection = bundle.connection if bundle else None
    if connection is not None and connection.status != Connection.Status.DISCONNECTED:
        client = client_for(connection)
        if isinstance(client, SignedCaller):
            return connection, client
    return webhook_for(action)


class EquipmentAction(Action):
    """What both share."""

    icon = "truck"
    category = "Equipment"
    verb = "Ship"

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"{self.verb.lower()} the {params.get('bundle') or 'equipment'}"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """To whom and how."""
        key = str(params.get("bundle") or "")
        bundle = _bundle(key)
        through = f" through {bundle.connection}" if bundle and bundle.connection else ""
        name = bundle.name if bundle else key or "the equipment they have"
        return f"{self.verb} {name} for {ctx.person}{through or ' (a task for IT)'}"


@ACTIONS.register
class ShipAction(EquipmentAction):
    """On joining."""

    key = "equipment.ship"
    label = "Ship equipment"
    verb = "Ship"
    Params = ShipParams
    reversible = Reversal(
        by="equipment.collect", words="Ask for the equipment to be collected.", days=60
    )

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Begin the shipment once; order it now, after the address is there, or by a task."""
        values = ShipParams.read(params)
        row = Shipment.objects.filter(key=ctx.idempotency_key).first()
        bundle = _bundle(values["bundle"])
        unfit = bundle_fits(bundle, ctx.person) if bundle and row is None else ""
        asks = values["address_from"] == WORKER
        found = None if unfit else _caller(bundle, self.key)
        if row is None:
            row = shipment_ask(
                key=ctx.idempotency_key,
                person=ctx.person,
                bundle_key=values["bundle"],
                bundle=bundle,
                connection=found[0] if found else None,
                step=ctx.step,
                note=values["note"],
                wants_address=asks,
                now=ctx.now,
            )
        if row.state == State.ASKED:
            done = self._order(ctx, values, row, found, why=unfit)
        else:
            done = Done(summary=f"{row.bundle_name}: {row.get_state_display().lower()}.")
        if values["wait_until_delivered"]:
            return _until(row, (State.DELIVERED, *Shipment.ENDED), done)
        return done

    def _order(
        self,
        ctx: ActionContext,
        values: Mapping[str, Any],
        row: Shipment,
        found: tuple[Connection, SignedCaller] | None,
        *,
        why: str,
    ) -> Done:
        told = ""
        if row.wants_address and not why and row.links == 0:
            told = address_ask(row, now=ctx.now)
        if found is not None and row.wants_address:
            summary = f"{told} It is ordered from {found[0].name} then.".strip()
            return Done(summary=summary, detail={"shipment": row.pk})
        extra = _extra(row, values)
        if found is not None:
            extra["report_to"] = report_address(found[0])
            done = call_signed(found[0], found[1], ctx, self.key, extra)
            shipment_settle(row.pk, State.ORDERED, by_label=SYSTEM, text=done.summary, now=ctx.now)
            return done
        why = why or "No shipping connection is set for the bundle."
        page = f"{told}\nEverything about it: {shipment_page(row)}".strip()
        return task_or_webhook(
            ctx,
            self.key,
            title=f"Ship {row.bundle_name}: {ctx.person}",
            role="it",
            why=why,
            more=page,
            extra=extra,
            checklist=[str(item) for item in row.items],
            settles={"shipment": row.pk, "state": State.SHIPPED},
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
    Params = CollectParams

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Ask for each piece back, by its connection or as a task; nothing held is said."""
        values = CollectParams.read(params)
        mine = ctx.idempotency_key
        stopped = shipments_stop(ctx.person, bundle=values["bundle"], now=ctx.now)
        rows = list(Shipment.objects.filter(step=ctx.step)) or equipment_held(
            ctx.person, bundle=values["bundle"]
        )
        if not rows and values["bundle"] and not stopped:
            # Sent before this was recorded: it is asked back all the same.
            rows = [
                shipment_ask(
                    key=mine,
                    person=ctx.person,
                    bundle_key=values["bundle"],
                    bundle=_bundle(values["bundle"]),
                    connection=None,
                    step=ctx.step,
                    note=values["note"],
                    wants_address=False,
                    state=State.RETURN_ASKED,
                    now=ctx.now,
                )
            ]
        if not rows:
            names = ", ".join(row.bundle_name for row in stopped)
            words = f"{names}: not sent any more." if stopped else ""
            return Done(summary=words or f"No equipment is recorded for {ctx.person}.")
        answers = [self._ask_back(ctx, values, row) for row in rows]
        done = Done(
            summary=" ".join(answer.summary for answer in answers),
            detail={"shipments": [row.pk for row in rows]},
            reason=" ".join(answer.reason for answer in answers if answer.reason),
        )
        if values["wait_until_returned"]:
            for row in rows:
                waits = _until(row, tuple(Shipment.ENDED), done)
                if isinstance(waits, Wait):
                    return waits
        return done

    def _ask_back(self, ctx: ActionContext, values: Mapping[str, Any], row: Shipment) -> Done:
        if row.state in Shipment.HELD:
            Shipment.objects.filter(pk=row.pk).update(step=ctx.step)
            shipment_move(row.pk, State.RETURN_ASKED, by_label=SYSTEM, now=ctx.now)
            row.refresh_from_db()
        elif row.is_ended:
            return Done(summary=f"{row.bundle_name}: {row.get_state_display().lower()}.")
        found = _caller(_bundle(row.bundle_key), self.key)
        extra = _extra(row, values)
        suffix = f":{row.pk}"
        if found is not None:
            # It is reported by whom it is asked of.
            Shipment.objects.filter(pk=row.pk, connection=None).update(connection=found[0])
            extra["report_to"] = report_address(found[0])
            return call_signed(found[0], found[1], ctx, self.key, extra, suffix=suffix)
        return task_or_webhook(
            ctx,
            self.key,
            title=f"Collect {row.bundle_name}: {ctx.person}",
            role="it",
            why="No shipping connection is set for the bundle.",
            more=f"Everything about it: {shipment_page(row)}",
            extra=extra,
            checklist=[str(item) for item in row.items],
            settles={"shipment": row.pk, "state": State.RETURNED},
            suffix=suffix,
        )


def _extra(row: Shipment, values: Mapping[str, Any]) -> dict[str, Any]:
    """What an endpoint learns of it; the address only where the worker gave one."""
    return {
        "bundle": row.bundle_key,
        "bundle_name": row.bundle_name,
        "items": row.items,
        "shipment": row.pk,
        "address_from": values["address_from"],
        "address": row.get_address(),
        "note": values["note"],
    }


def _until(row: Shipment, states: tuple[str, ...], done: Done) -> Outcome:
    row.refresh_from_db(fields=["state"])
    if row.state in states:
        return Done(summary=f"{row.bundle_name}: {row.get_state_display().lower()}.")
    return Wait(reason=f"Waits for the {row.bundle_name}. {done.summary}", detail=done.detail)
