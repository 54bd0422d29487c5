"""No wrong person is ever touched, whatever the server answers."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.connectors.base import (
    CONNECTORS,
    AccountProfile,
    ConnectionSettings,
    HttpResponse,
)
from integrations.errors import IntegrationError, TransientError, UncertainError
from integrations.tests.connectors.awful_scim import BASE, AwfulScim
from integrations.tests.servers import Answer, Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = "https://idp.test"
ANA = "ana@acme.test"
# Whom a careless comparison takes for Ana.
ALIKE = (
    ANA,
    "ANA@Acme.test",
    " ana@acme.test",
    "ana@acme.test.evil",
    "xana@acme.test",
    "ana+it@acme.test",
    "ana@acme.tes",
    "ana",
    "bob@acme.test",
    "",
)


@dataclass
class Hostile:
    """A server that also lies about whom it was asked for."""

    scim: AwfulScim
    lookup: str
    """work | prefix (whoever begins alike) | wrong (anybody else) | swapped (ids mixed up)."""

    def __call__(self, asked: Asked) -> Answer:
        kind, _, number = asked.path.removeprefix(f"{BASE}/").partition("/")
        if kind == "Users" and asked.method == "GET":
            if "filter" in asked.query and self.lookup in {"prefix", "wrong"}:
                return self._lied(asked.query["filter"])
            if number and self.lookup == "swapped" and len(self.scim.users) > 1:
                others = [one for one in self.scim.users if one != number]
                return Answer(json=self.scim.users[others[0]])
        return self.scim(asked)

    def _lied(self, query: str) -> Answer:
        wanted = json.loads(query.partition(" eq ")[2]).lower()
        rows = [
            one
            for one in self.scim.users.values()
            if one["userName"].lower().startswith(wanted[:3]) is (self.lookup == "prefix")
        ]
        return Answer(json={"totalResults": len(rows), "Resources": rows})


@dataclass
class Direct:
    """A transport without a network: the same rules for what no answer means."""

    handle: Hostile

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object | None = None,
        **_: object,
    ) -> HttpResponse:
        body = _dumped(json)
        answer = self.handle(
            Asked(
                method=method,
                path=urlsplit(url).path,
                query=dict(params or {}),
                headers={name.lower(): value for name, value in (headers or {}).items()},
                body=body,
            )
        )
        if answer.drop:
            raise (TransientError if method == "GET" else UncertainError)("No answer.")
        content = b"" if answer.json is None else _dumped(answer.json)
        return HttpResponse(status=answer.status, headers={}, body=content, url=url)


def _dumped(value: object) -> bytes:
    return b"" if value is None else json.dumps(value).encode()


def _own(row: Mapping[str, Any]) -> bool:
    """Whether the account is Ana's, judged without the code under test."""
    name = str(row.get("userName", "")).strip().lower()
    listed = [one for one in row.get("emails", []) if isinstance(one, dict)]
    primary = [one for one in listed if one.get("primary") is True] or listed
    return name == ANA or any(str(one.get("value", "")).strip().lower() == ANA for one in primary)


def _spelt(row: Mapping[str, Any]) -> bool:
    """Whether the address stands there without stray space, so that a search can find it."""
    values = [row["userName"], *(one["value"] for one in row["emails"])]
    return any(value.lower() == ANA for value in values)


@st.composite
def _servers(draw: st.DrawFn) -> Hostile:
    scim = AwfulScim(
        filters=draw(st.sampled_from(["work", "ignored", "refused", "blind"])),
        patch=draw(
            st.sampled_from(["work", "refused", "crash", "no_content", "lies", "bare", "capital"])
        ),
        duplicate=draw(st.sampled_from([409, 400, 500])),
        lose_create=draw(st.booleans()),
        relative_location=draw(st.booleans()),
        etag=draw(st.booleans()),
        page_size=draw(st.sampled_from([1, 2, 1000])),
        totals=draw(st.booleans()),
    )
    for _ in range(draw(st.integers(0, 5))):
        emails = [
            {"value": draw(st.sampled_from(ALIKE)), "primary": draw(st.booleans())}
            for _ in range(draw(st.integers(0, 2)))
        ]
        scim.add_user(
            draw(st.sampled_from(ALIKE)), emails=emails, active=draw(st.sampled_from([True, False]))
        )
    return Hostile(scim, draw(st.sampled_from(["work", "prefix", "wrong", "swapped"])))


def _client(hostile: Hostile, vendor: str) -> Any:
    """Tested first, as every connection is before it is used."""
    connector = CONNECTORS.get("scim")
    assert connector is not None
    found: dict[str, Any] = {}
    for _ in range(2):
        client: Any = connector.client(
            ConnectionSettings(
                key="idp",
                config={"base_url": HOST + BASE, "vendor": vendor},
                secrets={"bearer_token": "good"},
                capabilities=found,
            ),
            Direct(hostile),  # type: ignore[arg-type]
        )
        found = client.test().capabilities
    return client


PROFILE = AccountProfile(
    work_email=ANA,
    username=ANA,
    full_name="Ana Vidal",
    given_name="Ana",
    family_name="Vidal",
    job_title="Lead",
)


@given(
    hostile=_servers(),
    verb=st.sampled_from(["suspend", "wake", "update", "create", "group"]),
    vendor=st.sampled_from(["generic", "entra", "aws", "jumpcloud"]),
)
@settings(max_examples=300, deadline=None)
def test_only_the_very_person_is_ever_changed(hostile: Hostile, verb: str, vendor: str) -> None:
    scim = hostile.scim
    number = scim.add_user("bob.lead@acme.test")
    client = _client(hostile, vendor)
    group = scim.add_group("Staff", number)
    before = copy.deepcopy(scim.users)
    try:
        found = client.find_account(work_email=ANA)
        if verb == "create":
            found, _ = client.create_account(PROFILE, idempotency_key="k")
        elif found is not None:
            act = {
                "suspend": client.suspend_account,
                "wake": client.reactivate_account,
                "update": lambda pk, **more: client.update_account(pk, PROFILE, **more),
                "group": lambda pk, **more: client.add_to_group(pk, "Staff", **more),
            }[verb]
            act(found.external_id, idempotency_key="k")
    except IntegrationError:
        found = None
    if found is not None:
        assert _own(scim.users[found.external_id])
    for pk, row in before.items():
        if not _own(row):
            assert scim.users[pk] == row
    mine = {pk for pk, row in scim.users.items() if _own(row)}
    assert scim.members(group) - mine == {number}
    had = [row for row in before.values() if _own(row)]
    if any(_spelt(row) for row in had):
        # Somebody who has an account never gets a second one.
        assert len(mine) == len(had)
