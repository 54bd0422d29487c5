"""Things that are chosen by name and stored by key: people, countries, applications, templates …"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import available_timezones

from django.db.models import Q, QuerySet

from integrations.models import Application, Bundle, Connection
from people.models import EmploymentType, LegalEntity, Person, Role, Team
from people.selectors import search
from workflows.fields import FIELDS
from workflows.models import ApproverPolicy, MessageTemplate, Service

FEW = 40
"""Up to so many are offered as a plain choice; more are searched."""
MOST = 20
"""So many results a search shows."""
_IN_BRACKETS = re.compile(r"\(([^()\s]+@[^()\s]+)\)\s*$")

RECIPIENTS = (
    ("person", "The person"),
    ("personal", "The person, at their personal address"),
    ("manager", "Their manager"),
    ("owner", "The owner of the workflow"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """One thing: what a document says, and what people read."""

    key: str
    label: str


class Pick:
    """A kind of thing, read from a table by two of its columns."""

    free = False
    """Whether words that name nothing known may stand too."""

    def __init__(self, rows: Callable[[], QuerySet[Any]], key: str, label: str) -> None:
        self.rows, self.key, self.label = rows, key, label

    def found(self, query: str, limit: int, *, hidden: Collection[str] = ()) -> list[Option]:
        """Those whose name or key holds the words, by name.

        ``hidden``: fields of a person that whoever looks may not see; nobody is found by those.
        """
        rows = self.rows().order_by(self.label)
        if query:
            matches = Q(**{f"{self.label}__icontains": query})
            rows = rows.filter(matches | Q(**{f"{self.key}__icontains": query}))
        pairs = rows.values_list(self.key, self.label)[:limit]
        return [Option(str(key), str(label or key)) for key, label in pairs]

    def labels(self, keys: Iterable[str]) -> dict[str, str]:
        """Key → name of those that exist."""
        rows = self.rows().filter(**{f"{self.key}__in": list(keys)})
        return {
            str(key): str(label or key) for key, label in rows.values_list(self.key, self.label)
        }

    def key_of(self, words: str) -> str:
        """The key that a person's words mean; the words themselves where they name nothing."""
        text = words.strip()
        if self.rows().filter(**{self.key: text}).exists():
            return text
        match = self.rows().filter(**{f"{self.label}__iexact": text}).values_list(self.key)[:2]
        keys = [str(row[0]) for row in match]
        return keys[0] if len(keys) == 1 else text


class PeoplePick(Pick):
    """People, by work email; shown with their name."""

    def __init__(self) -> None:
        super().__init__(Person.objects.all, "work_email", "full_name")

    def found(self, query: str, limit: int, *, hidden: Collection[str] = ()) -> list[Option]:
        """Every word somewhere in the name, the email or the title; nobody who has left."""
        rows = search(Person.objects.exclude(status="ended"), query, hidden=hidden).order_by("pk")
        pairs = rows.values_list("work_email", "full_name")[:limit]
        return sorted((_person(*pair) for pair in pairs), key=lambda item: item.label.casefold())

    def labels(self, keys: Iterable[str]) -> dict[str, str]:
        """Work email → “Ana Lopez (ana@acme.test)”."""
        rows = Person.objects.filter(work_email__in=[key.lower() for key in keys])
        pairs = rows.values_list("work_email", "full_name")
        return {email: _person(email, name).label for email, name in pairs}

    def key_of(self, words: str) -> str:
        """By the email in brackets, the email, or a name that only one person has."""
        text = words.strip()
        inside = _IN_BRACKETS.search(text)
        if inside:
            return inside[1].lower()
        return text.lower() if "@" in text else super().key_of(text)


def _person(email: str, name: str) -> Option:
    return Option(email, f"{name} ({email})" if name else email)


class FixedPick(Pick):
    """A list that stands in the code."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = tuple(pairs)

    def found(self, query: str, limit: int, *, hidden: Collection[str] = ()) -> list[Option]:
        """Those whose words hold the query."""
        wanted = query.casefold()
        hits = [Option(*pair) for pair in self.pairs if wanted in f"{pair[1]} {pair[0]}".casefold()]
        hits.sort(key=lambda item: not item.label.casefold().startswith(wanted))
        return hits[:limit]

    def labels(self, keys: Iterable[str]) -> dict[str, str]:
        """Key → words."""
        wanted = set(keys)
        return {key: label for key, label in self.pairs if key in wanted}

    def key_of(self, words: str) -> str:
        """By words or key, whatever their case."""
        folded = words.strip().casefold()
        hits = [key for key, label in self.pairs if folded in (label.casefold(), key.casefold())]
        return hits[0] if hits else words.strip()


class MixedPick(Pick):
    """A few words of our own, then something looked up; other words may stand too."""

    free = True

    def __init__(self, own: Pick, more: Pick) -> None:
        self.own, self.more = own, more

    def found(self, query: str, limit: int, *, hidden: Collection[str] = ()) -> list[Option]:
        """Ours first."""
        ours = self.own.found(query, limit, hidden=hidden)
        return [*ours, *self.more.found(query, limit - len(ours), hidden=hidden)][:limit]

    def labels(self, keys: Iterable[str]) -> dict[str, str]:
        """From both."""
        wanted = list(keys)
        return self.more.labels(wanted) | self.own.labels(wanted)

    def key_of(self, words: str) -> str:
        """Ours first."""
        key = self.own.key_of(words)
        return key if self.own.labels([key]) else self.more.key_of(words)


def _roles() -> Pick:
    return Pick(Role.objects.all, "name", "name")


def _zones() -> list[tuple[str, str]]:
    ours = [("person", "the person"), ("workspace", "the workspace")]
    return [*ours, *((zone, zone.replace("_", " ")) for zone in sorted(available_timezones()))]


PICKS: Mapping[str, Pick] = {
    "timezone": FixedPick(_zones()),
    "person": PeoplePick(),
    "team": Pick(Team.objects.all, "name", "name"),
    "entity": Pick(LegalEntity.objects.all, "name", "name"),
    "employment_type": Pick(EmploymentType.objects.all, "key", "name"),
    "role": _roles(),
    "connection": Pick(
        lambda: Connection.objects.exclude(status=Connection.Status.DISCONNECTED), "key", "name"
    ),
    "application": Pick(Application.objects.all, "key", "name"),
    "bundle": Pick(Bundle.objects.all, "key", "name"),
    "template": Pick(MessageTemplate.objects.all, "key", "name"),
    "service": Pick(Service.objects.all, "key", "name"),
    "policy": Pick(ApproverPolicy.objects.all, "key", "name"),
    "country": FixedPick(FIELDS["person.country"].choices),
    "field": FixedPick(
        (key.removeprefix("person."), spec.label)
        for key, spec in FIELDS.items()
        if key.startswith("person.") and spec.orm
    ),
    "recipient": MixedPick(FixedPick(RECIPIENTS), PeoplePick()),
    "assignee": MixedPick(_roles(), PeoplePick()),
}
FIELD_PICKS: Mapping[str, str] = {
    "person.manager": "person",
    "person.work_email": "person",
    "person.team": "team",
    "person.legal_entity": "entity",
    "person.employment_type": "employment_type",
    "person.country": "country",
    "person.apps": "application",
    "request.service": "service",
    "change.field": "field",
}
"""Condition fields whose values are chosen by name."""


def few(kind: str) -> list[Option] | None:
    """Everything of a kind where a plain choice is kinder than a search, else None."""
    pick = PICKS[kind]
    if pick.free or kind == "person":
        return None
    found = pick.found("", FEW + 1)
    return found if len(found) <= FEW else None
