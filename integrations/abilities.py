"""What a connection can and cannot do, in plain words, from what its client offers.

A client that knows better says so itself (``TellsAbilities``); that comes first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import (
    AccountAdmin,
    CustomFieldSource,
    MemberAdmin,
    Messenger,
    PeopleSource,
    SignedCaller,
    WebhookSource,
)
from integrations.connectors.identity import (
    Ability,
    AccountReactivator,
    MemberReactivator,
    TellsAbilities,
)
from integrations.errors import IntegrationError
from integrations.people_sources import brings_people
from integrations.services import client_for, connector_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.models import Connection


_ACCOUNTS = (
    "find people by work email",
    "create accounts, or take over those that exist",
    "suspend accounts and check that they are",
    "put people into groups and take them out",
)
_MEANS: tuple[tuple[type[Any], tuple[str, ...]], ...] = (
    (AccountAdmin, _ACCOUNTS),
    (AccountReactivator, ("reactivate accounts",)),
    (MemberAdmin, ("deactivate members",)),
    (MemberReactivator, ("let deactivated members in again",)),
    (SignedCaller, ("take signed calls, also in place of other connections",)),
    (WebhookSource, ("tell us at once when something changed",)),
    (CustomFieldSource, ("bring custom fields",)),
)
# What is looked for in this family, so that what is missing can be said too.
_FAMILY: dict[str, tuple[type[Any], ...]] = {
    "Identity": (AccountAdmin, AccountReactivator),
    "Chat": (MemberAdmin, MemberReactivator),
    "HRIS": (WebhookSource, CustomFieldSource),
}
# By the names that SCIM servers announce: https://www.rfc-editor.org/rfc/rfc7643#section-5
_ANNOUNCED = (
    ("filter", "search on the server", "everybody is read and compared here instead: slower"),
    ("patch", "change single values", "whole entries are read and replaced instead"),
    ("etag", "notice changes made meanwhile", "what another tool changes in the same second wins"),
)


def abilities_of(connection: Connection) -> tuple[Ability, ...]:
    """What ``connection`` can do, then what it cannot. Empty where its settings cannot be read."""
    try:
        client = client_for(connection)
        category = connector_of(connection).category
    except IntegrationError:
        return ()
    if isinstance(client, TellsAbilities):
        return tuple(sorted(client.abilities(connection.capabilities), key=lambda one: not one.can))
    found = [Ability(words=words) for words in _messages(client)]
    if isinstance(client, PeopleSource) and brings_people(connection):
        found.append(Ability(words="bring people into the directory"))
    family = _FAMILY.get(category, ())
    for kind, words in _MEANS:
        if isinstance(client, kind):
            found += [Ability(words=one) for one in words]
        elif kind in family:
            found += [
                Ability(words=one, can=False, why="this connector does not offer it")
                for one in words
            ]
    found += _announced(connection.capabilities)
    return tuple(sorted(found, key=lambda one: not one.can))


def _messages(client: object) -> list[str]:
    if not isinstance(client, Messenger):
        return []
    return [{"email": "send mail", "slack": "send messages"}.get(client.channel, "send messages")]


def _announced(capabilities: Mapping[str, Any]) -> list[Ability]:
    return [
        Ability(words=words, can=capabilities[name], why="" if capabilities[name] else instead)
        for name, words, instead in _ANNOUNCED
        if isinstance(capabilities.get(name), bool)
    ]
