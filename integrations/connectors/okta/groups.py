"""Groups and applications of an Okta organisation, by the name that people know.

A group named ``app: GitHub`` stands for the Okta application with that label: its members are
those to whom it is assigned one by one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.okta.session import NotOktaError, Resource, id_of
from integrations.connectors.scim.matching import quoted, same
from integrations.errors import PermanentError, TransientError, UncertainError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.okta.session import OktaSession

APPLICATION = "app:"
_BY_HAND = "OKTA_GROUP"


def _name_of(group: Mapping[str, Any]) -> str:
    profile = group.get("profile")
    name = profile.get("name") if isinstance(profile, dict) else None
    return name if isinstance(name, str) else ""


def _label_of(app: Mapping[str, Any]) -> str:
    label = app.get("label")
    return label if isinstance(label, str) else ""


class Groups:
    """Membership, each change confirmed by reading back."""

    def __init__(self, session: OktaSession) -> None:
        self._session = session

    def add(self, external_id: str, name: str, *, idempotency_key: str) -> None:
        """See ``AccountAdmin.add_to_group``. A missing group is created, a missing app is not."""
        if name.lower().startswith(APPLICATION):
            self._assign(external_id, self._app(name), idempotency_key=idempotency_key)
            return
        group = self._by_name(name) or self._create(name, idempotency_key=idempotency_key)
        self._change(group, external_id, member=True, idempotency_key=idempotency_key)

    def remove(self, external_id: str, name: str, *, idempotency_key: str) -> None:
        """See ``AccountAdmin.remove_from_group``. What does not exist has no members."""
        if name.lower().startswith(APPLICATION):
            if (app := self._find_app(name)) is not None:
                self._unassign(external_id, app, idempotency_key=idempotency_key)
            return
        group = self._by_name(name)
        if group is not None:
            self._change(group, external_id, member=False, idempotency_key=idempotency_key)

    def of(self, external_id: str) -> tuple[str, ...]:
        """See ``AccountAdmin.groups_of``: groups, and applications with their prefix."""
        names = {_name_of(one) for one in self._groups_of(external_id)}
        query = f"user.id eq {quoted(external_id)}"
        # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/Application/
        for page in self._session.pages(
            "apps", params={"filter": query}, what="reading the applications of the account"
        ):
            for app in page:
                if self._assignment(app, external_id) is not None:
                    names.add(f"{APPLICATION} {_label_of(app)}")
        return tuple(sorted(name for name in names if name))

    def members(self, name: str) -> tuple[str, ...] | None:
        """See ``AccessReporter.members_of``; ``None`` where there is no such group."""
        is_app = name.lower().startswith(APPLICATION)
        found = self._find_app(name) if is_app else self._by_name(name)
        if found is None:
            return None
        kind = "apps" if is_app else "groups"
        pages = self._session.pages(kind, id_of(found), "users", what="reading who has it")
        return tuple(dict.fromkeys(id_of(one) for page in pages for one in page))

    def _groups_of(self, external_id: str) -> list[Resource]:
        what = "reading the groups of the account"
        try:
            return [
                one
                for page in self._session.pages("users", external_id, "groups", what=what)
                for one in page
            ]
        except PermanentError as error:
            if error.status == 404:
                return []
            raise

    def _by_name(self, name: str) -> Resource | None:
        """Okta finds by the beginning of a name; only the very name counts."""
        found = [
            one
            for page in self._session.pages(
                "groups", params={"q": name}, what="looking up the group"
            )
            for one in page
            if same(_name_of(one), name)
        ]
        ours = [one for one in found if one.get("type") == _BY_HAND] or found
        if len(ours) > 1:
            ours = [one for one in ours if _name_of(one) == name] or ours
        if len(ours) > 1:
            raise PermanentError(f"{len(ours)} groups are called “{name}”. Rename all but one.")
        return ours[0] if ours else None

    def _create(self, name: str, *, idempotency_key: str) -> Resource:
        refusal: Exception | None = None
        try:
            made = self._session.send(
                "POST",
                "groups",
                body={"profile": {"name": name}},
                what="creating the group",
                idempotency_key=idempotency_key,
            )
            if id_of(made) and same(_name_of(made), name):
                return made
        except (PermanentError, TransientError, UncertainError) as error:
            refusal = error
        found = self._by_name(name)
        if found is None:
            if isinstance(refusal, PermanentError):
                raise refusal
            raise TransientError(
                f"The group “{name}” does not show yet; it is tried again."
            ) from refusal
        return found

    def _belongs(self, group: Resource, external_id: str) -> bool:
        return any(id_of(one) == id_of(group) for one in self._groups_of(external_id))

    def _change(
        self, group: Resource, external_id: str, *, member: bool, idempotency_key: str
    ) -> None:
        if self._belongs(group, external_id) is member:
            return
        if group.get("type") not in {None, _BY_HAND}:
            raise PermanentError(
                f"Okta fills the group “{_name_of(group)}” by itself or from an application; its "
                "members cannot be changed from outside. Name a group of Okta's own."
            )
        refusal: Exception | None = None
        try:
            self._session.send(
                "PUT" if member else "DELETE",
                "groups",
                id_of(group),
                "users",
                external_id,
                what="changing the members of the group",
                idempotency_key=idempotency_key,
            )
        except (TransientError, UncertainError) as error:
            refusal = error
        if self._belongs(group, external_id) is not member:
            raise TransientError(
                "The group does not show the change of its members yet; it is tried again."
            ) from refusal

    def _find_app(self, name: str) -> Resource | None:
        label = name[len(APPLICATION) :].strip()
        found = [
            one
            for page in self._session.pages(
                "apps", params={"q": label}, what="looking up the application"
            )
            for one in page
            if same(_label_of(one), label)
        ]
        if len(found) > 1:
            raise PermanentError(f"{len(found)} applications are called “{label}” in Okta.")
        return found[0] if found else None

    def _app(self, name: str) -> Resource:
        found = self._find_app(name)
        if found is None:
            label = name[len(APPLICATION) :].strip()
            raise PermanentError(f"Okta has no application “{label}”. Add it there, then retry.")
        return found

    def _assignment(self, app: Resource, external_id: str) -> Resource | None:
        """How the application is assigned to the account; ``None`` where it is not."""
        what = "reading who has the application"
        try:
            found = self._session.find("apps", id_of(app), "users", external_id, what=what)
        except NotOktaError:
            # Nothing may count as taken away that nobody has denied: the whole list tells.
            pages = self._session.pages("apps", id_of(app), "users", what=what)
            return next((row for page in pages for row in page if id_of(row) == external_id), None)
        return found if found is not None and id_of(found) == external_id else None

    def _assign(self, external_id: str, app: Resource, *, idempotency_key: str) -> None:
        if self._assignment(app, external_id) is not None:
            return
        refusal: Exception | None = None
        try:
            # https://developer.okta.com/docs/api/openapi/okta-management/management/tag/ApplicationUsers/
            self._session.send(
                "POST",
                "apps",
                id_of(app),
                "users",
                body={"id": external_id, "scope": "USER"},
                what="assigning the application",
                idempotency_key=idempotency_key,
            )
        except (TransientError, UncertainError) as error:
            refusal = error
        if self._assignment(app, external_id) is None:
            raise TransientError(
                f"Okta does not show {_label_of(app)} as assigned yet; it is tried again."
            ) from refusal

    def _unassign(self, external_id: str, app: Resource, *, idempotency_key: str) -> None:
        found = self._assignment(app, external_id)
        if found is None:
            return
        if found.get("scope") == "GROUP":
            raise PermanentError(
                f"{_label_of(app)} comes with a group in Okta. Take the group away, or give and "
                "take the application by that group here."
            )
        refusal: Exception | None = None
        try:
            self._session.send(
                "DELETE",
                "apps",
                id_of(app),
                "users",
                external_id,
                what="taking the application away",
                idempotency_key=idempotency_key,
            )
        except (TransientError, UncertainError) as error:
            refusal = error
        if self._assignment(app, external_id) is not None:
            raise TransientError(
                f"Okta still shows {_label_of(app)} as assigned; it is tried again."
            ) from refusal
