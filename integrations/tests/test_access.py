"""Giving and taking access, against a real SCIM server and a real receiver."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from integrations.access import (
    access_grant,
    access_recorded,
    access_remaining,
    access_revoke,
)
from integrations.accounts import account_ensure, account_find, account_suspend, profile_of
from integrations.errors import (
    IntegrationError,
    PermanentError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.models import Account, AppAccess, Application, Connection
from integrations.services import connection_save
from integrations.tests.connectors.awful_scim import BASE, AwfulScim
from integrations.tests.servers import Answer, Asked, serving
from people.models import Person, PersonAlias
from siit_remote.audit.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class _World:
    scim: AwfulScim
    idp: Connection
    ana: Person
    github: Application


def _person(email: str = "ana@acme.test", **more: Any) -> Person:
    return Person.objects.create(
        work_email=email, full_name="Ana López", created_at=NOW, updated_at=NOW, **more
    )


def _ready(key: str, connector: str, url: str, **secrets: str) -> Connection:
    row = connection_save(key=key, connector=connector, config={"base_url": url}, secrets=secrets)
    row.status = Connection.Status.READY
    row.save()
    return row


@pytest.fixture
def world() -> Iterator[_World]:
    scim = AwfulScim()
    scim.add_user("other@acme.test")
    with serving(scim) as server:
        idp = _ready("idp", "scim", server.url + BASE, bearer_token="good")
        github = Application.objects.create(
            key="github",
            name="GitHub",
            connection=idp,
            provision_by="group",
            provision={"group": "github-users"},
        )
        yield _World(scim, idp, _person(), github)


def _do(verb: Any, application: Application, person: Person) -> Any:
    return verb(application, person, run_id=7, idempotency_key="run-7-s", now=NOW)


def _state(application: Application) -> str:
    return str(AppAccess.objects.filter(application=application).latest("pk").state)


def test_ensure_makes_one_account_and_remembers_it(world: _World) -> None:
    profile = profile_of(world.ana)
    assert (profile.given_name, profile.family_name) == ("Ana", "López")
    for expected in (True, False):
        result = account_ensure(world.idp, world.ana, profile, idempotency_key="k", now=NOW)
        assert result.created is expected
    account = Account.objects.get()
    assert (account.external_id, account.username, account.adopted) == (
        "u2",
        "ana@acme.test",
        False,
    )
    assert len(world.scim.users) == 2


def test_ensure_after_a_change_of_address_makes_no_second_account(world: _World) -> None:
    account_ensure(world.idp, world.ana, profile_of(world.ana), idempotency_key="k", now=NOW)
    Person.objects.filter(pk=world.ana.pk).update(work_email="ana.lopez@acme.test")
    world.ana.refresh_from_db()
    for active in (True, False):
        world.scim.users["u2"]["active"] = active
        again = account_ensure(
            world.idp, world.ana, profile_of(world.ana), idempotency_key="k2", now=NOW
        )
        assert (again.created, again.account.external_id) == (False, "u2")
        assert again.account.active is True
    assert world.scim.users["u2"]["active"] is True
    assert len(world.scim.users) == 2


def test_suspend_finds_the_account_of_a_former_address(world: _World) -> None:
    number = world.scim.add_user("ana.maiden@acme.test")
    PersonAlias.objects.create(person=world.ana, email="ana.maiden@acme.test", since=NOW)
    account = account_suspend(world.idp, world.ana, idempotency_key="k", now=NOW)
    assert account is not None
    assert (account.active, account.external_id, account.adopted) == (False, number, True)
    assert [one["id"] for one in world.scim.users.values() if not one["active"]] == [number]


def test_suspend_without_account_is_none(world: _World) -> None:
    assert account_suspend(world.idp, world.ana, idempotency_key="k", now=NOW) is None


def test_account_recorded_as_somebody_elses_is_left_alone(world: _World) -> None:
    number = world.scim.add_user("ana@acme.test")
    bob = _person("bob@acme.test")
    Account.objects.create(connection=world.idp, person=bob, external_id=number, changed_at=NOW)
    with pytest.raises(PermanentError, match="somebody else"):
        account_suspend(world.idp, world.ana, idempotency_key="k", now=NOW)
    assert world.scim.users[number]["active"] is True


def test_protected_person_loses_nothing(world: _World) -> None:
    number = world.scim.add_user("ana@acme.test")
    world.scim.add_group("github-users", number)
    world.ana.protected = True
    for verb in (
        lambda: account_suspend(world.idp, world.ana, idempotency_key="k", now=NOW),
        lambda: _do(access_revoke, world.github, world.ana),
    ):
        with pytest.raises(PermanentError, match="protected"):
            verb()
    assert world.scim.users[number]["active"] is True
    assert world.scim.members("g1") == {number}


def test_group_is_given_and_taken_once(world: _World) -> None:
    number = world.scim.add_user("ana@acme.test")
    for _ in range(2):
        given = _do(access_grant, world.github, world.ana)
        assert (given.state, given.needs_task) == ("granted", False)
    assert world.scim.members("g1") == {number}
    assert access_recorded(world.ana) == [world.github]
    for _ in range(2):
        assert _do(access_revoke, world.github, world.ana).state == "revoked"
    assert world.scim.members("g1") == set()
    assert access_recorded(world.ana) == []
    row = AppAccess.objects.order_by("pk").first()
    assert row is not None
    assert (row.state, row.ended_at, row.run_id) == ("revoked", NOW, 7)
    assert row.evidence["group"] == "github-users"
    assert AuditEntry.objects.filter(action="access.granted").count() == 1


def test_group_without_account_fails_with_the_remedy(world: _World) -> None:
    with pytest.raises(PermanentError, match="Create the account first"):
        _do(access_grant, world.github, world.ana)
    assert _state(world.github) == "failed"
    world.scim.add_user("ana@acme.test")
    assert _do(access_grant, world.github, world.ana).state == "granted"
    assert AppAccess.objects.count() == 1


def test_taking_from_somebody_without_account_is_success(world: _World) -> None:
    assert _do(access_revoke, world.github, world.ana).state == "revoked"


def test_account_application(world: _World) -> None:
    portal = Application.objects.create(
        key="portal", name="Portal", connection=world.idp, provision_by="account"
    )
    assert _do(access_grant, portal, world.ana).state == "granted"
    assert access_remaining(world.ana, now=NOW) == [portal]
    assert _do(access_revoke, portal, world.ana).state == "revoked"
    assert world.scim.users["u2"]["active"] is False
    assert access_remaining(world.ana, now=NOW) == []


def test_remaining_unites_what_is_recorded_and_what_is_reported(world: _World) -> None:
    number = world.scim.add_user("ana@acme.test")
    world.scim.add_group("GITHUB-users", number)
    world.scim.add_group("unmanaged", number)
    figma = Application.objects.create(key="figma", name="Figma")
    Application.objects.create(
        key="broken", name="No group set", connection=world.idp, provision_by="group"
    )
    AppAccess.objects.create(application=figma, person=world.ana, state="granted", since=NOW)
    assert access_remaining(world.ana, now=NOW) == [figma, world.github]
    assert access_recorded(world.ana) == [figma]


def test_nobody_can_say_what_remains_while_a_connection_is_broken(world: _World) -> None:
    Connection.objects.update(status=Connection.Status.NEEDS_ATTENTION, last_error="refused")
    with pytest.raises(UnauthorizedError):
        access_remaining(world.ana, now=NOW)


def test_refused_credential_stops_the_connection(world: _World) -> None:
    connection_save(key="idp", connector="scim", config={}, secrets={"bearer_token": "dead"})
    world.github.refresh_from_db()
    with pytest.raises(UnauthorizedError):
        _do(access_grant, world.github, world.ana)
    world.idp.refresh_from_db()
    assert world.idp.status == Connection.Status.NEEDS_ATTENTION
    assert _state(world.github) == "requested"


@pytest.mark.parametrize("status", [None, "draft", "disconnected"])
def test_without_a_connection_a_person_has_to_do_it(world: _World, status: str | None) -> None:
    if status is None:
        world.github.connection = None
        world.github.save()
    else:
        Connection.objects.update(status=status)
    application = Application.objects.get(key="github")
    given = _do(access_grant, application, world.ana)
    assert (given.state, given.needs_task) == ("by_hand", True)
    AppAccess.objects.filter(pk=given.access_id).update(state="granted")
    assert _do(access_grant, application, world.ana).needs_task is False
    taken = _do(access_revoke, application, world.ana)
    assert (taken.state, taken.needs_task, taken.access_id) == ("by_hand", True, given.access_id)


@contextlib.contextmanager
def _receiver(handle: Any) -> Iterator[tuple[Application, Person, list[Asked]]]:
    with serving(handle) as server:
        hooks = _ready("hooks", "http", server.url, signing_secret="shared")
        figma = Application.objects.create(
            key="figma", name="Figma", connection=hooks, provision_by="http"
        )
        yield figma, _person(), server.asked


def test_signed_call_gives_and_takes() -> None:
    with _receiver(lambda _: Answer(200)) as (figma, ana, asked):
        for _ in range(2):
            assert _do(access_grant, figma, ana).state == "granted"
        assert _do(access_revoke, figma, ana).state == "revoked"
    assert [one.json()["action"] for one in asked] == ["grant", "revoke"]
    assert asked[0].json()["application"] == "figma"
    assert asked[0].json()["person"]["work_email"] == "ana@acme.test"
    assert {one.headers["webhook-id"] for one in asked} == {"run-7-s"}


@pytest.mark.parametrize(
    ("answer", "error", "state"),
    [
        (Answer(drop=True), UncertainError, "uncertain"),
        (Answer(503), TransientError, "revoking"),
        (Answer(422), PermanentError, "failed"),
        (Answer(401), UnauthorizedError, "revoking"),
    ],
)
def test_failed_call_never_counts_as_taken(
    answer: Answer, error: type[IntegrationError], state: str
) -> None:
    with _receiver(lambda _: answer) as (figma, ana, _):
        AppAccess.objects.create(application=figma, person=ana, state="granted", since=NOW)
        with pytest.raises(error):
            _do(access_revoke, figma, ana)
        assert _state(figma) == state
        assert access_recorded(ana) == [figma]


def test_account_that_vanished_is_recorded_as_inactive(world: _World) -> None:
    account_ensure(world.idp, world.ana, profile_of(world.ana), idempotency_key="k", now=NOW)
    del world.scim.users["u2"]
    assert account_find(world.idp, world.ana, now=NOW) is None
    assert Account.objects.get().active is False


def test_404_on_taking_away_is_believed_only_after_reading(world: _World) -> None:
    ana = world.scim.add_user("ana@acme.test")
    group = world.scim.add_group("github-users", ana)
    AppAccess.objects.create(application=world.github, person=world.ana, state="granted", since=NOW)
    answer = world.scim.__class__.__call__

    def gone_meanwhile(self: AwfulScim, asked: Asked) -> Answer:
        if asked.method == "PATCH" and "/Groups/" in asked.path:
            self.groups.pop(group, None)
            return Answer(404)
        return answer(self, asked)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(AwfulScim, "__call__", gone_meanwhile)
        assert _do(access_revoke, world.github, world.ana).state == "revoked"
    row = AppAccess.objects.get()
    assert row.evidence["read_back"] == "not a member of the group"
    assert [event.state for event in row.events.all()] == ["revoking", "revoked"]


def test_404_while_the_group_still_has_the_member_is_no_success(world: _World) -> None:
    ana = world.scim.add_user("ana@acme.test")
    world.scim.add_group("github-users", ana)
    AppAccess.objects.create(application=world.github, person=world.ana, state="granted", since=NOW)
    answer = world.scim.__class__.__call__

    def says_404(self: AwfulScim, asked: Asked) -> Answer:
        if asked.method in ("PATCH", "PUT") and "/Groups/" in asked.path:
            return Answer(404)
        return answer(self, asked)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(AwfulScim, "__call__", says_404)
        with pytest.raises(IntegrationError):
            _do(access_revoke, world.github, world.ana)
    assert AppAccess.objects.get().state in ("failed", "revoking")
    assert access_recorded(world.ana) == [world.github]
