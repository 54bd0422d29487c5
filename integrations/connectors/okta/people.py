"""Users of Okta as records of the directory. An account is no employment: it has no dates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.connectors.base import Feed
from integrations.connectors.okta.session import id_of
from integrations.connectors.okta.users import ASLEEP, KINDS, profile_of, status_of
from people.records import WorkerRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from integrations.connectors.okta.session import OktaSession


def fetch_users(session: OktaSession, *, source: str, progress: Callable[[str], None]) -> Feed:
    """Every user, the deprovisioned as well, or an exception."""
    records: dict[str, WorkerRecord] = {}
    requests = 0
    for query in KINDS:
        params = {"filter": query} if query else {}
        for page in session.pages("users", params=params, what="reading all users"):
            requests += 1
            records |= {id_of(user): _record(user, source=source) for user in page}
            progress(f"Reading users, {len(records)} so far")
    return Feed(records=tuple(records.values()), skipped=(), requests=requests)


def _record(user: Mapping[str, Any], *, source: str) -> WorkerRecord:
    profile = profile_of(user)
    full = " ".join(filter(None, (_text(profile, "firstName"), _text(profile, "lastName"))))
    email = (_text(profile, "email") or _text(profile, "login")).lower()
    return WorkerRecord(
        source=source,
        external_id=id_of(user),
        account=True,
        deactivated=status_of(user) in ASLEEP,
        work_email=email if "@" in email else "",
        full_name=full or _text(profile, "displayName"),
        preferred_name=_text(profile, "nickName"),
        job_title=_text(profile, "title"),
        team=_text(profile, "department"),
        timezone=_text(profile, "timezone"),
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""
