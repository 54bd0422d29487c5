"""A signed call to a configured endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.base import SignedCaller
from integrations.errors import UnauthorizedError
from siit_remote.lib import clock
from workflows.actions.ladder import (
    mark_if_unauthorized,
    named_or_only,
    repeatable,
    task_or_webhook,
)
from workflows.messages import TemplateProblemError, message_context, render, source_problems
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Failed, Outcome
from workflows.params import MappingParam, ParamsForm, TextParam
from workflows.problems import Problem

METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")


class HttpCallParams(ParamsForm):
    """Where and what; path, headers and body are templates."""

    connection = TextParam(label="Connection", limit=60, picks="connection")
    method = TextParam(required=False, label="Method", choices=METHODS, default="POST")
    path = TextParam(required=False, label="Path", limit=500)
    headers = MappingParam(required=False, label="Headers")
    body = TextParam(required=False, label="Body", limit=20_000)

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Also the placeholders."""
        problems = super().validate(params, path)
        for name in ("path", "body"):
            problems += source_problems(params.get(name, ""), f"{path}.{name}")
        headers = params.get("headers")
        if isinstance(headers, Mapping):
            for name, value in headers.items():
                problems += source_problems(value, f"{path}.headers.{name}")
        return problems


@ACTIONS.register
class HttpCallAction(Action):
    """Signed by Standard Webhooks."""

    key = "http.call"
    label = "Call an endpoint"
    icon = "globe"
    category = "Other"
    Params = HttpCallParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"call {params.get('connection', 'an endpoint')}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """One call; the key makes a repeat recognisable."""
        values = self.Params.read(params)
        found = named_or_only(SignedCaller, values["connection"])
        if found is None:
            return task_or_webhook(
                ctx,
                self.key,
                title=f"Call by hand: {ctx.person}",
                role="it",
                why="No endpoint is connected.",
            )
        connection, client = found
        context = message_context(ctx.person, run=ctx.run, request=ctx.request)
        try:
            path = render(values["path"], context, "path")
            body = render(values["body"], context, "json") if values["body"] else None
            headers = {
                name: render(str(value), context, "header")
                for name, value in values["headers"].items()
            }
        except TemplateProblemError as error:
            return Failed(reason=str(error))
        try:
            with repeatable():
                answer = client.call(
                    {"event": "workflow.call", "run": ctx.run.pk, "person": context["person"]},
                    idempotency_key=ctx.idempotency_key,
                    sent_at=clock.system_now(),
                    method=values["method"],
                    path=path,
                    headers=headers,
                    raw_body=body,
                )
        except UnauthorizedError as error:
            mark_if_unauthorized(connection, error)
            raise
        return Done(
            summary=f"{connection.name} answered {answer.status}.",
            detail={"status": answer.status, "request_id": answer.request_id},
        )
