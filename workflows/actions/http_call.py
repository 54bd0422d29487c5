"""A signed call to a configured endpoint, and what its answer means."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from integrations.answers import parse_json, retry_after_seconds
from integrations.connectors.base import SignedCaller
from integrations.errors import UnauthorizedError
from siit_remote.lib import clock
from workflows.actions.ladder import (
    mark_if_unauthorized,
    named_or_only,
    repeatable,
    task_or_webhook,
)
from workflows.answer_rules import DONE, FAILED, LATER, MEANINGS, meaning_of, rules_problems
from workflows.callbacks import callback_address, callback_of, callback_open, callback_sent
from workflows.messages import TemplateProblemError, message_context, render, source_problems
from workflows.models import Callback
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Failed, Outcome, Retry, Wait
from workflows.params import FlagParam, MappingParam, NumberParam, ParamsForm, TextParam
from workflows.problems import Problem
from workflows.tasks_by_hand import task_open

if TYPE_CHECKING:
    from integrations.connectors.base import HttpResponse
    from integrations.models import Connection

METHODS = ("POST", "PUT", "PATCH", "DELETE", "GET")
CALLBACK_HEADER = "Siit-Callback-Url"
POLL = timedelta(minutes=1)
LOOK_AGAIN = timedelta(hours=1)
"""A call that comes wakes the run at once; so often it looks by itself."""
_OWN = {"callback": ("url",)}
_STATUSES = re.compile(r"\s*[1-5]\d\d(\s*,\s*[1-5]\d\d)*\s*")
_RULE_PARTS = {
    "done": TextParam(required=False, label="Done when", help_text="As /status = done, ok"),
    "later": TextParam(required=False, label="Not yet when", help_text="As /status = queued"),
    "failed": TextParam(required=False, label="Failed when", help_text="As /error exists"),
}


class HttpCallParams(ParamsForm):
    """Where and what, and what the answer means; path, query, headers and body are templates."""

    connection = TextParam(label="Connection", limit=60, picks="connection")
    method = TextParam(required=False, label="Method", choices=METHODS, default="POST")
    path = TextParam(required=False, label="Path", limit=500)
    query = MappingParam(required=False, label="Query")
    headers = MappingParam(required=False, label="Headers")
    body = TextParam(required=False, label="Body (JSON)", limit=20_000)
    expect = TextParam(
        required=False,
        label="Expected status",
        limit=60,
        help_text="As 200, 202. Empty: what the connection counts as success.",
    )
    answer = MappingParam(
        required=False, label="What the answer means", allowed=MEANINGS, parts=_RULE_PARTS
    )
    callback = FlagParam(required=False, label="It calls back when it is done")
    timeout_hours = NumberParam(
        required=False, label="Hours to wait for the call", low=1, high=720, default=24
    )
    on_timeout = TextParam(
        required=False,
        label="When no call comes",
        choices=("fail", "task"),
        words={"fail": "The step fails", "task": "IT gets a task and the step waits for it"},
        default="fail",
    )

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Also the placeholders, the statuses and the rules."""
        problems = super().validate(params, path)
        for name in ("path", "body"):
            problems += source_problems(params.get(name, ""), f"{path}.{name}", own=_OWN)
        for name in ("headers", "query"):
            values = params.get(name)
            for key, value in values.items() if isinstance(values, Mapping) else ():
                where = f"{path}.{name}.{key}"
                problems += source_problems(
                    value if isinstance(value, str) else str(value), where, own=_OWN
                )
        headers = params.get("headers")
        for key, value in headers.items() if isinstance(headers, Mapping) else ():
            if str(key).lower() == "content-type" and "json" not in str(value).lower():
                problems.append(Problem(f"{path}.headers.{key}", "The body is always JSON."))
        expect = params.get("expect")
        if expect and not _STATUSES.fullmatch(str(expect)):
            problems.append(Problem(f"{path}.expect", "Expected statuses, as 200, 202."))
        return problems + rules_problems(params.get("answer"), f"{path}.answer")


