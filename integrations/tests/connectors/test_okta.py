"""Okta by its own API: the right user or nobody, each change read back, its errors understood."""

from __future__ import annotations

import contextlib
import copy
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.connectors.base import (
    CONNECTORS,
    AccountAdmin,
    AccountProfile,
    ConnectionSettings,
    PeopleSource,
)
from integrations.connectors.identity import (
    AccountReactivator,
    AccountUpdater,
    SessionEnder,
    TellsAbilities,
)
from integrations.errors import (
    IncompleteError,
    IntegrationError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
)
from integrations.tests.connectors.fake_okta import TOKEN, FakeOkta, refused
from integrations.tests.servers import Answer, Served, serving, transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

ANA = AccountProfile(
    work_email="ana@acme.test",
    username="ana@acme.test",
    full_name="Ana Vidal",
    given_name="Ana",
    family_name="Vidal",
    job_title="Lead",
    team="Platform",
    external_id="e-1",
)
KEY = "run-1-step"


@contextlib.contextmanager
def _client(okta: Any, *, token: str = TOKEN, **config: str) -> Iterator[tuple[Any, Served]]:
    connector = CONNECTORS.get("okta")
    assert connector is not None
    with serving(okta) as server:
        if isinstance(okta, FakeOkta):
            okta.url = server.url
        settings_ = ConnectionSettings(
            key="okta",
            config={"base_url": server.url, **config},
            secrets={"api_token": token},
        )
        yield connector.client(settings_, transport_to_loopback()), server


def _org(**more: Any) -> FakeOkta:
    okta = FakeOkta(**more)
    for number in range(3):
        okta.add_user(f"person{number}@acme.test")
    return okta


def test_client_offers_what_actions_ask_for() -> None:
    with _client(_org()) as (client, _):
        for capability in (
            AccountAdmin,
            AccountReactivator,
            AccountUpdater,
            SessionEnder,
            TellsAbilities,
        ):
            assert isinstance(client, capability)
        assert not isinstance(client, PeopleSource)
        found = client.test()
    assert found.capabilities == {"users": True, "groups": True, "apps": True}
    assert found.account["signed_in_as"] == "person0@acme.test"
    assert all(one.can for one in client.abilities(found.capabilities))
    limited = client.abilities({"users": True, "groups": False, "apps": False})
    assert [one.can for one in limited].count(False) == 2


@pytest.mark.parametrize("filters", ["work", "ignored", "prefix"])
@pytest.mark.parametrize("page_size", [2, 200])
def test_find_gives_the_very_person_or_nobody(filters: str, page_size: int) -> None:
    okta = _org(filters=filters, page_size=page_size)
    by_login = okta.add_user("Ana@Acme.test")
    by_email = okta.add_user("blopez", email="bea@acme.test")
    with _client(okta) as (client, _):
        assert client.find_account(work_email="ana@acme.test").external_id == by_login
        assert client.find_account(work_email="BEA@acme.test").external_id == by_email
        assert client.find_account(work_email="nobody@acme.test") is None
        assert client.find_account(work_email="", external_id=by_email).username == "blopez"


def test_two_users_with_one_address_are_refused() -> None:
    okta = _org()
    okta.add_user("ana1", email="ana@acme.test")
    okta.add_user("ana2", email="ana@acme.test")
    with _client(okta) as (client, _), pytest.raises(PermanentError, match="2 users"):
        client.find_account(work_email="ana@acme.test")


def test_create_invites_once_and_adopts_then() -> None:
    okta = _org()
    with _client(okta) as (client, server):
        made, created = client.create_account(ANA, idempotency_key=KEY)
        again, created_again = client.create_account(ANA, idempotency_key=KEY)
        assert len(server.calls("POST")) == 1
        assert server.calls("POST")[0].query == {"activate": "true"}
    assert (created, created_again, made.active) == (True, False, True)
    assert made.external_id == again.external_id
    profile = okta.users[made.external_id]["profile"]
    assert (profile["firstName"], profile["lastName"], profile["department"]) == (
        "Ana",
        "Vidal",
        "Platform",
    )
    assert profile["employeeNumber"] == "e-1"


