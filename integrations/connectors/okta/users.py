"""Users of an Okta organisation: found by address, created, followed, put to sleep and woken.

https://developer.okta.com/docs/api/openapi/okta-management/management/tag/User/ and
…/tag/UserLifecycle/: what a status allows. Each change is read back before it counts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import AccountProfile, RemoteAccount
from integrations.connectors.identity import Updated
from integrations.connectors.okta.session import Resource, id_of
from integrations.connectors.scim.matching import quoted, same
from integrations.errors import (
    IntegrationError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.okta.session import OktaSession

KINDS = ("", 'status eq "DEPROVISIONED"')
"""Okta leaves deprovisioned users out unless they are asked for."""
ASLEEP = frozenset({"SUSPENDED", "DEPROVISIONED"})
_WORDS = {
    "firstName": "name",
    "lastName": "name",
    "displayName": "name",
    "title": "job title",
    "department": "team",
    "email": "work email",
    "login": "user name",
}


def profile_of(user: Mapping[str, Any]) -> Mapping[str, Any]:
    """The user's profile, ``{}`` where it is none."""
    value = user.get("profile")
    return value if isinstance(value, dict) else {}


def status_of(user: Mapping[str, Any]) -> str:
    """The status, or the one it is on its way to."""
    status = user.get("transitioningToStatus") or user.get("status")
    return status if isinstance(status, str) else ""


def to_account(user: Mapping[str, Any]) -> RemoteAccount:
    """In our own words. Only what Okta calls suspended or deprovisioned is asleep."""
    profile = profile_of(user)
    login, email = profile.get("login"), profile.get("email")
    return RemoteAccount(
        external_id=id_of(user),
        username=login if isinstance(login, str) else "",
        active=status_of(user) not in ASLEEP,
        emails=(email,) if isinstance(email, str) else (),
    )


def is_of(user: Mapping[str, Any], work_email: str) -> bool:
    """Whether it is this person's: by login or by primary address."""
    profile = profile_of(user)
    return same(profile.get("login"), work_email) or same(profile.get("email"), work_email)


