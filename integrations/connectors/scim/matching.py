"""Reading SCIM resources, and deciding whether one is really the one we asked for.

Servers exist that ignore a filter and return everybody: whoever takes the first result deactivates
the wrong person. So every look-up is compared here, in lower case, whatever the server did.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from integrations.connectors.base import RemoteAccount
from integrations.errors import PermanentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Resource = dict[str, Any]

READ_ONLY = frozenset({"meta", "groups", "password"})
"""Written by the server alone; sending them back is refused by some."""
_PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


def patch_body(*operations: dict[str, Any]) -> dict[str, Any]:
    """The envelope of a PATCH (RFC 7644 §3.5.2)."""
    return {"schemas": [_PATCH], "Operations": list(operations)}


def same(left: object, right: str) -> bool:
    """Whether two texts are equal but for case and surrounding space."""
    return isinstance(left, str) and left.strip().casefold() == right.strip().casefold()


def quoted(value: str) -> str:
    """``value`` as a string of the filter language, which is JSON's (RFC 7644 §3.4.2.2)."""
    return json.dumps(value, ensure_ascii=False)


def items(resource: Mapping[str, Any], name: str) -> list[Resource]:
    """The objects of a multi-valued attribute; ``[]`` where it is missing or no list."""
    value = resource.get(name)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def id_of(resource: Mapping[str, Any]) -> str:
    """The resource's id as text; ``""`` where it has none."""
    value = resource.get("id")
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def is_active(resource: Mapping[str, Any]) -> bool:
    """Only an explicit false is inactive: an absent value proves nothing about an account."""
    value = resource.get("active")
    return not (value is False or same(value, "false"))


def emails_of(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """All addresses, the primary one first."""
    ordered = sorted(items(resource, "emails"), key=lambda entry: entry.get("primary") is not True)
    return tuple(entry["value"] for entry in ordered if isinstance(entry.get("value"), str))


def has_address(resource: Mapping[str, Any], work_email: str) -> bool:
    """Whether the address is the account's own: its primary one, or any where none is primary.

    A shared mailbox may list somebody's address as a further one; it is not that person's account.
    """
    listed = items(resource, "emails")
    primary = [entry for entry in listed if entry.get("primary") is True]
    return any(same(entry.get("value"), work_email) for entry in primary or listed)


def pick_user(resources: Iterable[Resource], *, work_email: str) -> Resource | None:
    """The one resource that is this person's: by user name first, else by own address.

    Raises ``PermanentError`` when several could be meant.
    """
    candidates = [resource for resource in resources if id_of(resource)]
    by_name = [one for one in candidates if same(one.get("userName"), work_email)]
    by_address = [one for one in candidates if has_address(one, work_email)]
    for matches in (by_name, by_address):
        found = {id_of(one): one for one in matches}
        if len(found) > 1:
            raise PermanentError(
                f"{len(found)} accounts at the identity provider have this work e-mail. Leave it "
                "with one of them; until then nothing is changed."
            )
        if found:
            return next(iter(found.values()))
    return None


def pick_group(resources: Iterable[Resource], *, name: str) -> Resource | None:
    """The group of this very name. Raises ``PermanentError`` when several have it."""
    found = {id_of(one): one for one in resources if same(one.get("displayName"), name)}
    found.pop("", None)
    if len(found) > 1:
        exact = [one for one in found.values() if one.get("displayName") == name]
        if len(exact) == 1:
            return exact[0]
        raise PermanentError(f"{len(found)} groups are called “{name}”. Rename all but one.")
    return next(iter(found.values()), None)


def to_account(resource: Mapping[str, Any]) -> RemoteAccount:
    """The resource in our own words."""
    username = resource.get("userName")
    return RemoteAccount(
        external_id=id_of(resource),
        username=username if isinstance(username, str) else "",
        active=is_active(resource),
        emails=emails_of(resource),
        groups=tuple(
            entry["display"]
            for entry in items(resource, "groups")
            if isinstance(entry.get("display"), str)
        ),
    )
