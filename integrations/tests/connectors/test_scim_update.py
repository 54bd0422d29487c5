"""An account follows the directory: what differs, nothing else, on servers of every kind."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from integrations.connectors.base import CONNECTORS, AccountProfile, ConnectionSettings
from integrations.connectors.identity import AccountUpdater, TellsAbilities
from integrations.connectors.scim.discovery import ENTERPRISE
from integrations.connectors.scim.profiles import PROFILES, profile_for
from integrations.errors import PermanentError, TransientError
from integrations.tests.connectors.awful_scim import BASE, AwfulScim
from integrations.tests.servers import Answer, Asked, Served, serving, transport_to_loopback

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
)
KEY = "run-1-step"


@contextlib.contextmanager
def _client(scim: Any, *, vendor: str = "auto", **found: Any) -> Iterator[tuple[Any, Served]]:
    connector = CONNECTORS.get("scim")
    assert connector is not None
    with serving(scim) as server:
        settings = ConnectionSettings(
            key="idp",
            config={"base_url": server.url + BASE, "vendor": vendor},
            secrets={"bearer_token": "good"},
            capabilities=found,
        )
        yield connector.client(settings, transport_to_loopback()), server


def _with_ana(scim: AwfulScim) -> str:
    scim.add_user("person0@acme.test", title="Chief")
    return scim.add_user(
        "ana@acme.test",
        name={"givenName": "Ana", "familyName": "López"},
        displayName="Ana López",
        title="Engineer",
        nickName="Ani",
    )


def _updated(client: Any, number: str, profile: AccountProfile = ANA) -> Any:
    assert isinstance(client, AccountUpdater)
    return client.update_account(number, profile, idempotency_key=KEY)


@pytest.mark.parametrize("patch", ["work", "no_content", "refused", "crash", "bare", "lies"])
@pytest.mark.parametrize("etag", [False, True])
def test_update_changes_what_differs_for_one_account(patch: str, etag: bool) -> None:
    scim = AwfulScim(patch=patch, etag=etag)
    number = _with_ana(scim)
    with _client(scim) as (client, _):
        found = _updated(client, number)
    assert found.changed == ("name", "job title", "team")
    assert found.refused == ()
    ana = scim.users[number]
    assert (ana["name"]["familyName"], ana["displayName"], ana["title"]) == (
        "Vidal",
        "Ana Vidal",
        "Lead",
    )
    assert ana[ENTERPRISE] == {"department": "Platform"}
    assert (ana["nickName"], ana["userName"]) == ("Ani", "ana@acme.test")
    assert scim.users["u1"]["title"] == "Chief"


def test_account_in_step_is_left_alone() -> None:
    scim = AwfulScim()
    number = _with_ana(scim)
    with _client(scim) as (client, server):
        _updated(client, number)
        writes = len(server.calls("PATCH"))
        again = _updated(client, number)
        assert len(server.calls("PATCH")) == writes == 1
    assert (again.changed, again.refused) == ((), ())


def test_name_split_in_another_way_and_a_chosen_display_name_stay() -> None:
    scim = AwfulScim()
    number = scim.add_user(
        "ana@acme.test",
        name={"givenName": "Ana", "familyName": "María Vidal"},
        displayName="Ani V.",
        title="Lead",
    )
    profile = replace(
        ANA, full_name="Ana María Vidal", given_name="Ana María", family_name="Vidal", team=""
    )
    with _client(scim) as (client, server):
        found = _updated(client, number, profile)
        assert server.calls("PATCH") == []
    assert found.changed == ()
    assert scim.users[number]["displayName"] == "Ani V."


def test_blank_values_are_never_written() -> None:
    scim = AwfulScim()
    number = _with_ana(scim)
    blank = AccountProfile(work_email="ana@acme.test", username="", full_name="")
    with _client(scim) as (client, server):
        assert _updated(client, number, blank).changed == ()
        assert server.calls("PATCH") == []


def test_new_work_email_replaces_the_former_one_and_the_user_name_that_was_it() -> None:
    scim = AwfulScim()
    number = scim.add_user(
        "ana@acme.test",
        emails=[{"value": "ana@acme.test", "primary": True}, {"value": "ana@home.test"}],
    )
    with _client(scim) as (client, _):
        found = _updated(client, number, replace(ANA, work_email="ana.vidal@acme.test"))
    assert "work email" in found.changed
    ana = scim.users[number]
    assert ana["userName"] == "ana.vidal@acme.test"
    assert [one["value"] for one in ana["emails"]] == ["ana.vidal@acme.test", "ana@home.test"]


def test_work_email_of_somebody_else_is_never_taken() -> None:
    scim = AwfulScim()
    number = _with_ana(scim)
    with _client(scim) as (client, server), pytest.raises(PermanentError, match="Another account"):
        _updated(client, number, replace(ANA, work_email="person0@acme.test"))
    assert server.calls("PATCH") == []
    assert scim.users[number]["title"] == "Engineer"


@pytest.mark.parametrize("how", ["refuses", "ignores"])
def test_attribute_the_server_does_not_keep_is_named_and_keeps_nothing_else_out(how: str) -> None:
    scim = AwfulScim(**{how: frozenset({"title"})})
    number = _with_ana(scim)

    def without_put(asked: Asked) -> Answer:
        return Answer(501) if asked.method == "PUT" else scim(asked)

    with _client(without_put) as (client, _):
        found = _updated(client, number)
    assert (found.changed, found.refused) == (("name", "team"), ("job title",))
    assert scim.users[number]["name"]["familyName"] == "Vidal"


def test_server_that_takes_nothing_is_an_error_not_a_success() -> None:
    scim = AwfulScim(patch="refused")
    number = _with_ana(scim)
    with (
        _client(lambda asked: scim(asked) if asked.method == "GET" else Answer(501)) as (client, _),
        pytest.raises(PermanentError),
    ):
        _updated(client, number)
    with (
        _client(lambda asked: scim(asked) if asked.method == "GET" else Answer(503)) as (client, _),
        pytest.raises(TransientError),
    ):
        _updated(client, number)


def test_lost_answer_is_read_back() -> None:
    scim = AwfulScim()
    number = _with_ana(scim)

    def losing(asked: Asked) -> Answer:
        answer = scim(asked)
        return Answer(drop=True) if asked.method == "PATCH" else answer

    with _client(losing) as (client, server):
        assert _updated(client, number).changed == ("name", "job title", "team")
        assert len(server.calls("PATCH")) == 1


def test_gone_account_is_no_update() -> None:
    scim = AwfulScim()
    _with_ana(scim)
    with _client(scim) as (client, _):
        assert _updated(client, "u99") is None


def test_what_the_schema_lacks_is_not_sent() -> None:
    scim = AwfulScim(schemas=("userName", "name", "emails", "active"))
    number = _with_ana(scim)
    with _client(scim) as (client, _):
        found = client.test().capabilities
    assert found["attributes"] == ["active", "emails", "name", "userName"]
    with _client(scim, **found) as (client, server):
        assert _updated(client, number).changed == ("name",)
        (sent,) = server.calls("PATCH")
    paths = {one["path"] for one in sent.json()["Operations"]}
    assert paths == {"name.familyName"}


def test_team_is_given_at_creation_where_the_schema_has_it() -> None:
    scim = AwfulScim(schemas=("userName", "title", "enterprise.department"))
    with _client(scim, attributes=list(scim.schemas)) as (client, _):
        client.create_account(ANA, idempotency_key=KEY)
    assert scim.users["u1"][ENTERPRISE] == {"department": "Platform"}
    with _client(scim) as (client, _):
        client.create_account(
            replace(ANA, work_email="b@acme.test", username="b@acme.test"), idempotency_key=KEY
        )
    assert ENTERPRISE not in scim.users["u2"]


def test_pages_are_no_larger_than_the_server_gives() -> None:
    scim = AwfulScim(filters="refused", page_size=3, max_results=3, totals=False)
    for number in range(7):
        scim.add_user(f"person{number}@acme.test")
    ana = scim.add_user("ana@acme.test")
    with _client(scim) as (client, _):
        found = client.test().capabilities
    assert found["page"] == 3
    for known in (found, {}):
        with _client(scim, **known) as (client, _):
            account = client.find_account(work_email="ana@acme.test")
            assert account is not None
            assert account.external_id == ana


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("https://acme.okta.com/scim/v2", "okta"),
        ("https://graph.microsoft.com/rp/scim", "entra"),
        ("https://scim.eu-west-1.amazonaws.com/T1/scim/v2", "aws"),
        ("https://api.slack.com/scim/v2/", "slack"),
        ("https://okta.com.evil.test/scim", "generic"),
        ("https://idp.acme.test/scim/v2", "generic"),
        ("https://[::1/scim", "generic"),
    ],
)
def test_vendor_is_known_by_its_host(address: str, key: str) -> None:
    assert profile_for(address).key == key
    assert profile_for(address, "jumpcloud").key == "jumpcloud"
    assert profile_for(address, "auto").key == key


def test_profiles_have_names_of_their_own() -> None:
    assert len({profile.key for profile in PROFILES}) == len(PROFILES)
    hosts = [host for profile in PROFILES for host in profile.hosts]
    assert len(hosts) == len(set(hosts))


def test_vendor_without_put_is_never_sent_one() -> None:
    scim = AwfulScim(patch="lies")
    number = scim.add_user("ana@acme.test")
    with _client(scim, vendor="entra") as (client, server):
        with pytest.raises(TransientError):
            client.suspend_account(number, idempotency_key=KEY)
        assert server.calls("PUT") == []


def test_member_is_removed_by_value_only_where_the_vendor_says_so() -> None:
    scim = AwfulScim()
    number = scim.add_user("ana@acme.test")
    scim.add_group("Sales", number)
    with _client(scim, vendor="aws") as (client, server):
        client.remove_from_group(number, "Sales", idempotency_key=KEY)
        (sent,) = server.calls("PATCH")
    assert sent.json()["Operations"] == [
        {"op": "remove", "path": "members", "value": [{"value": number}]}
    ]


def test_abilities_say_what_the_test_found() -> None:
    scim = AwfulScim(patch="refused", filters="refused")
    with _client(scim) as (client, _):
        found = client.test().capabilities
    with _client(scim) as (client, _):
        assert isinstance(client, TellsAbilities)
        told = {one.words: one for one in client.abilities(found)}
    assert told["find accounts by work email"].can
    assert not told["search on the server"].can
    assert not told["change single values"].can
    assert "suspended account" in told["end sessions"].why


@pytest.mark.parametrize("filters", ["ignored", "blind"])
def test_search_that_only_claims_to_work_is_found_out(filters: str) -> None:
    scim = AwfulScim(filters=filters)
    for number in range(3):
        scim.add_user(f"person{number}@acme.test")
    with _client(scim) as (client, _):
        found = client.test()
    assert found.capabilities["filter"] is False
    assert "All users are read" in found.problems[0]
