"""Actions against made-up connections: the ladder, the failures, and never twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail

from integrations.connectors.base import (
    CONNECTORS,
    AccountProfile,
    HttpResponse,
    OutgoingMessage,
    RemoteAccount,
    TestResult,
)
from integrations.connectors.identity import Updated
from integrations.errors import (
    IntegrationError,
    NotAvailableError,
    PermanentError,
    RateLimitedError,
    TransientError,
    UnauthorizedError,
    UncertainError,
)
from integrations.models import AppAccess, Application, Bundle, Connection
from people.choices import PersonStatus
from people.models import Person, Role
from workflows.engine.outcomes import outcome_of_error
from workflows.models import (
    MessageTemplate,
    Request,
    Run,
    Service,
    StepRun,
    Task,
    Workflow,
    WorkflowVersion,
)
from workflows.nodes import (
    ACTIONS,
    ActionContext,
    Done,
    Failed,
    Outcome,
    Retry,
    Skipped,
    Stop,
    Uncertain,
    Wait,
)
from workflows.tasks_by_hand import TaskRefusedError, task_done

T0 = datetime(2026, 11, 2, 8, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db

Perform = Callable[..., Outcome]


class World:
    """What stands at the outside: one account, its groups, and everything that was sent."""

    def __init__(self) -> None:
        self.account: RemoteAccount | None = None
        self.groups: set[str] = set()
        self.refused: tuple[str, ...] = ()
        self.calls: list[tuple[str, str]] = []
        self.payloads: list[Mapping[str, Any]] = []
        self.messages: list[OutgoingMessage] = []
        self.fail: dict[str, IntegrationError] = {}

    def did(self, verb: str, key: str = "") -> None:
        self.calls.append((verb, key))
        if verb in self.fail:
            raise self.fail[verb]


class Idp:
    """An identity provider."""

    def __init__(self, world: World) -> None:
        self.world = world

    def test(self) -> TestResult:
        return TestResult()

    def find_account(self, *, work_email: str, external_id: str = "") -> RemoteAccount | None:
        return self.world.account

    def create_account(
        self, profile: AccountProfile, *, idempotency_key: str
    ) -> tuple[RemoteAccount, bool]:
        self.world.did("create", idempotency_key)
        created = self.world.account is None
        if self.world.account is None:
            self.world.account = RemoteAccount(
                external_id="u1", username=profile.username, active=True
            )
        return self.world.account, created

    def suspend_account(self, external_id: str, *, idempotency_key: str) -> RemoteAccount:
        self.world.did("suspend", idempotency_key)
        self.world.account = RemoteAccount(external_id=external_id, username="ana", active=False)
        return self.world.account

    def update_account(
        self, external_id: str, profile: AccountProfile, *, idempotency_key: str
    ) -> Updated | None:
        self.world.did("update", idempotency_key)
        assert self.world.account is not None
        return Updated(
            account=self.world.account,
            changed=("name",) if profile.full_name == "Ana López" else (),
            refused=self.world.refused,
        )

    def end_sessions(self, external_id: str, *, idempotency_key: str) -> None:
        self.world.did("end sessions", idempotency_key)

    def add_to_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        self.world.did(f"add {group}", idempotency_key)
        self.world.groups.add(group)

    def remove_from_group(self, external_id: str, group: str, *, idempotency_key: str) -> None:
        self.world.did(f"remove {group}", idempotency_key)
        self.world.groups.discard(group)

    def groups_of(self, external_id: str) -> tuple[str, ...]:
        return tuple(sorted(self.world.groups))


class Chat:
    """A messenger that also knows members."""

    channel = "slack"

    def __init__(self, world: World) -> None:
        self.world = world

    def test(self) -> TestResult:
        return TestResult()

    def find_member(self, work_email: str) -> RemoteAccount | None:
        return self.world.account

    def deactivate_member(self, work_email: str, *, idempotency_key: str) -> RemoteAccount | None:
        self.world.did("deactivate", idempotency_key)
        return self.world.account

    def send(
        self,
        message: OutgoingMessage,
        *,
        idempotency_key: str,
        before_effect: Callable[[], None],
    ) -> str:
        before_effect()
        self.world.did("chat", idempotency_key)
        self.world.messages.append(message)
        return "C1/1"


class Hook:
    """An endpoint for signed calls."""

    serves: tuple[str, ...] = ()

    def __init__(self, world: World, serves: tuple[str, ...]) -> None:
        self.world, self.serves = world, serves

    def test(self) -> TestResult:
        return TestResult()

    def call(
        self,
        payload: Mapping[str, Any],
        *,
        idempotency_key: str,
        sent_at: datetime,
        method: str = "POST",
        path: str = "",
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        raw_body: str | None = None,
        expect: frozenset[int] = frozenset(),
        shown_path: str = "",
    ) -> HttpResponse:
        self.world.did(f"{method} {path}".strip(), idempotency_key)
        self.world.payloads.append({**payload, "raw": raw_body, "headers": dict(headers or {})})
        return HttpResponse(status=200, headers={"x-request-id": "r1"}, body=b"", url="")

    def is_genuine(self, body: bytes, headers: Mapping[str, str]) -> bool:
        return False


class FakeConnector:
    label = "Fake"
    category = "Other"
    help = ""
    icon = "x"
    settings = ()

    def __init__(self, key: str, client: Callable[[], Any]) -> None:
        self.key, self._client = key, client

    def client(self, settings: object, transport: object) -> Any:
        return self._client()


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> World:
    world = World()
    serves: list[str] = []
    world.serves = serves  # type: ignore[attr-defined]
    makers: dict[str, Callable[[], Any]] = {
        "scim": lambda: Idp(world),
        "slack": lambda: Chat(world),
        "http": lambda: Hook(world, tuple(serves)),
    }
    for key, maker in makers.items():
        monkeypatch.setitem(CONNECTORS._items, key, FakeConnector(key, maker))
    return world


def connect(connector: str, key: str = "", status: str = "ready") -> Connection:
    return Connection.objects.create(
        key=key or connector,
        connector=connector,
        name=(key or connector).upper(),
        status=status,
        last_error="The credential was refused." if status == "needs_attention" else "",
        created_at=T0,
    )


@pytest.fixture
def ana() -> Person:
    boss = Person.objects.create(
        work_email="boss@acme.test",
        full_name="Boss",
        status=PersonStatus.ACTIVE,
        created_at=T0,
        updated_at=T0,
    )
    return Person.objects.create(
        work_email="ana@acme.test",
        full_name="Ana López",
        manager=boss,
        status=PersonStatus.ACTIVE,
        date_of_birth=date(1990, 5, 4),
        created_at=T0,
        updated_at=T0,
    )


@pytest.fixture
def perform(ana: Person) -> Perform:
    """Run one action for Ana as the engine does, errors turned into outcomes."""
    workflow = Workflow.objects.create(
        key="w", name="W", owner="owner@acme.test", draft_saved_at=T0, created_at=T0
    )
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document={}, digest="d", published_at=T0
    )
    run = Run.objects.create(
        workflow=workflow,
        version=version,
        person=ana,
        trigger="manual",
        anchor="x",
        key="k",
        status=Run.Status.RUNNING,
        due_at=T0,
        created_at=T0,
    )

    def go(key: str, params: Mapping[str, Any] | None = None, **context: Any) -> Outcome:
        action = ACTIONS.get(key)
        assert action is not None
        step, _ = StepRun.objects.get_or_create(
            run=run,
            key=key,
            defaults={
                "action": key,
                "position": 0,
                "idempotency_key": f"{key:a<64}",
                "created_at": T0,
            },
        )
        facts = context.pop("facts", {})
        request = context.pop("request", None)
        ctx = ActionContext(
            run=run,
            step=step,
            person=Person.objects.select_related("manager", "team", "legal_entity").get(pk=ana.pk),
            facts=facts,
            request=request,
            now=T0,
            before_effect=lambda: None,
            **context,
        )
        try:
            return action.run(ctx, params or {})
        except IntegrationError as error:
            return outcome_of_error(error)

    return go


def app_make(key: str, connection: Connection | None = None, **values: Any) -> Application:
    by = "group" if connection else "task"
    return Application.objects.create(
        key=key,
        name=key.title(),
        connection=connection,
        provision_by=by,
        provision={"group": f"{key}-users"} if connection else {},
        **values,
    )


OUTWARD: list[tuple[str, dict[str, Any]]] = [
    ("idp.create_account", {}),
    ("idp.suspend_account", {}),
    ("idp.update_account", {}),
    ("slack.close_access", {}),
    ("equipment.ship", {"bundle": "laptop", "address_from": "the office"}),
    ("equipment.collect", {"bundle": "laptop"}),
]


@pytest.mark.parametrize(("key", "params"), OUTWARD)
def test_without_any_connection_a_task_for_it_is_opened_once(
    outside: World, perform: Perform, key: str, params: dict[str, Any]
) -> None:
    for _ in range(2):
        found = perform(key, params)
        assert isinstance(found, Done)
        assert "task for IT" in found.reason
    (task,) = Task.objects.all()
    assert task.role is not None
    assert (task.role.name, task.status) == ("it", "open")
    assert task.subject is not None
    assert outside.calls == []


@pytest.mark.parametrize(("key", "params"), OUTWARD)
def test_endpoint_that_serves_the_action_is_called_before_a_task_is_opened(
    outside: World, perform: Perform, key: str, params: dict[str, Any]
) -> None:
    connect("http", "shipping")
    outside.serves.append(key)  # type: ignore[attr-defined]
    found = perform(key, params)
    assert isinstance(found, Done)
    assert not Task.objects.exists()
    (payload,) = outside.payloads
    assert payload["event"] == key
    assert payload["person"]["work_email"] == "ana@acme.test"
    assert "1990" not in str(payload)


def test_named_connection_is_never_replaced_by_another(outside: World, perform: Perform) -> None:
    connect("scim", "idp")
    found = perform("idp.create_account", {"connection": "other"})
    assert isinstance(found, Failed)
    assert found.hold
    assert outside.calls == []


@pytest.mark.parametrize("key", ["idp.create_account", "idp.suspend_account"])
def test_connection_in_need_of_attention_holds_instead_of_opening_a_task(
    outside: World, perform: Perform, key: str
) -> None:
    connect("scim", status="needs_attention")
    found = perform(key)
    assert isinstance(found, Failed)
    assert found.hold
    assert not Task.objects.exists()


def test_account_is_created_once_and_then_adopted(outside: World, perform: Perform) -> None:
    connect("scim")
    first = perform("idp.create_account", {"groups": ["everybody"]})
    second = perform("idp.create_account", {"groups": ["everybody"]})
    assert isinstance(first, Done)
    assert isinstance(second, Done)
    assert first.summary.startswith("Created ana@acme.test")
    assert second.summary.startswith("Adopted")
    assert outside.groups == {"everybody"}


def test_sessions_end_with_the_account_and_again_when_it_sleeps_already(
    outside: World, perform: Perform
) -> None:
    connect("scim")
    perform("idp.create_account")
    outside.calls.clear()
    done = perform("idp.suspend_account")
    assert isinstance(done, Done)
    assert "sessions are ended" in done.summary
    assert [verb for verb, _ in outside.calls] == ["suspend", "end sessions"]
    outside.calls.clear()
    perform("idp.suspend_account")
    assert [verb for verb, _ in outside.calls] == ["suspend", "end sessions"]


def test_account_follows_the_directory_and_what_is_not_taken_over_is_said(
    outside: World, perform: Perform
) -> None:
    connect("scim")
    absent = perform("idp.update_account")
    assert isinstance(absent, Skipped)
    perform("idp.create_account")
    done = perform("idp.update_account")
    assert isinstance(done, Done)
    assert done.summary == "Updated name of ana@acme.test at SCIM."
    assert done.reason == ""
    outside.refused = ("job title",)
    partly = perform("idp.update_account")
    assert isinstance(partly, Done)
    assert "did not take over: job title" in partly.reason


def test_account_is_suspended_and_its_absence_is_said(outside: World, perform: Perform) -> None:
    connect("scim")
    absent = perform("idp.suspend_account")
    assert isinstance(absent, Skipped)
    outside.account = RemoteAccount(external_id="u1", username="ana", active=True)
    assert isinstance(perform("idp.suspend_account"), Done)
    assert outside.account is not None
    assert not outside.account.active


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TransientError("down"), Retry),
        (RateLimitedError("slow", retry_after=7), Retry),
        (UncertainError("no answer"), Retry),
        (PermanentError("no"), Failed),
        (UnauthorizedError("refused"), Failed),
    ],
)
def test_failure_of_a_call_that_can_be_repeated(
    outside: World, perform: Perform, error: IntegrationError, kind: type[Outcome]
) -> None:
    connection = connect("scim")
    outside.account = RemoteAccount(external_id="u1", username="ana", active=True)
    outside.fail["suspend"] = error
    found = perform("idp.suspend_account")
    assert isinstance(found, kind)
    connection.refresh_from_db()
    refused = isinstance(error, UnauthorizedError)
    assert connection.status == ("needs_attention" if refused else "ready")
    if isinstance(found, Failed):
        assert found.hold is refused


def test_slack_without_the_function_becomes_a_task(outside: World, perform: Perform) -> None:
    connect("slack")
    outside.fail["deactivate"] = NotAvailableError("This Slack plan has no SCIM API.")
    found = perform("slack.close_access")
    assert isinstance(found, Done)
    assert "no SCIM API" in found.reason
    assert Task.objects.count() == 1


def test_apps_by_team_are_those_the_rule_entitles_to(outside: World, perform: Perform) -> None:
    idp = connect("scim", "idp")
    outside.account = RemoteAccount(external_id="u1", username="ana", active=True)
    for key, team in (("github", "Engineering"), ("crm", "Sales")):
        rule = {"field": "person.team", "operator": "is", "value": team}
        app_make(key, idp, entitle={"combinator": "and", "rules": [rule]})
    app_make("notion", idp)
    found = perform("apps.assign", {"by": "team"}, facts={"person.team": "Engineering"})
    assert isinstance(found, Done)
    assert outside.groups == {"github-users"}
    assert AppAccess.objects.get().state == "granted"


def test_app_without_connection_becomes_a_task_that_settles_the_access(
    outside: World, perform: Perform
) -> None:
    app_make("notion")
    found = perform("apps.assign", {"apps": ["notion"]})
    assert isinstance(found, Done)
    assert found.reason
    assert AppAccess.objects.get().state == "by_hand"
    task = Task.objects.get()
    task_done(task.pk, by=None, by_label="it@acme.test", comment="Did it.", now=T0)
    assert AppAccess.objects.get().state == "granted"
    with pytest.raises(TaskRefusedError):
        task_done(task.pk, by=None, by_label="other@acme.test", comment="Did it.", now=T0)


def test_all_that_is_recorded_or_reported_is_revoked_but_the_exceptions(
    outside: World, perform: Perform, ana: Person
) -> None:
    idp = connect("scim", "idp")
    outside.account = RemoteAccount(external_id="u1", username="ana", active=True)
    outside.groups = {"github-users", "crm-users", "mail-users"}
    for key in ("github", "crm", "mail"):
        app_make(key, idp)
    recorded = app_make("notion")
    AppAccess.objects.create(application=recorded, person=ana, state="granted", since=T0)
    found = perform("apps.revoke", {"apps": "all", "except": ["mail"]})
    assert isinstance(found, Done)
    assert outside.groups == {"mail-users"}
    assert [task.title for task in Task.objects.all()] == ["Revoke Notion: Ana López"]


def test_one_app_that_fails_keeps_no_other_open(outside: World, perform: Perform) -> None:
    idp = connect("scim", "idp")
    outside.account = RemoteAccount(external_id="u1", username="ana", active=True)
    outside.groups = {"a-users", "b-users", "c-users"}
    for key in ("a", "b", "c"):
        app_make(key, idp)
    outside.fail["remove a-users"] = PermanentError("no")
    outside.fail["remove b-users"] = TransientError("down")
    found = perform("apps.revoke")
    assert isinstance(found, Retry), "what may pass is tried again first"
    assert "A: no" in found.reason
    assert "B: down" in found.reason
    assert outside.groups == {"a-users", "b-users"}
    del outside.fail["remove b-users"]
    found = perform("apps.revoke")
    assert isinstance(found, Failed)
    assert outside.groups == {"a-users"}


def test_several_apps_by_endpoint_have_a_key_each_and_are_settled(
    outside: World, perform: Perform, ana: Person
) -> None:
    connect("http", "hook")
    outside.serves.append("apps.revoke")  # type: ignore[attr-defined]
    for key in ("x", "y"):
        AppAccess.objects.create(application=app_make(key), person=ana, state="granted", since=T0)
    assert isinstance(perform("apps.revoke"), Done)
    assert len({key for _, key in outside.calls}) == 2
    assert set(AppAccess.objects.values_list("state", flat=True)) == {"revoked"}


@pytest.fixture
def welcome() -> MessageTemplate:
    variants = [
        {"language": "fr", "subject": "Bienvenue", "body": "Bonjour {{ person.full_name }}"},
        {"default": True, "subject": "Welcome", "body": "Hello {{ person.full_name }}"},
    ]
    return MessageTemplate.objects.create(key="welcome", variants=variants)


def test_message_is_sent_in_the_recipients_language(
    outside: World, perform: Perform, ana: Person, welcome: MessageTemplate
) -> None:
    Person.objects.filter(pk=ana.pk).update(language="fr")
    assert isinstance(perform("message.send", {"to": "person", "template": "welcome"}), Done)
    assert isinstance(perform("message.send", {"to": "manager", "template": "welcome"}), Done)
    assert [(sent.to, sent.subject) for sent in mail.outbox] == [
        (["ana@acme.test"], "Bienvenue"),
        (["boss@acme.test"], "Welcome"),
    ]


@pytest.mark.parametrize("gone", [True, False])
@pytest.mark.parametrize("hr", [True, False])
def test_message_to_a_missing_manager_goes_to_somebody_with_the_reason(
    outside: World, perform: Perform, ana: Person, welcome: MessageTemplate, gone: bool, hr: bool
) -> None:
    assert ana.manager is not None
    if gone:
        Person.objects.filter(pk=ana.manager.pk).update(status=PersonStatus.ENDED)
    else:
        Person.objects.filter(pk=ana.pk).update(manager=None)
    if hr:
        eve = Person.objects.create(
            work_email="eve@acme.test", status=PersonStatus.ACTIVE, created_at=T0, updated_at=T0
        )
        Role.objects.create(name="hr").members.add(eve, ana)
    found = perform("message.send", {"to": "manager", "template": "welcome"})
    assert isinstance(found, Done)
    assert "manager" in found.reason
    assert mail.outbox[0].to == ["eve@acme.test" if hr else "owner@acme.test"]


def test_message_is_never_sent_again_after_a_crash_in_the_middle(
    outside: World, perform: Perform, welcome: MessageTemplate
) -> None:
    params = {"to": "person", "template": "welcome"}
    found = perform("message.send", params, interrupted=True, effect_begun=True)
    assert isinstance(found, Uncertain)
    assert mail.outbox == []
    assert isinstance(perform("message.send", params, interrupted=True), Done)
    assert len(mail.outbox) == 1


def test_first_channel_that_works_wins(
    outside: World, perform: Perform, welcome: MessageTemplate
) -> None:
    connect("slack")
    params = {"to": "person", "template": "welcome", "channels": ["slack", "email"]}
    assert isinstance(perform("message.send", params), Done)
    assert (len(outside.messages), len(mail.outbox)) == (1, 0)
    outside.fail["chat"] = PermanentError("No such member.")
    found = perform("message.send", params)
    assert isinstance(found, Done)
    assert "No such member." in found.reason
    assert len(mail.outbox) == 1


def test_message_whose_fate_is_unknown_tries_no_other_channel(
    outside: World, perform: Perform, welcome: MessageTemplate
) -> None:
    connect("slack")
    outside.fail["chat"] = UncertainError("No answer.")
    params = {"to": "person", "template": "welcome", "channels": ["slack", "email"]}
    assert isinstance(perform("message.send", params), Uncertain)
    assert mail.outbox == []


def test_message_before_the_first_day_goes_to_the_personal_address_and_never_shows_it(
    outside: World, perform: Perform, ana: Person, welcome: MessageTemplate
) -> None:
    Person.objects.filter(pk=ana.pk).update(
        status=PersonStatus.HIRED, personal_email="ana@home.test"
    )
    connect("slack")
    params = {"to": "personal", "template": "welcome", "channels": ["slack", "email"]}
    found = perform("message.send", params)
    assert isinstance(found, Done)
    assert [sent.to for sent in mail.outbox] == [["ana@home.test"]]
    assert outside.messages == [], "a private address is no Slack account's"
    assert "the personal address of Ana López" in found.summary
    assert "home.test" not in f"{found}"
    action = ACTIONS.get("message.send")
    assert action is not None
    assert "their personal address" in action.sentence(params)


@pytest.mark.parametrize(("status", "sent"), [("hired", []), ("active", [["ana@acme.test"]])])
def test_who_has_no_personal_address_is_written_to_at_work_once_they_are_there(
    outside: World,
    perform: Perform,
    ana: Person,
    welcome: MessageTemplate,
    status: str,
    sent: list[list[str]],
) -> None:
    start = (T0 + timedelta(days=9)).date()
    Person.objects.filter(pk=ana.pk).update(status=status, start_date=start)
    found = perform("message.send", {"to": "personal", "template": "welcome"})
    assert isinstance(found, Done)
    assert [one.to for one in mail.outbox] == sent
    if not sent:
        task = Task.objects.get()
        assert (str(task.role), task.title) == ("hr", "Tell Ana López")
        assert "may not exist before their first day" in found.reason


def test_channel_is_told_by_slack_only(outside: World, perform: Perform) -> None:
    params = {"to": "#it", "subject": "s", "body": "b"}
    found = perform("message.send", params)
    assert isinstance(found, Done)
    assert "task for HR" in found.reason
    connect("slack")
    assert isinstance(perform("message.send", params), Done)
    assert (outside.messages[0].to, mail.outbox) == ("#it", [])


def test_console_is_nobodys_inbox_in_production(
    outside: World, perform: Perform, welcome: MessageTemplate, settings: Any
) -> None:
    settings.PRODUCTION = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
    found = perform("message.send", {"to": "person", "template": "welcome"})
    assert isinstance(found, Done)
    assert "task for HR" in found.reason


def test_bundle_goes_through_its_own_connection(outside: World, perform: Perform) -> None:
    Bundle.objects.create(key="laptop", name="Laptop", connection=connect("http", "shipping"))
    for _ in range(2):
        params = {"bundle": "laptop", "note": "n", "address_from": "the office"}
        assert isinstance(perform("equipment.ship", params), Done)
    assert (outside.payloads[0]["bundle"], outside.payloads[0]["note"]) == ("laptop", "n")
    assert len({key for _, key in outside.calls}) == 1, "a repeat carries the same key"


def test_http_call_fills_path_headers_and_body(outside: World, perform: Perform) -> None:
    connect("http", "hook")
    params = {
        "connection": "hook",
        "method": "PUT",
        "path": "/people/{{ person.full_name }}",
        "headers": {"X-Who": "{{ person.work_email }}"},
        "body": '{"name": "{{ person.full_name }}"}',
    }
    assert isinstance(perform("http.call", params), Done)
    assert outside.calls[0][0] == "PUT /people/Ana%20L%C3%B3pez"
    assert outside.payloads[0]["headers"] == {"X-Who": "ana@acme.test"}


def test_http_call_without_an_answer_is_repeated_with_the_same_key(
    outside: World, perform: Perform
) -> None:
    connect("http", "hook")
    outside.fail["POST"] = UncertainError("No answer.")
    for _ in range(2):
        assert isinstance(perform("http.call", {"connection": "hook"}), Retry)
    assert len({key for _, key in outside.calls}) == 1


def test_task_is_opened_once_and_waited_for(outside: World, perform: Perform) -> None:
    params = {"title": "Desk for {{ person.full_name }}", "assignee": "facilities"}
    for _ in range(2):
        found = perform("task.create", {**params, "wait_until_done": True})
        assert isinstance(found, Wait)
    task = Task.objects.get()
    assert task.title == "Desk for Ana López"
    assert task.role is not None
    assert task.role.name == "facilities"
    task_done(task.pk, by=None, by_label="x", comment="Did it.", now=T0)
    assert isinstance(perform("task.create", {**params, "wait_until_done": True}), Done)


def test_task_for_an_unknown_address_goes_to_it_with_the_reason(
    outside: World, perform: Perform
) -> None:
    found = perform("task.create", {"title": "t", "assignee": "who@acme.test"})
    assert isinstance(found, Done)
    assert "who@acme.test" in found.reason


def test_request_moves_on_once(outside: World, perform: Perform, ana: Person) -> None:
    service = Service.objects.create(key="laptop", name="Laptop")
    request = Request.objects.create(service=service, requester=ana, created_at=T0, updated_at=T0)
    params = {"status": "resolved"}
    assert isinstance(perform("request.set_status", params, request=request), Done)
    assert isinstance(perform("request.set_status", params, request=request), Done)
    assert isinstance(perform("request.set_status", params), Skipped)
    request.refresh_from_db()
    assert request.status == "resolved"


def test_flow_stops_with_its_reason(outside: World, perform: Perform) -> None:
    found = perform("flow.stop", {"reason": "Enough."})
    assert isinstance(found, Stop)
    assert found.reason == "Enough."
