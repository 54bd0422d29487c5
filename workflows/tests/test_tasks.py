"""Tasks for people: opened once, taken, handed over, ticked, done with proof or refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail

from integrations.connectors.base import OutgoingMessage
from integrations.errors import TransientError
from people.models import Person, Role
from siit_remote.audit.models import AuditEntry
from workflows.models import Task
from workflows.task_days import days_of
from workflows.tasks_by_hand import TaskRefusedError, task_done, task_open, task_refuse
from workflows.tasks_handing import task_comment, task_hand_over, task_take, task_tick
from workflows.tasks_watch import tasks_move_from_gone, tasks_watch
from workflows.tests.asking_kit import T0, day, person_make

pytestmark = pytest.mark.django_db
AT_MIDSUMMER = datetime(2026, 7, 13, 8, 0, tzinfo=UTC)
"""A Monday; the 14th is a holiday in France, not in Germany."""


@pytest.fixture
def kit() -> dict[str, Person]:
    people = {
        name: person_make(name, country=country, timezone=zone)
        for name, country, zone in (
            ("ida", "FRA", "Europe/Paris"),
            ("ian", "DEU", "Europe/Berlin"),
            ("lead", "FRA", "Europe/Paris"),
            ("hans", "DEU", "Europe/Berlin"),
        )
    }
    Role.objects.create(name="it", lead=people["lead"]).members.add(people["ida"], people["ian"])
    Role.objects.create(name="hr").members.add(people["hans"])
    return people


def _task(**values: object) -> Task:
    return task_open(**{"key": "k", "title": "Order a laptop", "role": "it", "now": T0, **values})  # type: ignore[arg-type]


def _notes(task: Task) -> list[str]:
    return list(task.notes.values_list("text", flat=True))


@pytest.mark.parametrize(("who", "due"), [("ida", date(2026, 7, 16)), ("ian", date(2026, 7, 15))])
def test_due_day_counts_working_days_of_whoever_has_it(
    kit: dict[str, Person], who: str, due: date
) -> None:
    task = _task(role="", assignee=kit[who], now=AT_MIDSUMMER, due_days=2)
    assert task.due_on == due


def test_a_roles_days_are_its_leads_else_what_its_members_share(kit: dict[str, Person]) -> None:
    role = Role.objects.get(name="it")
    assert days_of(assignee=None, role=role, subject=None).country == "FRA"
    role.lead = None
    assert days_of(assignee=None, role=role, subject=None).country == ""
    role.members.set([kit["ian"]])
    assert days_of(assignee=None, role=role, subject=None).zone == "Europe/Berlin"


def test_finishing_asks_what_was_done_and_keeps_it(kit: dict[str, Person]) -> None:
    task = _task(checklist=["Order", "Tell them"])
    with pytest.raises(TaskRefusedError, match="Say what you did"):
        task_done(task.pk, by=kit["ida"], by_label="ida@acme.test", comment=" ", now=T0)
    with pytest.raises(TaskRefusedError, match="2 of 2 points"):
        task_done(task.pk, by=kit["ida"], by_label="ida@acme.test", comment="Done", now=T0)
    for point in (0, 1):
        task_tick(task.pk, point=point, done=True, by="ida@acme.test", now=T0)
    task_done(task.pk, by=kit["ida"], by_label="ida@acme.test", comment="Order 4711.", now=T0)
    task.refresh_from_db()
    assert (task.status, task.comment, task.done_by) == ("done", "Order 4711.", kit["ida"])
    assert task.checklist[0]["by"] == "ida@acme.test"
    with pytest.raises(TaskRefusedError, match=r"done already, by ida@acme\.test"):
        task_refuse(task.pk, by=None, by_label="ian@acme.test", reason="No", now=T0)
    with pytest.raises(TaskRefusedError, match="not open"):
        task_tick(task.pk, point=0, done=False, by="x", now=T0)
    with pytest.raises(TaskRefusedError, match="done already"):
        task_hand_over(task.pk, to=kit["ian"], reason="x", by_label="x", now=T0)


def test_a_point_that_does_not_exist_is_refused(kit: dict[str, Person]) -> None:
    task = _task(checklist=["One"])
    with pytest.raises(TaskRefusedError, match="no such point"):
        task_tick(task.pk, point=1, done=True, by="x", now=T0)


def test_taken_once_and_handed_over_with_a_reason(kit: dict[str, Person]) -> None:
    task = _task()
    task_take(task.pk, by=kit["ida"], now=T0)
    with pytest.raises(TaskRefusedError, match="Ida has it now"):
        task_take(task.pk, by=kit["ian"], now=T0)
    with pytest.raises(TaskRefusedError, match="Say why"):
        task_hand_over(task.pk, to=kit["ian"], reason="", by_label="ida@acme.test", now=T0)
    Person.objects.filter(pk=kit["ian"].pk).update(status="ended")
    gone = Person.objects.get(pk=kit["ian"].pk)
    with pytest.raises(TaskRefusedError, match="has left"):
        task_hand_over(task.pk, to=gone, reason="x", by_label="ida@acme.test", now=T0)
    task_hand_over(
        task.pk, to=Role.objects.get(name="hr"), reason="Theirs", by_label="ida@acme.test", now=T0
    )
    task.refresh_from_db()
    assert (task.assignee, str(task.role)) == (None, "hr")
    assert _notes(task) == ["Ida took it.", "Handed over by ida@acme.test to hr: Theirs"]
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["task.created", "task.taken", "task.handed_over"]


def test_comment_is_kept_and_nothing_is_none(kit: dict[str, Person]) -> None:
    task = _task()
    task_comment(task.pk, text=" Which model? ", by=kit["ida"], now=T0)
    with pytest.raises(TaskRefusedError):
        task_comment(task.pk, text="  ", by=kit["ida"], now=T0)
    note = task.notes.get()
    assert (note.text, note.author, note.comment) == ("Which model?", kit["ida"], True)


def test_everybody_of_the_role_gets_one_mail_for_all_new_tasks(kit: dict[str, Person]) -> None:
    for number in range(3):
        _task(key=f"k{number}", title=f"Thing {number}")
    assert tasks_watch(now=T0)["told"] == 2
    assert sorted(item.to[0] for item in mail.outbox) == ["ian@acme.test", "ida@acme.test"]
    assert mail.outbox[0].subject == "3 tasks need you"
    assert "Yours now: Thing 2, due 5 Nov 2026" in str(mail.outbox[0].body)
    assert tasks_watch(now=T0 + timedelta(minutes=5))["told"] == 0


def test_reminded_on_the_due_day_then_each_working_day_then_passed_on(
    kit: dict[str, Person],
) -> None:
    task = _task(due_days=2)
    seen: dict[int, str] = {}
    for number in range(12):
        before = len(mail.outbox)
        tasks_watch(now=day(number, hour=10))
        if len(mail.outbox) > before:
            seen[number] = str(mail.outbox[-1].subject).partition(":")[0]
    # Monday told, Wednesday due, Thursday and Friday overdue; the weekend is left
    # alone, and so is 11 November, a holiday of the lead’s country.
    assert seen == {
        0: "Yours now", 2: "Due today", 3: "Overdue", 4: "Overdue",
        7: "Yours now", 8: "Overdue", 10: "Overdue", 11: "Overdue",
    }  # fmt: skip
    task.refresh_from_db()
    assert (task.assignee, str(task.role)) == (kit["lead"], "it")
    assert _notes(task) == ["it did not do it in time; Lead has it now."]
    assert AuditEntry.objects.filter(action="task.escalated").count() == 1
    assert mail.outbox[-1].to == ["lead@acme.test"]


def test_a_task_without_a_due_day_is_late_all_the_same_and_passed_on(
    kit: dict[str, Person],
) -> None:
    task = _task()
    Task.objects.filter(pk=task.pk).update(due_on=None)
    words = []
    for number in range(9):
        before = len(mail.outbox)
        tasks_watch(now=day(number, hour=10))
        words += [str(item.subject).partition(":")[0] for item in mail.outbox[before:]]
    assert {"Due today", "Overdue"} <= set(words)
    task.refresh_from_db()
    assert task.assignee == kit["lead"]
    assert _notes(task) == ["it did not do it in time; Lead has it now."]


def test_a_simulated_fortnight_keeps_the_holidays_of_two_countries(
    kit: dict[str, Person],
) -> None:
    for who in ("ida", "ian"):
        _task(key=who, title=who, role="", assignee=kit[who], now=AT_MIDSUMMER, due_days=1)
    told: dict[str, list[int]] = {"ida@acme.test": [], "ian@acme.test": []}
    for hours in range(24 * 5):
        now = AT_MIDSUMMER + timedelta(hours=hours)
        before = len(mail.outbox)
        tasks_watch(now=now)
        for item in mail.outbox[before:]:
            told.setdefault(item.to[0], []).append(now.day)
    # 14 July is a day off for Ida alone: her next working day is the 15th.
    assert told["ian@acme.test"] == [13, 14, 15, 16]
    assert told["hans@acme.test"] == [17]
    assert told["ida@acme.test"] == [13, 15, 16, 17]


@pytest.mark.parametrize(
    ("named", "who"), [("hans@acme.test", "hans"), ("hr", None), ("nobody", "lead")]
)
def test_escalation_goes_where_the_task_says_else_to_the_lead(
    kit: dict[str, Person], named: str, who: str | None
) -> None:
    task = _task(due_days=0, escalate_after=0, escalate_to=named)
    tasks_watch(now=T0)
    tasks_watch(now=day(1, hour=10))
    task.refresh_from_db()
    assert task.assignee == (kit[who] if who else None)
    assert str(task.role) == ("hr" if named == "hr" else "it")


def test_a_role_without_members_is_never_silent(kit: dict[str, Person]) -> None:
    task = _task(role="facilities")
    tasks_watch(now=T0)
    task.refresh_from_db()
    assert str(task.role) == "hr"
    assert _notes(task) == ["facilities cannot do it; hr has it now."]
    assert [item.to for item in mail.outbox] == [["hans@acme.test"]]


def test_where_nobody_is_left_the_task_says_so(db: None) -> None:
    task = _task(role="facilities")
    tasks_watch(now=T0)
    task.refresh_from_db()
    assert "nobody else is named" in _notes(task)[0]
    assert task.is_open


def test_the_person_it_is_about_never_gets_it(kit: dict[str, Person]) -> None:
    task = _task(subject=kit["lead"], due_days=0, escalate_after=0)
    tasks_watch(now=day(1, hour=10))
    task.refresh_from_db()
    assert (task.assignee, str(task.role)) == (None, "hr")


def test_task_of_somebody_who_left_goes_back_to_the_role_and_is_told(
    kit: dict[str, Person],
) -> None:
    task = _task()
    task_take(task.pk, by=kit["ida"], now=T0)
    tasks_watch(now=T0)
    mail.outbox.clear()
    Person.objects.filter(pk=kit["ida"].pk).update(status="ended")
    assert tasks_move_from_gone(now=T0) == 1
    assert tasks_move_from_gone(now=T0) == 0
    tasks_watch(now=T0)
    task.refresh_from_db()
    assert (task.assignee, str(task.role)) == (None, "it")
    assert [item.to for item in mail.outbox] == [["ian@acme.test"]]


def test_mail_that_cannot_be_sent_is_tried_again(
    kit: dict[str, Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    task = _task()
    monkeypatch.setattr("workflows.tasks_watch.tasks_tell", lambda *_a, **_k: False)
    assert tasks_watch(now=T0)["told"] == 0
    monkeypatch.undo()
    task.refresh_from_db()
    assert (task.notified_at, task.remind_at) == (None, T0 + timedelta(hours=1))
    assert tasks_watch(now=T0 + timedelta(hours=1))["told"] == 2


class _Chat:
    """A connected Slack that takes or refuses a message."""

    channel = "slack"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.sent: list[OutgoingMessage] = []

    def send(self, message: OutgoingMessage, **_rest: object) -> str:
        if self.error is not None:
            raise self.error
        self.sent.append(message)
        return "1.0"


@pytest.mark.parametrize("broken", [False, True])
def test_slack_says_it_too_where_it_is_connected(
    kit: dict[str, Person], monkeypatch: pytest.MonkeyPatch, broken: bool
) -> None:
    chat = _Chat(TransientError("Down.") if broken else None)
    monkeypatch.setattr("workflows.task_mail.messenger_for", lambda _channel: (None, chat))
    _task(subject=kit["hans"])
    assert tasks_watch(now=T0)["told"] == 2
    assert [item.to for item in chat.sent] == ([] if broken else ["ian@acme.test", "ida@acme.test"])
    assert len(mail.outbox) == 2, "mail goes out whatever Slack does"
    assert "Hans" not in str(mail.outbox[0].body), "whom it is about is read after signing in"