def test_who_has_one_name_can_be_created() -> None:
    okta = _org()
    one = replace(ANA, full_name="Ana", given_name="Ana", family_name="")
    with _client(okta) as (client, _):
        made, _created = client.create_account(one, idempotency_key=KEY)
    assert okta.users[made.external_id]["profile"]["lastName"] == "Ana"


def test_lost_answer_to_the_creation_is_found() -> None:
    okta = _org(lose="POST users")
    with _client(okta) as (client, _):
        made, created = client.create_account(ANA, idempotency_key=KEY)
    assert created is True
    assert [one["id"] for one in okta.users.values()].count(made.external_id) == 1
    assert len(okta.users) == 4


def test_login_of_somebody_else_is_not_adopted() -> None:
    okta = _org()
    okta.add_user("alopez", email="alberto@acme.test")
    with _client(okta) as (client, _), pytest.raises(PermanentError, match="alopez may be taken"):
        client.create_account(replace(ANA, username="alopez"), idempotency_key=KEY)


@pytest.mark.parametrize(
    ("status", "leaving", "after"),
    [
        ("ACTIVE", "suspended", "SUSPENDED"),
        ("ACTIVE", "deactivated", "DEPROVISIONED"),
        ("SUSPENDED", "suspended", "SUSPENDED"),
        ("SUSPENDED", "deactivated", "DEPROVISIONED"),
        ("PROVISIONED", "suspended", "DEPROVISIONED"),
        ("STAGED", "suspended", "DEPROVISIONED"),
        ("LOCKED_OUT", "suspended", "DEPROVISIONED"),
        ("PASSWORD_EXPIRED", "suspended", "DEPROVISIONED"),
        ("DEPROVISIONED", "suspended", "DEPROVISIONED"),
    ],
)
def test_leaving_closes_the_account_whatever_its_status(
    status: str, leaving: str, after: str
) -> None:
    okta = _org()
    ana = okta.add_user("ana@acme.test", status=status)
    with _client(okta, leaving=leaving) as (client, _):
        for _ in range(2):
            assert client.suspend_account(ana, idempotency_key=KEY).active is False
    assert okta.users[ana]["status"] == after
    assert [one["status"] for one in okta.users.values() if one["id"] != ana] == ["ACTIVE"] * 3


@pytest.mark.parametrize(
    ("status", "after"),
    [
        ("SUSPENDED", "ACTIVE"),
        ("DEPROVISIONED", "PROVISIONED"),
        ("STAGED", "PROVISIONED"),
        ("ACTIVE", "ACTIVE"),
        ("LOCKED_OUT", "LOCKED_OUT"),
    ],
)
def test_coming_back_wakes_the_account(status: str, after: str) -> None:
    okta = _org()
    ana = okta.add_user("ana@acme.test", status=status)
    with _client(okta) as (client, _):
        woken, created = client.create_account(ANA, idempotency_key=KEY)
        assert (woken.active, created) == (True, False)
        assert client.reactivate_account(ana, idempotency_key=KEY).active is True
        assert client.reactivate_account("00u99", idempotency_key=KEY) is None
    assert okta.users[ana]["status"] == after


def test_change_that_does_not_show_is_tried_again() -> None:
    okta = _org()
    ana = okta.add_user("ana@acme.test")
    okta.add_group("Staff")
    okta.add_app("GitHub")
    okta.lies = True
    with _client(okta) as (client, _):
        for act in (
            lambda: client.suspend_account(ana, idempotency_key=KEY),
            lambda: client.add_to_group(ana, "Staff", idempotency_key=KEY),
            lambda: client.add_to_group(ana, "app: GitHub", idempotency_key=KEY),
        ):
            with pytest.raises(TransientError):
                act()
        kept = client.update_account(ana, ANA, idempotency_key=KEY)
        assert (kept.changed, kept.refused) == ((), ("name", "job title", "team"))


@pytest.mark.parametrize("lose", ["POST suspend", "DELETE sessions", "POST 00u4"])
def test_lost_answers_are_read_back(lose: str) -> None:
    okta = _org(lose=lose)
    ana = okta.add_user("ana@acme.test")
    with _client(okta) as (client, _):
        assert client.suspend_account(ana, idempotency_key=KEY).active is False
        with contextlib.suppress(IntegrationError):
            client.end_sessions(ana, idempotency_key=KEY)
        updated = client.update_account(ana, ANA, idempotency_key=KEY)
    assert updated.changed == ("name", "job title", "team")
    assert okta.ended == [ana]


