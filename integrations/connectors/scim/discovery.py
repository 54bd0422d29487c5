"""What a SCIM server says it can do (RFC 7644 §4), read once per test and stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from integrations.connectors.scim.matching import id_of, items, quoted, same
from integrations.errors import PermanentError, TransientError, UnauthorizedError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.scim.matching import Resource
    from integrations.connectors.scim.session import ScimSession

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_SILENT = (
    "The server does not say what it can do (/ServiceProviderConfig); we assume that it can search "
    "and PATCH, and do without where it turns out otherwise."
)
UNRELIABLE = (
    "The server says that it can search, but does not find a user that it has, or answers with "
    "others as well. All users are read instead, which takes longer."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovered:
    """What was found. ``problems`` are warnings in words."""

    capabilities: dict[str, Any]
    problems: tuple[str, ...] = ()


def discover(session: ScimSession) -> Discovered:
    """Ask for everything the standard lets a client ask. Raises only for a refused credential
    or a server that does not answer: what a server does not tell is no fault.
    """
    problems: list[str] = []
    config: Resource = {}
    try:
        # https://www.rfc-editor.org/rfc/rfc7644#section-4
        config = session.get(
            session.address("ServiceProviderConfig"), what="reading what the server can do"
        )
    except PermanentError:
        problems.append(_SILENT)
    found: dict[str, Any] = {name: _supported(config, name) for name in ("patch", "filter", "etag")}
    limit = config.get("filter")
    most = limit.get("maxResults") if isinstance(limit, dict) else None
    if isinstance(most, int) and not isinstance(most, bool) and most > 0:
        found["page"] = most
    found["groups"] = _has_groups(_listed(session, "ResourceTypes"))
    if attributes := _user_attributes(_listed(session, "Schemas")):
        found["attributes"] = attributes
    return Discovered(capabilities=found, problems=tuple(problems))


def _listed(session: ScimSession, kind: str) -> list[Resource]:
    """A discovery list; ``[]`` where the server keeps none (many do not)."""
    try:
        answer = session.get(session.address(kind), what=f"reading /{kind}")
    except UnauthorizedError as error:
        # Some keep 403 for their schemas while the token is good; the list of users tells.
        if error.status != 403:
            raise
        return []
    except (PermanentError, TransientError):
        return []
    return items(answer, "Resources")


def _has_groups(types: list[Resource]) -> bool:
    """Whether groups are offered; assumed where the server names no types at all."""
    return not types or any(
        same(one.get("name"), "Group") or same(one.get("endpoint"), "/Groups") for one in types
    )


def _user_attributes(schemas: list[Resource]) -> list[str]:
    """Names of what a user has there, those of the enterprise extension with its prefix."""
    names: list[str] = []
    for schema in schemas:
        prefix = {USER: "", ENTERPRISE: "enterprise."}.get(str(schema.get("id")))
        if prefix is not None:
            names += [
                f"{prefix}{one['name']}"
                for one in items(schema, "attributes")
                if isinstance(one.get("name"), str)
            ]
    return sorted(names)


def _supported(config: Mapping[str, Any], name: str) -> bool:
    """Whether a feature is announced; assumed where the server says nothing about it."""
    feature = config.get(name)
    return not (isinstance(feature, dict) and feature.get("supported") is False)


def finds(session: ScimSession, some: list[Resource]) -> bool:
    """Whether the server's search finds one of its own users and nobody else.

    Servers say that they filter and give everybody, or nobody. True where there is nobody to try
    it with, and where the search is refused: that is found out on the way.
    """
    known = next((one for one in some if id_of(one) and isinstance(one.get("userName"), str)), None)
    if known is None:
        return True
    query = f"userName eq {quoted(known['userName'])}"
    try:
        answer = session.get(
            session.address("Users"), params={"filter": query}, what="trying the search"
        )
    except PermanentError:
        return True
    found = items(answer, "Resources")
    strangers = [one for one in found if not same(one.get("userName"), known["userName"])]
    return not strangers and any(id_of(one) == id_of(known) for one in found)
