"""Users of an identity provider as records of the directory: only what such a user has.

An account is no employment: it has no dates, no contract and no worker type, so nobody starts or
leaves by it. https://www.rfc-editor.org/rfc/rfc7643#section-4
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from integrations.connectors.base import Feed
from integrations.connectors.scim.discovery import ENTERPRISE
from integrations.connectors.scim.matching import id_of, is_active, items
from integrations.errors import IncompleteError
from people.records import SkippedRecord, WorkerRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from integrations.connectors.scim.matching import Resource
    from integrations.connectors.scim.session import ScimSession

_LANGUAGE = re.compile(r"[a-zA-Z]{2,3}([-_][a-zA-Z0-9]{2,4})?")
_LONGEST_ID = 128
_ROUNDS = 3


def fetch_users(session: ScimSession, *, source: str, progress: Callable[[str], None]) -> Feed:
    """Every user of the server, or an exception.

    A list that moved while it was read is read again; one that keeps not adding up raises
    ``IncompleteError``, so that nobody is taken for gone because a page was short.
    """
    for _ in range(_ROUNDS - 1):
        try:
            return _read_round(session, source=source, progress=progress)
        except IncompleteError:
            progress("The list changed while it was read; reading it again")
    return _read_round(session, source=source, progress=progress)


def _read_round(session: ScimSession, *, source: str, progress: Callable[[str], None]) -> Feed:
    records: list[WorkerRecord] = []
    skipped: list[SkippedRecord] = []
    requests = 0
    for page in session.pages("Users", what="reading all users"):
        requests += 1
        for user in page:
            record = user_record(user, source=source)
            if len(record.external_id) > _LONGEST_ID:
                skipped.append(_too_long(record))
            else:
                records.append(record)
        progress(f"Reading users, {len(records)} so far")
    return Feed(records=tuple(records), skipped=tuple(skipped), requests=requests)


def _too_long(record: WorkerRecord) -> SkippedRecord:
    return SkippedRecord(
        external_id=record.external_id[:_LONGEST_ID],
        name=record.full_name,
        reason=f"The id is longer than {_LONGEST_ID} characters.",
    )


def user_record(user: Mapping[str, Any], *, source: str) -> WorkerRecord:
    """One user in the directory's own words. What is missing or malformed stays blank."""
    extension = user.get(ENTERPRISE)
    more: Mapping[str, Any] = extension if isinstance(extension, dict) else {}
    manager_id, manager_name = _manager(more.get("manager"))
    return WorkerRecord(
        source=source,
        external_id=id_of(user),
        account=True,
        deactivated=not is_active(user),
        work_email=_work_email(user),
        full_name=_full_name(user),
        preferred_name=_text(user, "nickName"),
        job_title=_text(user, "title"),
        team=_text(more, "department"),
        timezone=_text(user, "timezone"),
        language=_language(user),
        manager_external_id=manager_id,
        manager_name=manager_name,
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _full_name(user: Mapping[str, Any]) -> str:
    name = user.get("name")
    parts: Mapping[str, Any] = name if isinstance(name, dict) else {}
    joined = " ".join(filter(None, (_text(parts, "givenName"), _text(parts, "familyName"))))
    return joined or _text(parts, "formatted") or _text(user, "displayName")


def _work_email(user: Mapping[str, Any]) -> str:
    """The user name where it is an address, as providers mean it; else the primary or work one."""
    name = _text(user, "userName").lower()
    if "@" in name:
        return name
    return next(iter(_addresses(items(user, "emails"))), "")


def _addresses(entries: Iterable[Resource]) -> list[str]:
    ordered = sorted(
        entries,
        key=lambda entry: (entry.get("primary") is not True, entry.get("type") != "work"),
    )
    texts = (_text(entry, "value").lower() for entry in ordered)
    return [text for text in texts if "@" in text]


def _language(user: Mapping[str, Any]) -> str:
    """``fr`` or ``pt-BR``, from the preferred language (of several the first), else the locale."""
    for name in ("preferredLanguage", "locale"):
        found = _LANGUAGE.match(_text(user, name))
        if found is not None:
            language, _, region = found[0].replace("_", "-").partition("-")
            return f"{language.lower()}-{region.upper()}" if region else language.lower()
    return ""


def _manager(value: Any) -> tuple[str, str]:
    """The manager's id at this provider and name; servers also send the id as a bare text."""
    if isinstance(value, str):
        return value.strip(), ""
    if not isinstance(value, dict):
        return "", ""
    found = id_of({"id": value.get("value")})
    if not found:
        found = _text(value, "$ref").rstrip("/").rpartition("/")[2]
    return found, _text(value, "displayName")
