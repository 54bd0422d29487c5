"""The calls of one connection: found by filters, each with what to do about it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django import forms
from django.db.models import Q

from integrations.models import Circuit, Delivery

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from integrations.models import Connection

PERIODS = (("", "Any time"), ("1", "Last hour"), ("24", "Last day"), ("168", "Last 7 days"))
_OUTCOMES = (("", "Any result"), *Delivery.Outcome.choices)
KINDS: dict[str, tuple[str, str]] = {
    "unauthorized": (
        "Credential refused",
        "Enter a valid credential in the settings and test it; what is held then goes on.",
    ),
    "config": (
        "Settings",
        "Mend the settings of the connection or of the step, then try the run again.",
    ),
    "rate_limited": (
        "Too many calls",
        "Nothing: it is called again when it said.",
    ),
    "transient": (
        "No proper answer",
        "Nothing: it is tried again by itself. If it lasts, ask whoever runs the other system.",
    ),
    "incomplete": (
        "Contradicted itself",
        "Nothing: it is read again by itself, and nothing of it was applied.",
    ),
    "not_available": (
        "Not offered",
        "Nothing: the other system has no such function, so it is done the next way.",
    ),
    "permanent": (
        "Refused",
        "The same again changes nothing. Some refusals are as good as done (there already, gone "
        "already); the run says what was made of it.",
    ),
    "uncertain": (
        "Unknown",
        "Look at the other system whether it happened, then settle the step on the run's page.",
    ),
}
"""Error class → its name in words, and what a person does about it."""


class CallsFilter(forms.Form):
    """What may stand in the address of the page. What cannot be read is left out."""

    q = forms.CharField(required=False, max_length=120)
    outcome = forms.ChoiceField(required=False, choices=_OUTCOMES)
    kind = forms.ChoiceField(
        required=False,
        choices=[("", "Any kind of error"), *((key, words) for key, (words, _) in KINDS.items())],
    )
    hours = forms.ChoiceField(required=False, choices=PERIODS)

    def chosen(self) -> dict[str, Any]:
        """The filters that were given and can be read."""
        self.full_clean()
        return {name: value for name, value in self.cleaned_data.items() if value}


def calls_found(
    connection: Connection, chosen: dict[str, Any], *, now: datetime
) -> QuerySet[Delivery]:
    """Calls of ``connection``, newest first."""
    found = connection.deliveries.select_related("person")
    if words := str(chosen.get("q", "")):
        found = found.filter(
            Q(request_id__iexact=words)
            | Q(idempotency_key__startswith=words)
            | Q(operation__icontains=words)
            | Q(purpose__icontains=words)
        )
    if "outcome" in chosen:
        found = found.filter(outcome=chosen["outcome"])
    if "kind" in chosen:
        found = found.filter(error_code=chosen["kind"])
    if "hours" in chosen:
        found = found.filter(started_at__gte=now - timedelta(hours=int(chosen["hours"])))
    return found


def advice_for(call: Delivery) -> tuple[str, str]:
    """The kind of error in words, and what to do; empty where all went well."""
    if call.outcome == Delivery.Outcome.OK:
        return "", ""
    return KINDS.get(call.error_code, ("Failed", "Open the run to see what was made of it."))


def circuits_shown(connection: Connection, *, now: datetime) -> list[Circuit]:
    """Targets of ``connection`` that are left alone at ``now``, or that failed just now."""
    return list(
        connection.circuits.filter(
            Q(opened_at__isnull=False) | Q(failures__gt=0) | Q(slowed_until__gt=now)
        )
    )
