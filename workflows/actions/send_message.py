"""Send a message in the recipient's language."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.connectors.base import OutgoingMessage
from people.models import Person
from workflows.actions.channels import send_by_first
from workflows.actions.ladder import task_or_webhook
from workflows.messages import (
    Rendered,
    TemplateProblemError,
    message_context,
    render_message,
    source_problems,
    variant_for,
)
from workflows.models import MessageTemplate
from workflows.nodes import ACTIONS, Action, ActionContext, Done, Failed, Outcome, Uncertain
from workflows.params import KeysParam, ParamsForm, TextParam, listed
from workflows.problems import Problem, did_you_mean
from workflows.reaching import reachable_address_of

CHANNELS = ("email", "slack")
RECIPIENTS = ("person", "personal", "manager", "owner")
_NO_MAIL_YET = (
    "no personal address of theirs is known, and work mail may not exist before their first day"
)
_AGAIN = ":again"
_MOST_TO_SAY = 2_000
_ADDRESS = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+|#[^\s#@,;<>]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Recipient:
    """Whose language, which address, and what everybody may read of it."""

    reader: Person
    address: str
    shown: str
    note: str = ""
    """A word where it is not whom the sentence says."""
    by_mail_only: bool = False

    @classmethod
    def of(cls, person: Person, *, note: str = "") -> _Recipient:
        """At their work email."""
        email = person.work_email
        return cls(reader=person, address=email, shown=email, note=note)

    def by(self, channels: list[str]) -> list[str]:
        """The channels that reach this address: a channel of Slack is there only."""
        if self.address.startswith("#"):
            return ["slack"]
        return ["email"] if self.by_mail_only else channels


class SendMessageParams(ParamsForm):
    """To whom, how, what."""

    to = TextParam(label="To", limit=254, picks="recipient")
    channels = KeysParam(
        required=False,
        label="By",
        choices=CHANNELS,
        words={"email": "Email", "slack": "Slack"},
        default=("email",),
    )
    template = TextParam(required=False, label="Template", limit=60, picks="template")
    subject = TextParam(required=False, label="Subject", limit=300)
    body = TextParam(required=False, label="Text")

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """A template or a text, known channels, placeholders that exist."""
        problems = super().validate(params, path)
        to = str(params.get("to") or "")
        if to and to not in RECIPIENTS and not _ADDRESS.fullmatch(to):
            words = f"Expected {', '.join(RECIPIENTS)}, a work email or a #channel."
            problems.append(Problem(f"{path}.to", words + did_you_mean(to, RECIPIENTS)))
        for index, channel in enumerate(listed(params.get("channels"))):
            if channel not in CHANNELS:
                words = f"Expected one of {', '.join(CHANNELS)}."
                problems.append(Problem(f"{path}.channels[{index}]", words))
        if bool(params.get("template")) == bool(params.get("body")):
            problems.append(Problem(path, "Choose a template, or write subject and body."))
        for name in ("subject", "body"):
            problems += source_problems(params.get(name, ""), f"{path}.{name}")
        return problems


def _to_say(rendered: Rendered) -> str:
    """What whoever gets the task is to tell: nobody should have to look for it."""
    text = rendered.text.strip()
    cut = f"{text[:_MOST_TO_SAY].rstrip()} …" if len(text) > _MOST_TO_SAY else text
    return f"\n\nWhat was to be said:\n{cut}\n"


@ACTIONS.register
class SendMessageAction(Action):
    """One recipient; the first channel that works."""

    key = "message.send"
    label = "Send a message"
    icon = "mail"
    category = "Messages"
    Params = SendMessageParams

    def sentence(self, params: Mapping[str, Any]) -> str:
        """In words."""
        to = str(params.get("to"))
        verb = "send a message to" if to in ("person", "personal") else "notify"
        whom = {
            "person": "the person",
            "personal": "the person at their personal address",
            "manager": "the manager",
            "owner": "the owner",
        }.get(to, to)
        return f"{verb} {whom}"

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """To which address, with which subject."""
        found = self._recipient(ctx, str(params.get("to", "")))
        if not found.address:
            return f"Open a task: {found.note}"
        try:
            subject = self._rendered(ctx, self.Params.read(params), found.reader).subject
        except TemplateProblemError as error:
            return str(error)
        return f"Send “{subject}” to {found.shown}. {found.note}".strip()

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Send once. After a crash past the point of no return nobody can know."""
        if ctx.interrupted and ctx.effect_begun:
            return Uncertain(
                reason="The worker ended while the message was being handed over; it may have "
                "been sent. Ask the recipient, then settle this step."
            )
        values = self.Params.read(params)
        found = self._recipient(ctx, values["to"])
        if not found.address:
            whom = ctx.person if found.shown else f"somebody about {ctx.person}"
            return task_or_webhook(ctx, self.key, title=f"Tell {whom}", role="hr", why=found.note)
        try:
            rendered = self._rendered(ctx, values, found.reader)
        except TemplateProblemError as error:
            return Failed(reason=str(error))
        return self._send(ctx, found.by(values["channels"]), found, rendered)

    def tell_otherwise(
        self, ctx: ActionContext, params: Mapping[str, Any], *, after: str, why: str
    ) -> Done:
        """What was sent by ``after`` did not arrive: the channels behind it, then a task.

        ``why``: in words. Raises ``IntegrationError`` where the next channel may work later.
        """
        values = self.Params.read(params)
        found = self._recipient(ctx, values["to"])
        channels = found.by(values["channels"])
        rest = channels[channels.index(after) + 1 :] if after in channels else []
        if not rest or not found.address:
            return self.ask_somebody(ctx, params, why=why)
        try:
            rendered = self._rendered(ctx, values, found.reader)
        except TemplateProblemError as error:
            return self.ask_somebody(ctx, params, why=f"{why} {error}")
        return self._send(ctx, rest, found, rendered, failures=[why], suffix=_AGAIN)

    def ask_somebody(self, ctx: ActionContext, params: Mapping[str, Any], *, why: str) -> Done:
        """The last rungs, for what did not arrive."""
        values = self.Params.read(params)
        found = self._recipient(ctx, values["to"] or "person")
        try:
            rendered = self._rendered(ctx, values, found.reader)
            subject, to_say = rendered.subject, _to_say(rendered)
        except TemplateProblemError:
            subject, to_say = "the message did not arrive", ""
        return task_or_webhook(
            ctx,
            self.key,
            title=f"Tell {found.shown or ctx.person}: {subject}",
            role="hr",
            why=why,
            suffix=_AGAIN,
            more=f"Correct the address if it is wrong.{to_say}",
        )

    def _send(
        self,
        ctx: ActionContext,
        channels: list[str],
        whom: _Recipient,
        rendered: Rendered,
        *,
        failures: Sequence[str] = (),
        suffix: str = "",
    ) -> Done:
        message = OutgoingMessage(
            to=whom.address, subject=rendered.subject, text=rendered.text, html=rendered.html
        )
        sent, refused = send_by_first(ctx, channels, message, key=f"{ctx.idempotency_key}{suffix}")
        why = " ".join([*failures, *refused, whom.note]).strip()
        if sent is not None:
            return Done(
                summary=f"Sent to {whom.shown} by {sent.by}.", detail=sent.detail, reason=why
            )
        return task_or_webhook(
            ctx,
            self.key,
            title=f"Tell {whom.shown}: {message.subject}",
            role="hr",
            why=why,
            suffix=suffix,
            more=_to_say(rendered).strip(),
        )

    def _recipient(self, ctx: ActionContext, to: str) -> _Recipient:
        """Whose language, which address, and a word where it is not whom the sentence says."""
        person = ctx.person
        if to == "person":
            return _Recipient.of(person)
        if to == "personal":
            return self._personal(person, now=ctx.now)
        if to == "manager":
            manager = person.manager
            if manager is not None and manager.is_current:
                return _Recipient.of(manager)
            why = "has no manager" if manager is None else "has a manager who left"
            return self._fallback(ctx, f"{person} {why}")
        if to == "owner":
            owner = ctx.run.workflow.owner
            found = Person.objects.filter(work_email=owner).first() if owner else None
            if owner:
                return _Recipient(reader=found or person, address=owner, shown=owner)
            return self._fallback(ctx, "The workflow has no owner")
        found = Person.objects.filter(work_email=to.lower()).first()
        return _Recipient(reader=found or person, address=to, shown=to)

    @staticmethod
    def _personal(person: Person, *, now: datetime) -> _Recipient:
        found = reachable_address_of(person, now=now)
        if found is None:
            note = f"{person}: {_NO_MAIL_YET}."
            return _Recipient(reader=person, address="", shown=str(person), note=note)
        at_work = found.to == person.work_email
        note = "No personal address is known; sent to work mail." if at_work else ""
        return _Recipient(
            reader=person, address=found.to, shown=found.shown, note=note, by_mail_only=True
        )

    def _fallback(self, ctx: ActionContext, why: str) -> _Recipient:
        hr = Person.objects.filter(roles__name="hr").exclude(pk=ctx.person.pk)
        other = next((item for item in hr.order_by("full_name") if item.is_current), None)
        if other is not None:
            return _Recipient.of(other, note=f"{why}; sent to {other} of HR instead.")
        owner = ctx.run.workflow.owner
        if owner and owner != ctx.person.work_email:
            found = Person.objects.filter(work_email=owner).first()
            note = f"{why} and nobody is in the role hr; sent to the workflow's owner instead."
            return _Recipient(reader=found or ctx.person, address=owner, shown=owner, note=note)
        note = f"{why}, and nobody is in the role hr."
        return _Recipient(reader=ctx.person, address="", shown="", note=note)

    def _rendered(self, ctx: ActionContext, values: Mapping[str, Any], reader: Person) -> Any:
        subject, body = values["subject"], values["body"]
        if values["template"]:
            template = MessageTemplate.objects.filter(key=values["template"]).first()
            if template is None or not template.variants:
                raise TemplateProblemError(f"There is no template “{values['template']}”.")
            variant = variant_for(template.variants, reader)
            subject, body = variant.get("subject", ""), variant.get("body", "")
        context = message_context(ctx.person, run=ctx.run, request=ctx.request)
        return render_message(subject, body, context)
