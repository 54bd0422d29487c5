"""Take applications away: what is recorded and what the connections report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.access import (
    AccessResult,
    access_remaining,
    access_reported,
    access_revoke,
    access_still_there,
)
from integrations.errors import TransientError
from integrations.models import Application
from workflows.actions.apps import by_hand, changed_by, for_each, names
from workflows.actions.ladder import repeatable
from workflows.nodes import (
    ACTIONS,
    Action,
    ActionContext,
    Compensation,
    Done,
    NothingToUndo,
    Outcome,
    Reversal,
    UndoContext,
    Undoing,
)
from workflows.params import KeysParam, ParamsForm, in_words


class RevokeAppsParams(ParamsForm):
    """All that remains, or named ones; with exceptions."""

    apps = KeysParam(
        required=False, label="Applications", word="all", default="all", picks="application"
    )
    except_ = KeysParam(required=False, label="Except", picks="application")


@ACTIONS.register
class RevokeAppsAction(Action):
    """ "All" is everything that remains."""

    key = "apps.revoke"
    label = "Revoke app access"
    icon = "key"
    category = "Applications"
    Params = RevokeAppsParams
    destructive = True
    reversible = Reversal(by="apps.assign", words="Assign the applications again.", days=90)

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        apps, kept = in_words(params.get("apps")) or "all", in_words(params.get("except"))
        words = "revoke app access" if apps == "all" else f"revoke {apps}"
        return f"{words} except {kept}" if kept else words

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """What is recorded; what the connections report is asked when it runs."""
        keys = [str(key) for key in ctx.facts.get("person.apps") or []]
        names = dict(Application.objects.filter(key__in=keys).values_list("key", "name"))
        held = ", ".join(names.get(key, key) for key in keys) or "nothing recorded"
        return f"Revoke what remains ({held}) and what the connections report"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Each of them, although one fails; gone already is success. Then all is read again."""
        values = self.Params.read(params)

        def meant(application: Application) -> bool:
            every = values["apps"] == "all" or application.key in values["apps"]
            return every and application.key not in values["except"]

        chosen = [one for one in access_remaining(ctx.person, now=ctx.now) if meant(one)]

        def take(application: Application) -> AccessResult | Done:
            result = access_revoke(
                application,
                ctx.person,
                run_id=ctx.run.pk,
                idempotency_key=f"{ctx.idempotency_key}:{application.key}",
                now=ctx.now,
                protection_released=ctx.protection_released,
            )
            if not result.needs_task:
                return result
            return by_hand(ctx, self.key, application, result, verb="Revoke", state="revoked")

        done = for_each(chosen, take, none="Nothing remained to be revoked.")
        with repeatable():
            left = [one for one in access_reported(ctx.person, now=ctx.now) if meant(one)]
        for application in left:
            access_still_there(application, ctx.person, run_id=ctx.run.pk, now=ctx.now)
        if left:
            raise TransientError(
                f"Read again afterwards: {names(ctx.person, left)} still shows the person. It is "
                "taken away again."
            )
        return done

    def undo(self, ctx: UndoContext) -> Undoing:
        """Give back what this very run took."""
        taken = changed_by(ctx, taken=True)
        if not taken:
            return NothingToUndo(why="This run took no application away.")
        return Compensation(
            action="apps.assign",
            params={"apps": [application.key for application in taken]},
            words=f"Assign {names(ctx.person, taken)} again",
        )