def test_sessions_of_who_is_gone_are_over() -> None:
    with _client(_org()) as (client, _):
        client.end_sessions("00u99", idempotency_key=KEY)


def test_update_changes_what_differs_and_says_what_okta_keeps_out() -> None:
    okta = _org(ignores=frozenset({"title"}))
    ana = okta.add_user(
        "ana@acme.test", firstName="Ana", lastName="López", displayName="Ana López", nickName="Ani"
    )
    with _client(okta) as (client, server):
        found = client.update_account(ana, ANA, idempotency_key=KEY)
        assert (found.changed, found.refused) == (("name", "team"), ("job title",))
        moved = replace(ANA, work_email="ana.vidal@acme.test", job_title="")
        client.update_account(ana, moved, idempotency_key=KEY)
        writes = len(server.calls("POST"))
        client.update_account(ana, moved, idempotency_key=KEY)
        assert len(server.calls("POST")) == writes
        assert client.update_account("00u99", ANA, idempotency_key=KEY) is None
        with pytest.raises(PermanentError, match="Another user"):
            taken = replace(ANA, work_email="person0@acme.test")
            client.update_account(ana, taken, idempotency_key=KEY)
    profile = okta.users[ana]["profile"]
    assert (profile["login"], profile["email"]) == ("ana.vidal@acme.test",) * 2
    assert (profile["displayName"], profile["nickName"]) == ("Ana Vidal", "Ani")


def test_groups_and_applications_change_for_one_account_only() -> None:
    okta = _org(page_size=2)
    ana = okta.add_user("ana@acme.test")
    others = {"00u1", "00u2"}
    group = okta.add_group("GitHub users", *others)
    okta.add_group("GitHub users abroad")
    app = okta.add_app("Figma", **dict.fromkeys(others, "USER"))
    okta.add_app("Figma beta")
    with _client(okta) as (client, _):
        for name in ("github USERS", "app: figma", "Brand new"):
            for _ in range(2):
                client.add_to_group(ana, name, idempotency_key=KEY)
        assert client.groups_of(ana) == ("Brand new", "GitHub users", "app: Figma")
        assert okta.groups[group]["members"] == {*others, ana}
        for name in ("GitHub users", "app: Figma"):
            assert set(client.members_of(name)) == {*others, ana}
        assert client.members_of("Nobody's") is None
        assert {one.external_id for one in client.all_accounts()} == set(okta.users)
        for name in ("GitHub users", "app: Figma", "Brand new", "app: none", "None"):
            for _ in range(2):
                client.remove_from_group(ana, name, idempotency_key=KEY)
        assert client.groups_of(ana) == ()
        assert client.groups_of("00u99") == ()
        with pytest.raises(PermanentError, match="no application"):
            client.add_to_group(ana, "app: none", idempotency_key=KEY)
        with pytest.raises(PermanentError, match="does not exist"):
            client.add_to_group("00u99", "GitHub users", idempotency_key=KEY)
    assert okta.groups[group]["members"] == others
    assert set(okta.apps[app]["assigned"]) == others


def test_what_okta_fills_by_itself_is_said_in_words() -> None:
    okta = _org()
    ana = okta.add_user("ana@acme.test")
    okta.add_group("Everyone", kind="BUILT_IN")
    okta.add_app("Figma", **{ana: "GROUP"})
    with _client(okta) as (client, _):
        with pytest.raises(PermanentError, match="by itself"):
            client.add_to_group(ana, "Everyone", idempotency_key=KEY)
        with pytest.raises(PermanentError, match="comes with a group"):
            client.remove_from_group(ana, "app: Figma", idempotency_key=KEY)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (refused(401, "E0000011"), UnauthorizedError),
        (refused(403, "E0000006"), UnauthorizedError),
        (Answer(403), UnauthorizedError),
        (refused(403, "E0000038"), PermanentError),
        (refused(400, "E0000001"), PermanentError),
        (refused(500, "E0000009"), TransientError),
        (refused(503, "E0000010"), TransientError),
        (Answer(200, body=b"<html>"), TransientError),
        (Answer(200, json={"id": "00u7"}), PermanentError),
    ],
)
def test_oktas_errors_become_ours(answer: Answer, error: type[Exception]) -> None:
    with _client(lambda _: answer) as (client, _), pytest.raises(error) as caught:
        client.suspend_account("00u1", idempotency_key=KEY)
    assert type(caught.value) is error


