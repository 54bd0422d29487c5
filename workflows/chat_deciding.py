"""A button pressed in a chat is a decision like any other: same person, same rules, once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from integrations.accounts import stopping_when_refused
from integrations.connectors.chat import AsksInChat, Pressed
from integrations.errors import IntegrationError
from integrations.models import Connection
from people.models import Person
from siit_remote.lib.bell import ring
from workflows.approvals import DecisionRefusedError, approval_decide, may_decide
from workflows.chat import ON_PAGE, approval_link
from workflows.deciding import approval_takes
from workflows.models import Approval, ChatMessage

log = logging.getLogger(__name__)

REFRESH = "siit_remote.tasks.refresh_chat"
_GONE = "This message asks for nothing any more. Open your approvals to see what waits."


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the chat is answered."""

    body: dict[str, Any] = field(default_factory=dict)
    status: int = 200


def press_handle(
    connection: Connection, client: AsksInChat, pressed: Pressed, *, now: datetime
) -> Reply:
    """Decide, ask for the reason, or say kindly why not. Pressed again, it changes nothing."""
    if pressed.kind == "nothing":
        return Reply()
    try:
        with stopping_when_refused(connection):
            person = _person(client, pressed.user)
    except IntegrationError as error:
        # Who it was cannot be told, so nothing is decided; the chat shows that it did not work.
        log.warning("connection %s: a press by nobody known (%s)", connection.pk, error.code)
        return Reply(status=503)
    approval = _asked_there(connection, pressed)
    if person is None:
        return _say(client, pressed, "Nobody in the directory has your Slack account's work email.")
    if approval is None:
        return _say(client, pressed, _GONE)
    if pressed.kind == "reject":
        return _ask_reason(client, pressed, approval, person, now=now)
    if pressed.kind == "approve" and _asked_on_page(approval, person, now=now):
        return _say(client, pressed, f"{ON_PAGE} {approval_link(approval)}")
    return _decide(client, pressed, approval, person, now=now)


def _asked_on_page(approval: Approval, person: Person, *, now: datetime) -> bool:
    """Whether approving needs a proof of who it is that a chat cannot give.

    Who may not decide at all is told so by the service.
    """
    open_to = approval.status in Approval.OPEN and may_decide(approval, person, now=now)
    return open_to and approval_takes(approval)


def _person(client: AsksInChat, user: str) -> Person | None:
    email = client.address_of(user)
    return Person.objects.filter(work_email=email).first() if email else None


def _asked_there(connection: Connection, pressed: Pressed) -> Approval | None:
    """The approval that this very message asks for; a value alone proves nothing."""
    if not pressed.value.isdecimal() or len(pressed.value) > 18 or pressed.posted is None:
        return None
    row = (
        ChatMessage.objects.filter(
            connection=connection,
            approval_id=int(pressed.value),
            channel=pressed.posted.channel,
            ts=pressed.posted.ts,
        )
        .select_related("approval__subject", "approval__approver")
        .first()
    )
    return row.approval if row is not None else None


def _ask_reason(
    client: AsksInChat, pressed: Pressed, approval: Approval, person: Person, *, now: datetime
) -> Reply:
    """The form opens only for who may send it."""
    if approval.status not in Approval.OPEN or not may_decide(approval, person, now=now):
        # The service knows why not, and writes down who tried.
        return _decide(client, pressed, approval, person, now=now)
    try:
        client.ask_reason(pressed, title=approval.title)
    except IntegrationError as error:
        log.warning("approval %s: no form opened (%s)", approval.pk, error.code)
        return _say(client, pressed, "Slack did not open the form. Press again, or use “Open”.")
    return Reply()


def _decide(
    client: AsksInChat, pressed: Pressed, approval: Approval, person: Person, *, now: datetime
) -> Reply:
    try:
        approval_decide(
            approval.pk,
            by=person,
            approve=pressed.kind == "approve",
            comment=pressed.comment,
            now=now,
            via="slack",
        )
    except DecisionRefusedError as error:
        ring(REFRESH)
        return _say(client, pressed, str(error))
    ring(REFRESH)
    return Reply(body=client.form_answer("") if pressed.kind == "explained" else {})


def _say(client: AsksInChat, pressed: Pressed, words: str) -> Reply:
    """In the form where one is open, else below the message, to who pressed alone."""
    if pressed.kind == "explained":
        return Reply(body=client.form_answer(words))
    if pressed.posted is not None:
        try:
            client.whisper(pressed.posted, pressed.user, words)
        except IntegrationError as error:
            log.info("nothing could be said in the chat (%s)", error.code)
    return Reply()