@ACTIONS.register
class HttpCallAction(Action):
    """Signed by Standard Webhooks; may end by a call back."""

    key = "http.call"
    label = "Call an endpoint"
    icon = "globe"
    category = "Other"
    Params = HttpCallParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        ends = " and wait for its call" if params.get("callback") is True else ""
        return f"call {params.get('connection', 'an endpoint')}{ends}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """One call; the key makes a repeat recognisable. Then perhaps wait for one back."""
        values = self.Params.read(params)
        asked = callback_of(ctx.step)
        if asked is not None and (asked.sent_at is not None or asked.answered_at is not None):
            return _pursue(ctx, values, asked)
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
        row = _expected(ctx, values, connection) if values["callback"] else None
        try:
            request = _request(ctx, values, callback=callback_address(ctx.step) if row else "")
        except TemplateProblemError as error:
            return Failed(reason=str(error))
        try:
            with repeatable():
                answer = client.call(
                    idempotency_key=ctx.idempotency_key,
                    sent_at=clock.system_now(),
                    method=values["method"],
                    **request,
                )
        except UnauthorizedError as error:
            mark_if_unauthorized(connection, error)
            raise
        outcome = _judged(values, connection, answer, waits=row is not None)
        if row is None or not isinstance(outcome, Wait):
            return outcome
        return _pursue(ctx, values, callback_sent(row, now=ctx.now))


def _expected(ctx: ActionContext, values: Mapping[str, Any], connection: Connection) -> Callback:
    return callback_open(
        ctx.step,
        connection=connection.key,
        now=ctx.now,
        expires_at=ctx.now + timedelta(hours=values["timeout_hours"]),
    )


def _request(ctx: ActionContext, values: Mapping[str, Any], *, callback: str) -> dict[str, Any]:
    """Everything filled in. Raises :class:`TemplateProblemError`."""
    context = message_context(ctx.person, run=ctx.run, request=ctx.request)
    context["callback"] = {"url": callback}
    payload = {"event": "workflow.call", "run": ctx.run.pk, "person": context["person"]}
    headers = {
        name: render(str(value), context, "header") for name, value in values["headers"].items()
    }
    if callback:
        payload["callback_url"] = callback
        headers[CALLBACK_HEADER] = callback
    return {
        "payload": payload,
        "path": render(values["path"], context, "path"),
        "query": {
            name: render(str(value), context, "header") for name, value in values["query"].items()
        },
        "headers": headers,
        "raw_body": _body(values["body"], context) if values["body"] else None,
        "expect": frozenset(int(word) for word in values["expect"].split(",") if word.strip()),
        "shown_path": values["path"].partition("?")[0],
    }


def _body(source: str, context: Mapping[str, Any]) -> str:
    text = render(source, context, "json")
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TemplateProblemError(f"The body is no JSON once it is filled in: {error}") from error
    return text


def _judged(
    values: Mapping[str, Any], connection: Connection, answer: HttpResponse, *, waits: bool
) -> Outcome:
    """What the answer means, by the step's rules; without any, the expected status is enough."""
    rules = {name: text for name, text in values["answer"].items() if text}
    meaning = meaning_of(rules, parse_json(answer.body)) if rules else ""
    if meaning == FAILED:
        return Failed(
            reason=f"{connection.name} answered {answer.status}, and what it says means that it "
            f"failed ({rules[FAILED]})."
        )
    if waits and meaning != DONE:
        return Wait(reason=f"{connection.name} works on it and will call back.")
    if meaning == LATER:
        told = retry_after_seconds(answer.headers.get("retry-after", ""))
        after = POLL if told is None else timedelta(seconds=told)
        return Retry(reason=f"{connection.name} says that it is not done yet.", after=after)
    if DONE in rules and meaning != DONE:
        return Failed(
            reason=f"{connection.name} answered {answer.status}, but nothing in the answer says "
            f"that it is done ({rules[DONE]})."
        )
    return Done(
        summary=f"{connection.name} answered {answer.status}.",
        detail={"status": answer.status, "request_id": answer.request_id},
    )


def _pursue(ctx: ActionContext, values: Mapping[str, Any], row: Callback) -> Outcome:
    """What became of the call that was to come back."""
    said = f" It says: {row.message}" if row.message else ""
    if row.state == Callback.State.DONE:
        return Done(summary=f"{row.connection} called back: done.{said}")
    if row.state == Callback.State.FAILED:
        return Failed(reason=f"{row.connection} called back that it failed.{said}")
    if ctx.now < row.expires_at:
        # The first look comes soon: the call may have come while the answer was being read.
        first = row.sent_at is not None and ctx.now - row.sent_at < POLL
        return Wait(
            reason=f"Waits for {row.connection} to call back, until "
            f"{row.expires_at:%-d %b %Y, %H:%M} UTC.",
            until=min(row.expires_at, ctx.now + (POLL if first else LOOK_AGAIN)),
        )
    words = f"{row.connection} took the call and did not call back in time."
    if values["on_timeout"] == "fail":
        return Failed(reason=words)
    task = task_open(
        key=f"{ctx.idempotency_key[:60]}:callback",
        title=f"See what became of a call for {ctx.person}",
        body=f"{words} Look there whether it is done, finish it by hand if not, then close this.",
        role="it",
        subject=ctx.person,
        step=ctx.step,
        now=ctx.now,
    )
    return Wait(reason=f"{words} A task for IT was opened.", detail={"by_hand": task.pk})