def test_limit_says_until_when() -> None:
    with time_machine.travel(1_700_000_000, tick=False):
        limited = refused(429, "E0000047")
        limited.headers["X-Rate-Limit-Reset"] = "1700000042"
        with _client(lambda _: limited) as (client, _), pytest.raises(RateLimitedError) as caught:
            client.test()
    assert caught.value.retry_after == 42
    assert caught.value.request_id == "req-1"


@pytest.mark.parametrize("link", ["https://evil.test/api/v1/users?after=1", "{own}"])
def test_pages_leave_neither_the_origin_nor_end(link: str) -> None:
    asked_of: list[str] = []

    def circling(asked: Any) -> Answer:
        asked_of.append(asked.path)
        if asked.path.endswith("acme.test"):
            return refused(404, "E0000007")
        target = link.replace("{own}", f"http://{asked.headers['host']}/api/v1/users?after=1")
        return Answer(json=[], headers={"Link": f'<{target}>; rel="next"'})

    with _client(circling) as (client, _), pytest.raises(IncompleteError):
        client.find_account(work_email="ana@acme.test")
    assert len(asked_of) <= 3


def test_users_come_in_as_people_of_accounts() -> None:
    okta = _org(page_size=2)
    okta.add_user("gone@acme.test", status="DEPROVISIONED", firstName="Gone", lastName="By")
    okta.add_user("ana", email="ana@acme.test", title="Lead", department="Platform")
    with _client(okta, people="yes") as (client, _):
        assert isinstance(client, PeopleSource)
        feed = client.fetch_people(today=date(2026, 11, 2), progress=lambda _: None)
    found = {record.work_email: record for record in feed.records}
    assert len(found) == 5
    assert found["gone@acme.test"].deactivated is True
    ana = found["ana@acme.test"]
    assert (ana.account, ana.deactivated, ana.job_title, ana.team) == (
        True,
        False,
        "Lead",
        "Platform",
    )


_ALIKE = ("ana@acme.test", "ANA@acme.test", "xana@acme.test", "ana@acme.test.evil", "ana")


@given(
    people=st.lists(
        st.tuples(
            st.sampled_from(_ALIKE),
            st.sampled_from(_ALIKE),
            st.sampled_from(["ACTIVE", "SUSPENDED", "STAGED", "DEPROVISIONED"]),
        ),
        max_size=4,
        unique_by=lambda one: one[0].lower(),
    ),
    filters=st.sampled_from(["work", "ignored", "prefix"]),
    verb=st.sampled_from(["suspend", "create", "update", "group"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_the_very_person_is_ever_changed(
    people: list[tuple[str, str, str]], filters: str, verb: str
) -> None:
    okta = FakeOkta(filters=filters, page_size=2)
    for login, email, status in people:
        okta.add_user(login, email=email, status=status)
    group = okta.add_group("Staff")
    before = copy.deepcopy(okta.users)
    with _client(okta) as (client, _):
        try:
            found = client.find_account(work_email="ana@acme.test")
            if verb == "create":
                found, _created = client.create_account(ANA, idempotency_key=KEY)
            elif found is not None and verb == "suspend":
                client.suspend_account(found.external_id, idempotency_key=KEY)
            elif found is not None and verb == "update":
                client.update_account(found.external_id, ANA, idempotency_key=KEY)
            elif found is not None:
                client.add_to_group(found.external_id, "Staff", idempotency_key=KEY)
        except IntegrationError:
            found = None

    def own(row: dict[str, Any]) -> bool:
        return "ana@acme.test" in {row["profile"]["login"].lower(), row["profile"]["email"].lower()}

    if found is not None:
        assert own(okta.users[found.external_id])
    assert all(okta.users[pk] == row for pk, row in before.items() if not own(row))
    assert all(own(okta.users[pk]) for pk in okta.groups[group]["members"])
    if any(own(row) and row["status"] != "DEPROVISIONED" for row in before.values()):
        assert len(okta.users) == len(before)
