"""A task for a human."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from people.models import Person
from workflows.messages import message_context, render, source_problems
from workflows.models import Task
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Outcome, Wait
from workflows.params import FlagParam, MappingParam, NumberParam, ParamsForm, TextParam
from workflows.problems import Problem
from workflows.tasks_by_hand import task_open
from workflows.timing import add_working_days, zone_of


class CreateTaskParams(ParamsForm):
    """What, for whom, until when."""

    title = TextParam(label="Title", limit=300)
    body = TextParam(required=False, label="Text")
    assignee = TextParam(
        required=False, label="For whom", default="it", limit=254, picks="assignee"
    )
    due = MappingParam(
        required=False,
        label="Due in",
        allowed=("working_days",),
        parts={"working_days": NumberParam(label="Working days", low=0, high=365)},
    )
    wait_until_done = FlagParam(required=False, label="Go on only when it is done")

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Also the placeholders."""
        problems = super().validate(params, path)
        for name in ("title", "body"):
            problems += source_problems(params.get(name, ""), f"{path}.{name}")
        days = (params.get("due") or {}) if isinstance(params.get("due"), Mapping) else {}
        count = days.get("working_days", 0)
        if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= 365:
            problems.append(Problem(f"{path}.due.working_days", "A number from 0 to 365."))
        return problems


@ACTIONS.register
class CreateTaskAction(Action):
    """Opened once, however often the step is tried."""

    key = "task.create"
    label = "Create a task"
    icon = "check-square"
    category = "People"
    Params = CreateTaskParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        return f"open a task for {params.get('assignee', 'it')}"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """With its title filled in."""
        context = message_context(ctx.person, run=ctx.run, request=ctx.request)
        title = render(str(params.get("title", "")), context, "header")
        return f"Open a task for {params.get('assignee', 'it')}: {title}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Open it, or look whether it is done."""
        values = self.Params.read(params)
        context = message_context(ctx.person, run=ctx.run, request=ctx.request)
        who = values["assignee"]
        person = Person.objects.filter(work_email=who.lower()).first() if "@" in who else None
        today = ctx.now.astimezone(zone_of(str(ctx.facts.get("person.timezone") or "UTC"))).date()
        count = values["due"].get("working_days")
        country = person.country if person else ctx.person.country
        task = task_open(
            key=ctx.idempotency_key,
            title=render(values["title"], context, "header"),
            body=render(values["body"], context, "text"),
            role="" if person else ("it" if "@" in who else who),
            assignee=person,
            subject=ctx.person,
            step=ctx.step,
            due_on=add_working_days(today, count, country) if count is not None else None,
            now=ctx.now,
        )
        missing = "" if person or "@" not in who else f"Nobody has the work email {who}; IT has it."
        if not values["wait_until_done"]:
            return Done(summary=f"Opened “{task.title}”.", detail={"task": task.pk}, reason=missing)
        if task.status == Task.Status.OPEN:
            return Wait(reason=f"Waits for the task “{task.title}”.", detail={"task": task.pk})
        return Done(summary=f"“{task.title}” is {task.status}.", detail={"task": task.pk})
