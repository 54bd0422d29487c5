"""Give applications: the named ones, or those the person is entitled to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from integrations.access import AccessResult, access_grant
from integrations.models import Application
from workflows.actions.apps import by_hand, changed_by, entitled, for_each, names
from workflows.nodes import (
    ACTIONS,
    Action,
    ActionContext,
    Compensation,
    Done,
    NothingToUndo,
    Outcome,
    Reversal,
    Skipped,
    UndoContext,
    Undoing,
)
from workflows.params import KeysParam, NumberParam, ParamsForm, TextParam, in_words


class AssignAppsParams(ParamsForm):
    """Named applications, or by entitlement."""

    apps = KeysParam(required=False, label="Applications", picks="application")
    by = TextParam(
        required=False,
        label="Which",
        choices=("team", "request"),
        words={"team": "What the person is entitled to", "request": "What the request asks for"},
    )
    days = NumberParam(
        required=False,
        label="For how many days",
        help_text="It is taken away again by itself after so many days; empty: it stays.",
        low=1,
        high=3650,
    )

    def clean(self) -> dict[str, Any]:
        """One of both."""
        data: dict[str, Any] = super().clean() or {}
        if bool(data.get("apps")) == bool(data.get("by")) and not self.errors:
            self.add_error(None, "Name the apps, or say by: team or by: request.")
        return data


@ACTIONS.register
class AssignAppsAction(Action):
    """Each application by its own way of provisioning."""

    key = "apps.assign"
    label = "Assign apps"
    icon = "grid"
    category = "Applications"
    Params = AssignAppsParams
    reversible = Reversal(by="apps.revoke", words="Revoke the applications.", days=90)

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        apps = in_words(params.get("apps"))
        asked = params.get("by") == "request"
        words = f"assign {apps}" if apps else "assign the application asked for"
        if not apps and not asked:
            words = "assign the apps of the team"
        days = params.get("days")
        return f"{words} for {days} day{'' if days == 1 else 's'}" if days else words

    def _chosen(self, ctx: ActionContext, params: Mapping[str, Any]) -> list[Application]:
        values = self.Params.read(params)
        if values["apps"]:
            return list(Application.objects.filter(key__in=values["apps"], active=True))
        if values["by"] == "request":
            asked = str(ctx.facts.get("request.form.application") or "")
            return list(Application.objects.filter(key=asked, active=True))
        return entitled(ctx.facts, ctx)

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """Which, for this person."""
        return f"Assign {names(ctx.person, self._chosen(ctx, params))}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Each of them, although one fails; what is granted already stays."""

        days = self.Params.read(params)["days"]

        def give(application: Application) -> AccessResult | Done:
            result = access_grant(
                application,
                ctx.person,
                run_id=ctx.run.pk,
                idempotency_key=f"{ctx.idempotency_key}:{application.key}",
                now=ctx.now,
                expires_at=ctx.now + timedelta(days=days) if days else None,
            )
            if not result.needs_task:
                return result
            return by_hand(ctx, self.key, application, result, verb="Give", state="granted")

        chosen = self._chosen(ctx, params)
        if not chosen and params.get("by") == "request":
            return Skipped(reason="The request names no application that is still offered.")
        return for_each(chosen, give, none="The person is entitled to no application.")

    def undo(self, ctx: UndoContext) -> Undoing:
        """Take back what this very run gave; what the person had before stays."""
        given = changed_by(ctx, taken=False)
        if not given:
            return NothingToUndo(why="This run gave no application that the person still has.")
        return Compensation(
            action="apps.revoke",
            params={"apps": [application.key for application in given]},
            words=f"Revoke {names(ctx.person, given)}",
        )