class Users:
    """Users of one organisation. ``deactivates``: leaving means deactivated, not suspended."""

    def __init__(self, session: OktaSession, *, deactivates: bool) -> None:
        self._session = session
        self._deactivates = deactivates

    def by_id(self, external_id: str) -> Resource | None:
        """The user with this very id; Okta would also take a login for one."""
        if not external_id:
            raise PermanentError("An id is needed to look up something by its id.")
        found = self._session.find("users", external_id, what="looking up the account")
        if found is not None and id_of(found) != external_id:
            raise PermanentError("Okta answered with another user than the one asked for.")
        return found

    def by_email(self, work_email: str) -> Resource | None:
        """The one user with this address. Raises ``PermanentError`` where several have it."""
        # By login also those that were deprovisioned are found.
        direct = self._session.find("users", work_email, what="looking up the account")
        if direct is not None and same(profile_of(direct).get("login"), work_email):
            return direct
        query = f"profile.email eq {quoted(work_email)}"
        found: dict[str, Resource] = {}
        for page in self._session.pages(
            "users", params={"filter": query}, what="looking up the account"
        ):
            # Whatever the filter let through: only who has the address counts.
            found |= {id_of(one): one for one in page if is_of(one, work_email)}
        by_login = [one for one in found.values() if same(profile_of(one).get("login"), work_email)]
        matches = by_login or list(found.values())
        if len(matches) > 1:
            raise PermanentError(
                f"{len(matches)} users in Okta have this work email. Leave it with one of them; "
                "until then nothing is changed."
            )
        return matches[0] if matches else None

    def everybody(self) -> tuple[RemoteAccount, ...]:
        """All users; Okta leaves the deprovisioned out unless they are asked for."""
        found: dict[str, RemoteAccount] = {}
        for query in KINDS:
            params = {"filter": query} if query else {}
            for page in self._session.pages("users", params=params, what="reading all users"):
                found |= {id_of(user): to_account(user) for user in page}
        return tuple(found.values())

    def create(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """See ``AccountAdmin.create_account``: found, woken or made, never a second one."""
        found = self.by_email(profile.work_email)
        if found is not None:
            return self._awake(found, idempotency_key=idempotency_key), False
        try:
            made = self._session.send(
                "POST",
                "users",
                params={"activate": "true"},
                body={"profile": _new_profile(profile)},
                what="creating the account",
                idempotency_key=idempotency_key,
            )
        except (UnauthorizedError, RateLimitedError):
            raise
        except IntegrationError as error:
            return self._after_failed_create(profile, error, idempotency_key=idempotency_key)
        if id_of(made) and is_of(made, profile.work_email):
            return to_account(made), True
        read_back = self.by_email(profile.work_email)
        if read_back is None:
            raise TransientError("The account was created but does not show yet.")
        return to_account(read_back), True

    def _after_failed_create(
        self, profile: AccountProfile, error: IntegrationError, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        """Look again: a duplicate is told as 400, and a lost answer as nothing."""
        found = self.by_email(profile.work_email)
        if found is not None:
            made_now = isinstance(error, UncertainError)
            return self._awake(found, idempotency_key=idempotency_key), made_now
        if isinstance(error, PermanentError):
            raise PermanentError(
                f"{error.message} The login {profile.username or profile.work_email} may be taken "
                "by a user with another address, or your Okta asks for more than a name, an "
                "address and a login.",
                request_id=error.request_id,
                status=error.status,
            ) from error
        raise TransientError(
            f"{error.message} The account does not exist yet; creating it is tried again.",
            request_id=error.request_id,
            status=error.status,
        ) from error

    def suspend(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        """See ``AccountAdmin.suspend_account``.

        Okta suspends active users only; who never activated or is locked out is deactivated.
        """
        found = self.by_id(external_id)
        if found is None:
            return RemoteAccount(external_id=external_id, username="", active=False)
        status = status_of(found)
        if status == "DEPROVISIONED" or (status == "SUSPENDED" and not self._deactivates):
            return to_account(found)
        gentle = status == "ACTIVE" and not self._deactivates
        verb = "suspend" if gentle else "deactivate"
        wanted = frozenset({"DEPROVISIONED"}) if self._deactivates else ASLEEP
        return self._move(found, verb, wanted=wanted, key=idempotency_key)

    def reactivate(self, external_id: str, *, idempotency_key: str) -> RemoteAccount | None:
        """See ``AccountReactivator.reactivate_account``."""
        found = self.by_id(external_id)
        return self._awake(found, idempotency_key=idempotency_key) if found is not None else None

    def _awake(self, user: Resource, *, idempotency_key: str) -> RemoteAccount:
        verb = {"SUSPENDED": "unsuspend", "DEPROVISIONED": "activate", "STAGED": "activate"}.get(
            status_of(user)
        )
        if verb is None:
            return to_account(user)
        awake = frozenset({"ACTIVE", "PROVISIONED", "PASSWORD_EXPIRED", "RECOVERY", "LOCKED_OUT"})
        return self._move(user, verb, wanted=awake, key=idempotency_key)

    def _move(
        self, user: Resource, verb: str, *, wanted: frozenset[str], key: str
    ) -> RemoteAccount:
        """One lifecycle operation, confirmed by reading the status after it."""
        external_id, refusal = id_of(user), None
        try:
            self._session.send(
                "POST",
                "users",
                external_id,
                "lifecycle",
                verb,
                params={"sendEmail": "true"} if verb == "activate" else None,
                what=f"asking to {verb} the account",
                idempotency_key=key,
            )
        except (TransientError, UncertainError, PermanentError) as error:
            refusal = error
        now = self.by_id(external_id)
        if now is None and "DEPROVISIONED" in wanted:
            return RemoteAccount(external_id=external_id, username="", active=False)
        if now is not None and status_of(now) in wanted:
            return to_account(now)
        if isinstance(refusal, PermanentError):
            raise refusal
        raise TransientError(
            f"Okta does not show the account as changed yet ({verb}); it is tried again."
        ) from refusal

    def update(
        self, external_id: str, profile: AccountProfile, *, idempotency_key: str
    ) -> Updated | None:
        """See ``AccountUpdater.update_account``. A partial update: what is not named stays."""
        now = self.by_id(external_id)
        if now is None:
            return None
        asked = _differences(now, profile)
        if not asked:
            return Updated(account=to_account(now))
        if "email" in asked:
            other = self.by_email(profile.work_email)
            if other is not None and id_of(other) != external_id:
                raise PermanentError(
                    "Another user in Okta has the new work email already. Nothing was changed; "
                    "see which of the two is right."
                )
        refusal: IntegrationError | None = None
        try:
            self._session.send(
                "POST",
                "users",
                external_id,
                body={"profile": asked},
                what="updating the account",
                idempotency_key=idempotency_key,
            )
        except (TransientError, UncertainError, PermanentError) as error:
            refusal = error
        now = self.by_id(external_id)
        if now is None:
            return None
        left = _differences(now, profile)
        if refusal is not None and left:
            raise refusal
        return Updated(
            account=to_account(now),
            changed=tuple(word for word in _words(asked) if word not in _words(left)),
            refused=_words(left),
        )

    def end_sessions(self, external_id: str, *, idempotency_key: str) -> None:
        """See ``SessionEnder.end_sessions``: sessions, and the tokens that outlive them.

        https://developer.okta.com/docs/api/openapi/okta-management/management/tag/UserSessions/
        """
        try:
            self._session.send(
                "DELETE",
                "users",
                external_id,
                "sessions",
                params={"oauthTokens": "true"},
                what="ending the account's sessions",
                idempotency_key=idempotency_key,
            )
        except PermanentError as error:
            # Gone, or so far deactivated that nothing of it is left to be ended.
            now = self.by_id(external_id)
            if now is None or (error.status == 404 and status_of(now) == "DEPROVISIONED"):
                return
            raise


def _words(paths: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_WORDS[path] for path in paths))


def _plain(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else ""


def _new_profile(profile: AccountProfile) -> dict[str, str]:
    """Okta wants a first and a last name; who has one name has it twice."""
    given = profile.given_name or profile.full_name
    values = {
        "login": profile.username or profile.work_email,
        "email": profile.work_email,
        "firstName": given,
        "lastName": profile.family_name or given,
        "displayName": profile.full_name,
        "title": profile.job_title,
        "department": profile.team,
        "employeeNumber": profile.external_id,
    }
    return {name: value for name, value in values.items() if value}


def _differences(user: Mapping[str, Any], profile: AccountProfile) -> dict[str, str]:
    """What the profile should say and does not; a name split in another way is no difference."""
    now = profile_of(user)
    joined = _plain(f"{_plain(now.get('firstName'))} {_plain(now.get('lastName'))}")
    wanted = _new_profile(profile)
    found: dict[str, str] = {}
    if profile.full_name and _plain(profile.full_name) != joined and profile.family_name:
        found = {name: wanted[name] for name in ("firstName", "lastName")}
        if _plain(now.get("displayName")) in {joined, ""}:
            found["displayName"] = wanted["displayName"]
    for name in ("title", "department"):
        if name in wanted:
            found[name] = wanted[name]
    if not is_of(user, profile.work_email):
        found["email"] = profile.work_email
        before = now.get("email")
        if isinstance(before, str) and same(now.get("login"), before):
            found["login"] = profile.work_email
    return {name: value for name, value in found.items() if _plain(now.get(name)) != _plain(value)}
