"""A task for a human."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from people.models import Person
from workflows.approvers.people import can_answer
from workflows.messages import message_context, render, source_problems
from workflows.models import Task
from workflows.names import role_words
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Failed, Lane, Outcome, Wait
from workflows.params import (
    FlagParam,
    KeysParam,
    MappingParam,
    NumberParam,
    ParamsForm,
    TextParam,
    listed,
)
from workflows.problems import Problem
from workflows.question import step_of
from workflows.task_days import DUE_DAYS
from workflows.tasks_by_hand import task_open


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
        help_text=f"Of whoever gets it, by their country's holidays. Empty: {DUE_DAYS}.",
        allowed=("working_days",),
        parts={"working_days": NumberParam(label="Working days", low=0, high=365)},
    )
    checklist = KeysParam(required=False, label="Points to tick off")
    remind_every = MappingParam(
        required=False,
        label="Once overdue, remind every",
        allowed=("working_days",),
        parts={"working_days": NumberParam(label="Working days", low=1, high=90)},
    )
    escalate = MappingParam(
        required=False,
        label="If nobody does it",
        help_text="Nobody named: it goes to the role's lead.",
        allowed=("working_days", "to"),
        parts={
            "working_days": NumberParam(label="Working days past the due day", low=0, high=90),
            "to": TextParam(label="Goes to (a role or a work email)", limit=254, picks="assignee"),
        },
    )
    wait_until_done = FlagParam(required=False, label="Go on only when it is done")

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Also the placeholders, and the numbers of days."""
        problems = super().validate(params, path)
        for name in ("title", "body"):
            problems += source_problems(params.get(name, ""), f"{path}.{name}")
        for index, point in enumerate(listed(params.get("checklist"))):
            problems += source_problems(point, f"{path}.checklist[{index}]")
        for name, low, high in (("due", 0, 365), ("remind_every", 1, 90), ("escalate", 0, 90)):
            given = params.get(name)
            count = given.get("working_days", low) if isinstance(given, Mapping) else low
            if isinstance(count, bool) or not isinstance(count, int) or not low <= count <= high:
                words = f"A number from {low} to {high}."
                problems.append(Problem(f"{path}.{name}.working_days", words))
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
        """In words, with its due day as it will be counted."""
        who = role_words(str(params.get("assignee", "it")))
        return f"open a task for {who}, due {_due_words(params)}"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """With its title filled in."""
        context = message_context(ctx.person, run=ctx.run, request=ctx.request)
        title = render(str(params.get("title", "")), context, "header")
        return f"Open a task for {role_words(str(params.get('assignee', 'it')))}: {title}"

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Open it, or look whether it is done."""
        values = self.Params.read(params)
        who = values["assignee"]
        person = Person.objects.filter(work_email=who.lower()).first() if "@" in who else None
        missing = ""
        if "@" in who and (person is None or not can_answer(person)):
            gone = f"{person} has left or cannot sign in" if person else f"Nobody has {who}"
            missing, person = f"{gone}; IT has it.", None
        task = self._open(ctx, values, person)
        if not values["wait_until_done"]:
            return Done(summary=f"Opened “{task.title}”.", detail={"task": task.pk}, reason=missing)
        if task.is_open:
            return Wait(reason=f"Waits for the task “{task.title}”.", detail={"task": task.pk})
        return _ended(ctx, task)

    def _open(self, ctx: ActionContext, values: Mapping[str, Any], person: Person | None) -> Task:
        context = message_context(ctx.person, run=ctx.run, request=ctx.request)
        who = values["assignee"]
        return task_open(
            key=ctx.idempotency_key,
            title=render(values["title"], context, "header"),
            body=render(values["body"], context, "text"),
            checklist=[render(point, context, "header") for point in values["checklist"]],
            role="" if person else ("it" if "@" in who else who),
            assignee=person,
            subject=ctx.person,
            step=ctx.step,
            due_days=_due_days(values),
            remind_every=values["remind_every"].get("working_days", 1),
            escalate_after=values["escalate"].get("working_days", 2),
            escalate_to=str(values["escalate"].get("to", "")),
            now=ctx.now,
        )


def _due_days(params: Mapping[str, Any]) -> int:
    """Working days. A task that was given none is due all the same: nobody would miss it else."""
    given = params.get("due")
    days = given.get("working_days") if isinstance(given, Mapping) else None
    return days if isinstance(days, int) else DUE_DAYS


def _due_words(params: Mapping[str, Any]) -> str:
    days = _due_days(params)
    if not days:
        return "the same day"
    return f"in {days} working day{'' if days == 1 else 's'}"


def _ended(ctx: ActionContext, task: Task) -> Outcome:
    """Done or refused; a lane of its own where the step has one. Given up fails the step."""
    step = step_of(ctx.step)
    lanes = step.outcomes if step is not None else {}
    detail = {"task": task.pk}
    by = task.done_by_label or "somebody"
    if task.status == Task.Status.DONE:
        words = f"“{task.title}” was done by {by}: {task.comment}"
        if "done" in lanes:
            return Lane(lanes=("done",), summary=words, detail=detail)
        return Done(summary=words, detail=detail)
    if task.status == Task.Status.REFUSED:
        words = f"“{task.title}” could not be done, says {by}: {task.comment}"
        if "refused" in lanes:
            return Lane(lanes=("refused",), summary=words, detail=detail)
        return Failed(reason=words)
    return Failed(reason=f"The task “{task.title}” was cancelled.")
