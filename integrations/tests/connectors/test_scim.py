"""Our SCIM client against servers as bad as they come: the right person or nobody.

What must hold against servers that nobody tried: compare whatever a look-up returns, and never take
the first; do without filters and without PATCH; 200 and 204 alike, and read back after both; a
duplicate may be told as 409, 400 or 500; deactivate, and never delete; follow the location, on our
own origin only; escape what goes into a filter, compare without regard to case; find what an answer
that was lost has made. ``test_scim_right_person.py`` draws servers at random.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest

from integrations.connectors.base import (
    CONNECTORS,
    AccountAdmin,
    AccountProfile,
    ConnectionSettings,
)
from integrations.errors import (
    IncompleteError,
    PermanentError,
    TransientError,
    UnauthorizedError,
)
from integrations.tests.connectors.awful_scim import BASE, AwfulScim
from integrations.tests.servers import Answer, Served, serving, transport_to_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator

ANA = AccountProfile(
    work_email="ana@acme.test",
    username="ana@acme.test",
    full_name="Ana López",
    given_name="Ana",
    family_name="López",
    job_title="Engineer",
    external_id="e-1",
)
KEY = "run-1-step"


@contextlib.contextmanager
def _client(
    scim: Any, *, bearer: str = "good", base: str = BASE, **capabilities: bool
) -> Iterator[tuple[Any, Served]]:
    connector = CONNECTORS.get("scim")
    assert connector is not None
    with serving(scim) as server:
        yield (
            connector.client(
                ConnectionSettings(
                    key="idp",
                    config={"base_url": server.url + base},
                    secrets={"bearer_token": bearer},
                    capabilities=capabilities,
                ),
                transport_to_loopback(),
            ),
            server,
        )


def _crowd(scim: AwfulScim, size: int = 7) -> None:
    for number in range(size):
        scim.add_user(f"person{number}@acme.test")


def test_client_offers_account_administration() -> None:
    with _client(AwfulScim()) as (client, _):
        assert isinstance(client, AccountAdmin)


def test_test_stores_what_the_server_can_do() -> None:
    with _client(AwfulScim(patch="refused")) as (client, _):
        found = client.test().capabilities
    assert found == {"patch": False, "filter": True, "etag": False, "groups": True}


def test_test_without_provider_config_warns() -> None:
    with _client(AwfulScim(config=False)) as (client, _):
        found = client.test()
    assert found.capabilities == {"patch": True, "filter": True, "etag": True, "groups": True}
    assert len(found.problems) == 1


def test_test_with_bad_token_is_unauthorized() -> None:
    with _client(AwfulScim(), bearer="bad") as (client, _), pytest.raises(UnauthorizedError):
        client.test()


@pytest.mark.parametrize("filters", ["work", "ignored", "refused", "blind"])
@pytest.mark.parametrize("page_size", [3, 1000])
def test_find_gives_the_very_person_or_nobody(filters: str, page_size: int) -> None:
    scim = AwfulScim(filters=filters, page_size=page_size)
    _crowd(scim)
    number = scim.add_user("ANA@acme.test")
    with _client(scim) as (client, _):
        found = client.find_account(work_email="ana@ACME.test")
        assert found is not None
        assert found.external_id == number
        assert client.find_account(work_email="nobody@acme.test") is None


def test_find_by_primary_address_but_not_by_a_shared_one() -> None:
    scim = AwfulScim()
    own = scim.add_user("alopez", emails=[{"value": "Ana@acme.test", "primary": True}])
    scim.add_user(
        "office@acme.test",
        emails=[
            {"value": "office@acme.test", "primary": True},
            {"value": "bea@acme.test"},
        ],
    )
    with _client(scim) as (client, _):
        found = client.find_account(work_email="ana@acme.test")
        assert found is not None
        assert found.external_id == own
        assert client.find_account(work_email="bea@acme.test") is None


def test_two_accounts_with_one_address_are_refused() -> None:
    scim = AwfulScim()
    scim.add_user("ana1", emails=[{"value": "ana@acme.test"}])
    scim.add_user("ana2", emails=[{"value": "ana@acme.test"}])
    with _client(scim) as (client, _), pytest.raises(PermanentError, match="2 accounts"):
        client.find_account(work_email="ana@acme.test")


def test_pages_that_do_not_add_up_never_mean_nobody() -> None:
    def liar(_: object) -> Answer:
        return Answer(json={"totalResults": 50, "Resources": [{"id": "1", "userName": "x"}]})

    with _client(liar, filter=False) as (client, _), pytest.raises(IncompleteError):
        client.find_account(work_email="ana@acme.test")


@pytest.mark.parametrize("address", ['a"b@acme.test', "a\\@acme.test", '" or userName pr or "'])
def test_filter_value_is_escaped(address: str) -> None:
    scim = AwfulScim()
    _crowd(scim)
    number = scim.add_user(address)
    with _client(scim) as (client, _):
        found = client.find_account(work_email=address)
    assert found is not None
    assert found.external_id == number


def test_create_makes_one_account_and_then_finds_it() -> None:
    scim = AwfulScim()
    with _client(scim) as (client, server):
        first, made = client.create_account(ANA, idempotency_key=KEY)
        again, made_again = client.create_account(ANA, idempotency_key=KEY)
        assert len(server.calls("POST")) == 1
    assert (made, made_again) == (True, False)
    assert first.external_id == again.external_id
    assert scim.users["u1"]["externalId"] == "e-1"
    assert scim.users["u1"]["name"]["familyName"] == "López"


def test_create_adopts_what_a_lost_answer_left() -> None:
    scim = AwfulScim(lose_create=True)
    with _client(scim) as (client, _):
        account, made = client.create_account(ANA, idempotency_key=KEY)
    assert (account.external_id, made) == ("u1", True)
    assert len(scim.users) == 1


@pytest.mark.parametrize("status", [409, 400, 500])
def test_create_takes_a_duplicate_for_what_it_is(status: int) -> None:
    """The filter is blind, so only the refusal tells that the account exists."""
    scim = AwfulScim(duplicate=status, filters="blind")
    scim.add_user("Ana@Acme.test")
    with _client(scim) as (client, _):
        account, made = client.create_account(ANA, idempotency_key=KEY)
    assert (account.external_id, made) == ("u1", False)
    assert len(scim.users) == 1


def test_create_does_not_adopt_a_namesake() -> None:
    scim = AwfulScim()
    scim.add_user("alopez", emails=[{"value": "alberto@acme.test", "primary": True}])
    profile = AccountProfile(work_email="ana@acme.test", username="alopez", full_name="Ana López")
    with _client(scim) as (client, _), pytest.raises(PermanentError, match="alopez is taken"):
        client.create_account(profile, idempotency_key=KEY)


def test_create_wakes_a_sleeping_account() -> None:
    scim = AwfulScim()
    scim.add_user("ana@acme.test", active=False)
    with _client(scim) as (client, _):
        account, made = client.create_account(ANA, idempotency_key=KEY)
    assert (account.active, made) == (True, False)
    assert scim.users["u1"]["active"] is True


@pytest.mark.parametrize(
    "patch", ["work", "no_content", "refused", "crash", "bare", "capital", "lies"]
)
@pytest.mark.parametrize("etag", [False, True])
def test_suspend_deactivates_exactly_one(patch: str, etag: bool) -> None:
    scim = AwfulScim(patch=patch, etag=etag, filters="ignored")
    _crowd(scim)
    number = scim.add_user("ana@acme.test", title="Engineer")
    _crowd(scim)
    with _client(scim) as (client, _):
        after = client.suspend_account(number, idempotency_key=KEY)
    assert after.active is False
    assert [one["id"] for one in scim.users.values() if not one["active"]] == [number]
    assert scim.users[number]["title"] == "Engineer"


def test_suspend_goes_straight_to_put_where_patch_is_known_to_be_missing() -> None:
    scim = AwfulScim(patch="refused")
    number = scim.add_user("ana@acme.test")
    with _client(scim, patch=False) as (client, server):
        client.suspend_account(number, idempotency_key=KEY)
        assert server.calls("PATCH") == []


def test_suspend_twice_changes_nothing_more() -> None:
    scim = AwfulScim()
    number = scim.add_user("ana@acme.test")
    with _client(scim) as (client, server):
        client.suspend_account(number, idempotency_key=KEY)
        client.suspend_account(number, idempotency_key=KEY)
        assert len(server.calls("PATCH")) == 1


def test_suspend_of_a_gone_account_is_success() -> None:
    scim = AwfulScim()
    _crowd(scim)
    with _client(scim) as (client, _):
        assert client.suspend_account("u99", idempotency_key=KEY).active is False


def test_suspend_below_a_wrong_base_is_no_success() -> None:
    """404 for everything must not pass for “the account is gone”."""
    scim = AwfulScim()
    number = scim.add_user("ana@acme.test")
    with _client(scim, base="/wrong") as (client, _), pytest.raises(PermanentError):
        client.suspend_account(number, idempotency_key=KEY)
    assert scim.users[number]["active"] is True


def test_suspend_that_never_shows_is_tried_again() -> None:
    scim = AwfulScim(patch="lies", etag=True)
    number = scim.add_user("ana@acme.test")

    def stubborn(asked: Any) -> Answer:
        return Answer(200, json={}) if asked.method == "PUT" else scim(asked)

    with _client(stubborn) as (client, _), pytest.raises(TransientError, match="still active"):
        client.suspend_account(number, idempotency_key=KEY)


def test_suspend_with_dead_token_is_unauthorized() -> None:
    with _client(AwfulScim(), bearer="bad") as (client, _), pytest.raises(UnauthorizedError):
        client.suspend_account("u1", idempotency_key=KEY)


def test_relative_location_is_followed() -> None:
    scim = AwfulScim(relative_location=True)
    number = scim.add_user("ana@acme.test")
    with _client(scim) as (client, _):
        assert client.suspend_account(number, idempotency_key=KEY).active is False


def test_foreign_location_never_gets_the_token() -> None:
    with serving(lambda _: Answer(200, json={})) as thief:
        scim = AwfulScim(foreign_location=thief.url)
        number = scim.add_user("ana@acme.test")
        with _client(scim) as (client, _):
            assert client.suspend_account(number, idempotency_key=KEY).active is False
        assert thief.asked == []


@pytest.mark.parametrize("patch", ["work", "no_content", "refused", "lies"])
@pytest.mark.parametrize("hide_groups", [False, True])
@pytest.mark.parametrize("filters", ["work", "ignored", "refused"])
def test_groups_change_for_one_member_only(patch: str, hide_groups: bool, filters: str) -> None:
    scim = AwfulScim(patch=patch, hide_groups=hide_groups, filters=filters)
    _crowd(scim, 3)
    number = scim.add_user("ana@acme.test")
    scim.add_group("Sales", "u1", "u2")
    group = scim.add_group("GitHub users", "u1", "u2", "u3")
    with _client(scim) as (client, _):
        client.add_to_group(number, "github USERS", idempotency_key=KEY)
        client.add_to_group(number, "GitHub users", idempotency_key=KEY)
        assert client.groups_of(number) == ("GitHub users",)
        assert scim.members(group) == {"u1", "u2", "u3", number}
        client.remove_from_group(number, "GitHub users", idempotency_key=KEY)
        client.remove_from_group(number, "GitHub users", idempotency_key=KEY)
        assert client.groups_of(number) == ()
    assert scim.members(group) == {"u1", "u2", "u3"}
    assert scim.members("g1") == {"u1", "u2"}


def test_first_and_last_member_of_a_group() -> None:
    scim = AwfulScim(patch="refused")
    number = scim.add_user("ana@acme.test")
    group = scim.add_group("Empty")
    with _client(scim) as (client, _):
        client.add_to_group(number, "Empty", idempotency_key=KEY)
        assert scim.members(group) == {number}
        client.remove_from_group(number, "Empty", idempotency_key=KEY)
        assert scim.members(group) == set()


def test_missing_group_is_created_for_a_first_day() -> None:
    scim = AwfulScim()
    number = scim.add_user("ana@acme.test")
    with _client(scim) as (client, _):
        client.add_to_group(number, "New group", idempotency_key=KEY)
    assert scim.members("g1") == {number}


def test_missing_group_that_may_not_be_created_says_what_to_do() -> None:
    scim = AwfulScim(groups_by_hand=True)
    number = scim.add_user("ana@acme.test")
    with _client(scim) as (client, _), pytest.raises(PermanentError, match="Create it there"):
        client.add_to_group(number, "New group", idempotency_key=KEY)


def test_removing_from_a_missing_group_is_success() -> None:
    with _client(AwfulScim()) as (client, _):
        client.remove_from_group("u1", "No such group", idempotency_key=KEY)


def test_a_stranger_cannot_be_put_into_a_group() -> None:
    scim = AwfulScim()
    scim.add_group("Admins")
    with _client(scim) as (client, _), pytest.raises(PermanentError, match="Create it first"):
        client.add_to_group("u77", "Admins", idempotency_key=KEY)
