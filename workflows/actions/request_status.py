"""Move the request on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workflows.models import Task
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Outcome, Skipped, Wait
from workflows.params import ParamsForm, TextParam
from workflows.requests import request_status_set

STATUSES = ("new", "in_progress", "waiting", "resolved")


class RequestStatusParams(ParamsForm):
    """To which."""

    status = TextParam(label="Status", choices=STATUSES)


@ACTIONS.register
class RequestStatusAction(Action):
    """The requester sees it."""

    key = "request.set_status"
    label = "Set the request's status"
    icon = "inbox"
    category = "Requests"
    Params = RequestStatusParams
    harmless = True

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"set the request to {str(params.get('status', '')).replace('_', ' ')}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """A conditional update; a cancelled request is passed over.

        Nothing is resolved while somebody still has a task of this very run.
        """
        if ctx.request is None:
            return Skipped(reason="This run was not set off by a request.")
        status = str(params["status"])
        left = Task.objects.filter(step__run=ctx.run, status=Task.Status.OPEN).first()
        if status == "resolved" and left is not None:
            request_status_set(ctx.request, "in_progress", reason="", now=ctx.now)
            return Wait(reason=f"Resolved when the task “{left.title}” is done.")
        refused = Task.objects.filter(step__run=ctx.run, status=Task.Status.REFUSED).last()
        reason = f"Not done: {refused.comment}" if status == "resolved" and refused else ""
        changed = request_status_set(ctx.request, status, reason=reason, now=ctx.now)
        ctx.request.refresh_from_db(fields=["status"])
        if ctx.request.status != status:
            return Skipped(reason=f"The request is {ctx.request.get_status_display().lower()}.")
        words = f"The request is {status.replace('_', ' ')}"
        return Done(summary=f"{words}." if changed else f"{words} already.")
