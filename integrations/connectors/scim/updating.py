"""Keep a SCIM account in step with the directory: what differs is changed, and read back.

Only what we are told is written; a name that merely is split in another way, or a display name that
somebody chose, stays. https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from integrations.connectors.identity import Updated
from integrations.connectors.scim.discovery import ENTERPRISE
from integrations.connectors.scim.matching import (
    READ_ONLY,
    Resource,
    has_address,
    id_of,
    items,
    patch_body,
    same,
    to_account,
)
from integrations.connectors.scim.session import NOT_UNDERSTOOD, version_of
from integrations.errors import IntegrationError, PermanentError, TransientError, UncertainError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integrations.connectors.base import AccountProfile
    from integrations.connectors.scim.session import Capabilities, ScimSession

_DEPARTMENT = f"{ENTERPRISE}:department"
_WORDS = {
    "title": "job title",
    _DEPARTMENT: "team",
    "emails": "work email",
    "userName": "user name",
}


def _plain(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _part(resource: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = resource.get(name)
    return value if isinstance(value, dict) else {}


def differences(resource: Resource, profile: AccountProfile, can: Capabilities) -> dict[str, Any]:
    """Path → wanted value, for what the account should say and does not."""
    found: dict[str, Any] = {}
    name = _part(resource, "name")
    joined = _plain(f"{_plain(name.get('givenName'))} {_plain(name.get('familyName'))}")
    known = {joined, _plain(name.get("formatted")), ""}
    full = _plain(profile.full_name)
    if full and full not in {joined, "" if joined else _plain(name.get("formatted"))}:
        parts = {"givenName": profile.given_name, "familyName": profile.family_name}
        found |= {f"name.{part}": value for part, value in parts.items() if value}
        if name.get("formatted"):
            found["name.formatted"] = full
        # A display name that follows the name is taken along; a chosen one is left alone.
        if can.keeps("displayName") and _plain(resource.get("displayName")) in known:
            found["displayName"] = full
    if profile.job_title and can.keeps("title"):
        found["title"] = profile.job_title
    if profile.team and can.keeps("enterprise.department"):
        found[_DEPARTMENT] = profile.team
    found |= _address(resource, profile.work_email)
    return {path: value for path, value in found.items() if not _says(resource, path, value)}


def _address(resource: Resource, work_email: str) -> dict[str, Any]:
    """The new address in place of the former one; the user name follows where it was that."""
    if has_address(resource, work_email):
        return {}
    listed = items(resource, "emails")
    if not listed and same(resource.get("userName"), work_email):
        return {}
    own = next((one for one in listed if one.get("primary") is True), None)
    own = own or (listed[0] if listed else {"type": "work", "primary": True})
    found: dict[str, Any] = {
        "emails": [{**own, "value": work_email}, *(one for one in listed if one is not own)]
    }
    if isinstance(before := own.get("value"), str) and same(resource.get("userName"), before):
        found["userName"] = work_email
    return found


def _says(resource: Resource, path: str, value: Any) -> bool:
    """Whether the account says so already."""
    if path == "emails":
        return has_address(resource, value[0]["value"])
    if path == "userName":
        return same(resource.get("userName"), value)
    if path == _DEPARTMENT:
        return _plain(_part(resource, ENTERPRISE).get("department")) == _plain(value)
    head, _, tail = path.partition(".")
    now = _part(resource, head).get(tail) if tail else resource.get(head)
    return _plain(now) == _plain(value)


def merged(resource: Resource, wanted: Mapping[str, Any]) -> Resource:
    """The parts of the resource with the wanted values in them, for who takes no paths."""
    found: Resource = {}
    for path, value in wanted.items():
        if path == _DEPARTMENT:
            found[ENTERPRISE] = {**_part(resource, ENTERPRISE), "department": value}
            continue
        head, _, tail = path.partition(".")
        if tail:
            found[head] = {**_part(resource, head), **_part(found, head), tail: value}
        else:
            found[head] = value
    return found


def _words(paths: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_WORDS.get(path, "name") for path in paths))


class Finder(Protocol):
    """What finds accounts at the server."""

    def by_id(self, external_id: str) -> Resource | None:
        """The account of that id; ``None`` for none."""
        ...

    def by_email(self, work_email: str, *, thorough: bool = False) -> Resource | None:
        """The account with that address; ``thorough`` also looks where searching cannot."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Updating:
    """One update of one account of one server."""

    session: ScimSession
    accounts: Finder
    can: Capabilities
    replaces: bool
    key: str

    def update(self, external_id: str, profile: AccountProfile) -> Updated | None:
        """See ``AccountUpdater.update_account``."""
        now = self.accounts.by_id(external_id)
        if now is None:
            return None
        asked = differences(now, profile, self.can)
        if not asked:
            return Updated(account=to_account(now))
        if "emails" in asked:
            self._refuse_taken(external_id, profile.work_email)
        refusal: IntegrationError | None = None
        left = asked
        for way in self._ways():
            try:
                way(now, left)
            except PermanentError as error:
                if error.status not in NOT_UNDERSTOOD | {409, 412}:
                    raise
                refusal = error
            except (TransientError, UncertainError) as error:
                refusal = error
            now = self.accounts.by_id(external_id)
            if now is None:
                return None
            left = differences(now, profile, self.can)
            if not left:
                break
        if refusal is not None and left.keys() >= asked.keys():
            raise refusal
        return Updated(
            account=to_account(now),
            changed=tuple(word for word in _words(asked) if word not in _words(left)),
            refused=_words(left),
        )

    def _refuse_taken(self, external_id: str, work_email: str) -> None:
        other = self.accounts.by_email(work_email, thorough=True)
        if other is not None and id_of(other) != external_id:
            raise PermanentError(
                "Another account at the identity provider has the new work email already. Nothing "
                "was changed; see which of the two is right."
            )

    def _ways(self) -> list[Callable[[Resource, Mapping[str, Any]], None]]:
        patches = [self._patch_all, self._patch_each, self._patch_bare]
        return [*(patches if self.can.patch else []), *([self._put] if self.replaces else [])]

    def _send(self, method: str, resource: Resource, body: Resource, version: str = "") -> None:
        self.session.send(
            method,
            self.session.location(resource, kind="Users"),
            body=body,
            what="updating the account",
            idempotency_key=self.key,
            version=version,
        )

    def _patch_all(self, resource: Resource, wanted: Mapping[str, Any]) -> None:
        operations = [
            {"op": "replace", "path": path, "value": value} for path, value in wanted.items()
        ]
        self._send("PATCH", resource, patch_body(*operations))

    def _patch_each(self, resource: Resource, wanted: Mapping[str, Any]) -> None:
        """One by one: an attribute that the server refuses must not keep the others out."""
        refusal: PermanentError | None = None
        for path, value in wanted.items():
            operation = {"op": "replace", "path": path, "value": value}
            try:
                self._send("PATCH", resource, patch_body(operation))
            except PermanentError as error:
                refusal = error
        if refusal is not None:
            raise refusal

    def _patch_bare(self, resource: Resource, wanted: Mapping[str, Any]) -> None:
        operation = {"op": "replace", "value": merged(resource, wanted)}
        self._send("PATCH", resource, patch_body(operation))

    def _put(self, resource: Resource, wanted: Mapping[str, Any]) -> None:
        body = {name: value for name, value in resource.items() if name not in READ_ONLY}
        body |= merged(resource, wanted)
        if ENTERPRISE in body and isinstance(schemas := body.get("schemas"), list):
            body["schemas"] = [*schemas, *([] if ENTERPRISE in schemas else [ENTERPRISE])]
        version = version_of(resource) if self.can.etag else ""
        self._send("PUT", resource, body, version)
