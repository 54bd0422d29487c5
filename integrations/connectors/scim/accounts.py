"""Accounts over SCIM: find, create or adopt, suspend; each read back before it counts as done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import AccountProfile, RemoteAccount
from integrations.connectors.scim.discovery import ENTERPRISE, USER
from integrations.connectors.scim.matching import (
    READ_ONLY,
    Resource,
    id_of,
    is_active,
    patch_body,
    pick_user,
    quoted,
    to_account,
)
from integrations.connectors.scim.profiles import GENERIC
from integrations.connectors.scim.session import NOT_UNDERSTOOD, version_of
from integrations.connectors.scim.updating import Updating
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

    from integrations.connectors.identity import Updated
    from integrations.connectors.scim.profiles import VendorProfile
    from integrations.connectors.scim.session import Capabilities, ScimSession


class Accounts:
    """Users of one SCIM server, with the quirks that its ``profile`` names."""

    def __init__(
        self,
        session: ScimSession,
        capabilities: Capabilities,
        *,
        profile: VendorProfile = GENERIC,
    ) -> None:
        self._session = session
        self._can = capabilities
        self._vendor = profile

    def by_id(self, external_id: str) -> Resource | None:
        """The user with this id; ``None`` when there is none (any more)."""
        return self._session.by_id("Users", external_id, filters=self._can.filter)

    def by_email(self, work_email: str, *, thorough: bool = False) -> Resource | None:
        """The user with this work e-mail. ``thorough`` looks at everybody before saying nobody."""

        def pick(listed: list[Resource]) -> Resource | None:
            return pick_user(listed, work_email=work_email)

        value = quoted(work_email)
        return self._session.search(
            "Users",
            queries=tuple(f"{attribute} eq {value}" for attribute in self._vendor.address_filters),
            pick=pick,
            filters=self._can.filter,
            what="looking up the account",
            thorough=thorough,
        )

    def create(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """See ``AccountAdmin.create_account``. A found account that sleeps is woken."""
        # A filter that minds no addresses cannot say that nobody has this one.
        blind = not any("email" in name for name in self._vendor.address_filters)
        found = self.by_email(profile.work_email, thorough=blind)
        if found is not None:
            return self._awake(found, idempotency_key=idempotency_key), False
        try:
            made = self._session.send(
                "POST",
                self._session.address("Users"),
                body=_new_user(profile, self._can),
                what="creating the account",
                idempotency_key=idempotency_key,
            )
        except (UnauthorizedError, RateLimitedError):
            raise
        except IntegrationError as error:
            return self._after_failed_create(profile, error, idempotency_key=idempotency_key)
        if id_of(made) and pick_user([made], work_email=profile.work_email):
            return to_account(made), True
        read_back = self.by_email(profile.work_email)
        if read_back is None:
            raise TransientError("The account was created but does not show yet.")
        return to_account(read_back), True

    def _after_failed_create(
        self, profile: AccountProfile, error: IntegrationError, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """Look again: a duplicate is told as 409, 400 or 500, and a lost answer as nothing."""
        refused = isinstance(error, PermanentError)
        # Refused as a duplicate, which some tell as 500, the server knows better than its filter.
        found = self.by_email(profile.work_email, thorough=refused or error.status == 500)
        if found is not None:
            made_now = isinstance(error, UncertainError)
            return self._awake(found, idempotency_key=idempotency_key), made_now
        if error.status == 409:
            raise PermanentError(
                f"The user name {profile.username} is taken by an account with another e-mail. "
                "Choose another user name for this person.",
                status=409,
            ) from error
        if refused:
            raise error
        # Finding comes first in every attempt, so creating is safe to repeat.
        raise TransientError(
            f"{error.message} The account does not exist yet; creating it is tried again.",
            request_id=error.request_id,
            status=error.status,
        ) from error

    def _awake(self, resource: Resource, *, idempotency_key: str) -> RemoteAccount:
        if is_active(resource):
            return to_account(resource)
        return self._set_active(resource, active=True, idempotency_key=idempotency_key)

    def suspend(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        """See ``AccountAdmin.suspend_account``. An account that is gone is as good as inactive."""
        found = self.by_id(external_id)
        if found is None:
            return RemoteAccount(external_id=external_id, username="", active=False)
        if not is_active(found):
            return to_account(found)
        return self._set_active(found, active=False, idempotency_key=idempotency_key)

    def reactivate(self, external_id: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See ``AccountReactivator.reactivate_account``."""
        found = self.by_id(external_id)
        return self._awake(found, idempotency_key=idempotency_key) if found is not None else None

    def update(
        self, external_id: str, profile: AccountProfile, *, idempotency_key: str
    ) -> Updated | None:
        """See ``AccountUpdater.update_account``."""
        updating = Updating(
            session=self._session,
            accounts=self,
            can=self._can,
            replaces=self._vendor.replaces,
            key=idempotency_key,
        )
        return updating.update(external_id, profile)

    def _set_active(
        self, resource: Resource, *, active: bool, idempotency_key: str
    ) -> RemoteAccount:
        """Try each way a server may understand until reading back shows the wanted value."""
        external_id = id_of(resource)
        word = "reactivating" if active else "deactivating"
        refusal: IntegrationError | None = None
        for attempt in self._ways(resource, active=active, word=word, key=idempotency_key):
            try:
                attempt()
            except PermanentError as error:
                if error.status not in NOT_UNDERSTOOD | {409, 412}:
                    raise
                refusal = error
            except (TransientError, UncertainError) as error:
                refusal = error
            now = self.by_id(external_id)
            if now is None and not active:
                return RemoteAccount(external_id=external_id, username="", active=False)
            if now is not None and is_active(now) is active:
                return to_account(now)
            if refusal is not None and _is_down(refusal):
                break
        if isinstance(refusal, PermanentError):
            raise refusal
        raise TransientError(
            f"The account is still {'inactive' if active else 'active'} after {word} it; "
            "it is tried again."
        ) from refusal

    def _ways(
        self, resource: Resource, *, active: bool, word: str, key: str
    ) -> list[Callable[[], object]]:
        address = self._session.location(resource, kind="Users")
        what = f"{word} the account"

        def patch(operation: dict[str, Any]) -> Callable[[], object]:
            return lambda: self._session.send(
                "PATCH", address, body=patch_body(operation), what=what, idempotency_key=key
            )

        def put() -> object:
            now = self.by_id(id_of(resource))
            if now is None:
                return None
            body = {name: value for name, value in now.items() if name not in READ_ONLY}
            return self._session.send(
                "PUT",
                address,
                body={**body, "active": active},
                what=what,
                idempotency_key=key,
                version=version_of(now) if self._can.etag else "",
            )

        patches = [
            patch({"op": "replace", "path": "active", "value": active}),
            patch({"op": "replace", "value": {"active": active}}),
            # Some servers were written after one vendor's examples: capital verb, value as text.
            patch({"op": "Replace", "path": "active", "value": str(active)}),
        ]
        ways = [
            *(patches if self._can.patch else []),
            *([put, put] if self._vendor.replaces else []),
        ]
        if active or not self._vendor.deactivates_by_delete:
            return ways

        def delete() -> object:
            return self._session.send("DELETE", address, what=what, idempotency_key=key)

        # Documented to deactivate and to keep the account: the vendor's own way comes first.
        return [delete, *ways]


def _is_down(error: IntegrationError) -> bool:
    """Whether asking in another way is pointless for now; a mere 500 may be about the way."""
    unanswered = isinstance(error, TransientError | UncertainError) and error.status is None
    return unanswered or error.status in {408, 425, 502, 503, 504}


def _new_user(profile: AccountProfile, can: Capabilities) -> Resource:
    body: Resource = {
        "schemas": [USER],
        "userName": profile.username or profile.work_email,
        "displayName": profile.full_name,
        "name": {
            "formatted": profile.full_name,
            "givenName": profile.given_name,
            "familyName": profile.family_name,
        },
        "emails": [{"value": profile.work_email, "type": "work", "primary": True}],
        "active": True,
    }
    body["name"] = {name: value for name, value in body["name"].items() if value}
    if profile.job_title:
        body["title"] = profile.job_title
    if profile.external_id:
        body["externalId"] = profile.external_id
    # Only where the server said that it has the extension: some refuse what they do not know.
    if profile.team and "enterprise.department" in can.attributes:
        body["schemas"].append(ENTERPRISE)
        body[ENTERPRISE] = {"department": profile.team}
    return body
