"""Membership of groups over SCIM, confirmed by reading back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.scim.matching import (
    Resource,
    id_of,
    items,
    patch_body,
    pick_group,
    quoted,
    same,
)
from integrations.connectors.scim.profiles import GENERIC
from integrations.connectors.scim.session import NOT_UNDERSTOOD, version_of
from integrations.errors import (
    IntegrationError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from integrations.connectors.scim.accounts import Accounts
    from integrations.connectors.scim.profiles import VendorProfile
    from integrations.connectors.scim.session import Capabilities, ScimSession

_GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
_READ_ONLY = frozenset({"meta"})


def _is_member(group: Resource, external_id: str) -> bool:
    return any(same(member.get("value"), external_id) for member in items(group, "members"))


class Groups:
    """Groups of one SCIM server."""

    def __init__(
        self,
        session: ScimSession,
        capabilities: Capabilities,
        accounts: Accounts,
        *,
        profile: VendorProfile = GENERIC,
    ) -> None:
        self._session = session
        self._can = capabilities
        self._accounts = accounts
        self._vendor = profile

    def _by_name(self, name: str) -> Resource | None:
        listed = self._session.search(
            "Groups",
            queries=(f"displayName eq {quoted(name)}",),
            pick=lambda some: pick_group(some, name=name),
            filters=self._can.filter,
            what="looking up the group",
        )
        # Lists may leave the members out; the resource itself shows them.
        return self._by_id(id_of(listed)) if listed is not None else None

    def _by_id(self, group_id: str) -> Resource | None:
        return self._session.by_id("Groups", group_id, filters=self._can.filter)

    def add(self, external_id: str, name: str, *, idempotency_key: str) -> None:
        """See ``AccountAdmin.add_to_group``. A group that does not exist is created.

        Without that, somebody's first day would fail on a group nobody thought of. Where the
        server lets groups be made by hand only, the error says so.
        """
        if self._accounts.by_id(external_id) is None:
            raise PermanentError(
                "The account does not exist at the identity provider any more. Create it first."
            )
        group = self._by_name(name) or self._create(name, idempotency_key=idempotency_key)
        self._change(group, external_id, member=True, idempotency_key=idempotency_key)

    def remove(self, external_id: str, name: str, *, idempotency_key: str) -> None:
        """See ``AccountAdmin.remove_from_group``. A group that does not exist has no members."""
        group = self._by_name(name)
        if group is not None:
            self._change(group, external_id, member=False, idempotency_key=idempotency_key)

    def _create(self, name: str, *, idempotency_key: str) -> Resource:
        refusal: IntegrationError | None = None
        try:
            self._session.send(
                "POST",
                self._session.address("Groups"),
                body={"schemas": [_GROUP], "displayName": name},
                what="creating the group",
                idempotency_key=idempotency_key,
            )
        except RateLimitedError:
            raise
        except UnauthorizedError as error:
            if error.status != 403:
                raise
            refusal = error
        except IntegrationError as error:
            refusal = error
        found = self._by_name(name)
        if found is not None:
            return found
        if refusal is None or isinstance(refusal, TransientError | UncertainError):
            raise TransientError(f"The group “{name}” does not show yet; it is tried again.")
        raise PermanentError(
            f"There is no group “{name}” at the identity provider, and it does not let us create "
            "one. Create it there, then retry.",
            status=refusal.status,
        ) from refusal

    def _change(
        self, group: Resource, external_id: str, *, member: bool, idempotency_key: str
    ) -> None:
        if self._belongs(group, external_id) is member:
            return
        refusal: IntegrationError | None = None
        for attempt in self._ways(group, external_id, member=member, key=idempotency_key):
            try:
                attempt()
            except PermanentError as error:
                if error.status not in NOT_UNDERSTOOD | {409, 412}:
                    raise
                refusal = error
            except (TransientError, UncertainError) as error:
                refusal = error
            now = self._by_id(id_of(group))
            if (now is not None and self._belongs(now, external_id)) is member:
                return
        if isinstance(refusal, PermanentError):
            raise refusal
        raise TransientError(
            "The group does not show the change of its members yet; it is tried again."
        ) from refusal

    def _belongs(self, group: Resource, external_id: str) -> bool:
        """Whether the account is a direct member, by either side's word.

        Some servers never list members on the group; the account's own list then tells.
        """
        if "members" in group:
            return _is_member(group, external_id)
        user = self._accounts.by_id(external_id)
        return user is not None and any(
            same(entry.get("value"), id_of(group)) and not same(entry.get("type"), "indirect")
            for entry in items(user, "groups")
        )

    def _ways(
        self, group: Resource, external_id: str, *, member: bool, key: str
    ) -> list[Callable[[], object]]:
        address = self._session.location(group, kind="Groups")
        what = "changing the members of the group"
        # Removing is asked for with a filter on the one value and in no other way: {"op": "remove",
        # "path": "members", "value": […]} empties the group where the value is overlooked.
        by_value = {"path": "members", "value": [{"value": external_id}]}
        operation: dict[str, Any] = (
            {"op": "add", **by_value}
            if member
            else {"op": "remove", "path": f"members[value eq {quoted(external_id)}]"}
        )
        if not member and self._vendor.removes_members_by_value:
            operation = {"op": "remove", **by_value}

        def patch() -> object:
            return self._session.send(
                "PATCH", address, body=patch_body(operation), what=what, idempotency_key=key
            )

        def put() -> object:
            now = self._whole(group)
            others = [
                one for one in items(now, "members") if not same(one.get("value"), external_id)
            ]
            body = {field: value for field, value in now.items() if field not in _READ_ONLY}
            body["members"] = [*others, {"value": external_id}] if member else others
            version = version_of(now) if self._can.etag else ""
            return self._session.send(
                "PUT", address, body=body, what=what, idempotency_key=key, version=version
            )

        patches = [patch] if self._can.patch else []
        return [*patches, *([put, put] if self._vendor.replaces else [])]

    def _whole(self, group: Resource) -> Resource:
        """The group with all its members, to be replaced as a whole without losing anybody."""
        now = self._by_id(id_of(group))
        if now is None:
            raise PermanentError("The group was deleted meanwhile.", status=404)
        if "members" not in now:
            # Absent may mean empty or hidden. Asked for by name, hidden ones must show.
            asked = self._session.get(
                self._session.location(now, kind="Groups"),
                params={"attributes": "members"},
                what="reading the members of the group",
            )
            now["members"] = items(asked, "members")
        return now

    def members(self, name: str) -> tuple[str, ...] | None:
        """Ids of the group's direct members; ``None`` when no group has this name."""
        listed = self._session.search(
            "Groups",
            queries=(f"displayName eq {quoted(name)}",),
            pick=lambda some: pick_group(some, name=name),
            filters=self._can.filter,
            what="looking up the group",
            thorough=True,
        )
        if listed is None:
            return None
        group = self._whole(listed)
        found = (str(one.get("value") or "") for one in items(group, "members"))
        return tuple(dict.fromkeys(value for value in found if value))

    def of(self, external_id: str) -> tuple[str, ...]:
        """See ``AccountAdmin.groups_of``: what the account lists and what lists the account."""
        user = self._accounts.by_id(external_id)
        if user is None:
            return ()
        names: dict[str, str] = {}
        for entry in items(user, "groups"):
            if not same(entry.get("type"), "indirect"):
                names[str(entry.get("value") or entry.get("display"))] = str(
                    entry.get("display") or ""
                )
        for group in self._groups_listing(external_id):
            names[id_of(group)] = str(group.get("displayName") or "")
        for group_id in [group_id for group_id, name in names.items() if not name]:
            found = self._by_id(group_id)
            names[group_id] = str(found.get("displayName") or "") if found else ""
        return tuple(sorted({name for name in names.values() if name}))

    def _groups_listing(self, external_id: str) -> list[Resource]:
        """Groups whose own members include the account, whatever the filter let through."""
        what = "reading the groups of the account"
        query = f"members.value eq {quoted(external_id)}" if self._can.filter else ""
        try:
            listed = [
                one
                for page in self._session.pages("Groups", query=query, what=what)
                for one in page
            ]
        except PermanentError as error:
            if not query or error.status not in NOT_UNDERSTOOD:
                raise
            listed = [one for page in self._session.pages("Groups", what=what) for one in page]
        found: list[Resource] = []
        for group in listed:
            whole = group if "members" in group else self._by_id(id_of(group))
            if whole is not None and _is_member(whole, external_id):
                found.append(whole)
        return found
