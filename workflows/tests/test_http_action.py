"""The signed call: what is sent, what an answer means, and the call that comes back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from standardwebhooks.webhooks import Webhook

from integrations.models import Connection, Delivery
from integrations.services import connection_save, connection_test
from integrations.tests.servers import Answer, Asked, Served, serving
from people.models import Person
from siit_remote.lib import clock
from workflows.actions.http_call import HttpCallParams
from workflows.answer_rules import meaning_of, rule_parse
from workflows.engine.service import run_due
from workflows.models import Callback, Run, StepRun, Task
from workflows.tasks_by_hand import task_done
from workflows.tests.engine import nodes
from workflows.tests.engine.conftest import DUE, END, person_make, workflow_make

pytestmark = pytest.mark.django_db
Make = Callable[..., Any]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
__all__ = ["person_make", "workflow_make"]


class Endpoint:
    """A receiver of somebody's own: says what the test wants, keeps what it was asked."""

    def __init__(self) -> None:
        self.say: Callable[[Asked], Answer] = lambda asked: Answer(200, json={})
        self.server: Served | None = None

    @property
    def asked(self) -> list[Asked]:
        assert self.server is not None
        return [one for one in self.server.asked if one.method != "HEAD"]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    nodes.install()
    found = Endpoint()
    with serving(lambda asked: found.say(asked)) as server:
        found.server = server
        connection_test(
            connection_save(
                key="hr-robot",
                connector="http",
                name="HR robot",
                config={"base_url": f"{server.url}/api"},
                secrets={"signing_secret": SECRET},
            )
        )
        yield found


@pytest.fixture
def start(person_make: Make, workflow_make: Make, endpoint: Endpoint) -> Callable[..., StepRun]:
    """Publish a call with these params, let it fall due for one person, and run it."""

    def go(**params: Any) -> StepRun:
        assert HttpCallParams.validate({"connection": "hr-robot", **params}, "p") == []
        person_make("ana", end_date=END)
        Person.objects.update(full_name='Ana "The" Lopez\r\nX-Evil: 1')
        step = {
            "key": "call",
            "action": "http.call",
            "params": {"connection": "hr-robot", **params},
        }
        workflow_make("robot", steps=[step])
        work(DUE)
        return StepRun.objects.get()

    return go


def work(at: datetime) -> StepRun:
    with clock.fixed(at):
        run_due(now=at)
    return StepRun.objects.get()


def test_call_is_signed_filled_in_and_escaped_for_its_places(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    step = start(
        method="PUT",
        path="people/{{ person.work_email }}/leave",
        query={"name": "{{ person.full_name }}", "a&b": "c=d"},
        headers={"X-Name": "{{ person.full_name }}"},
        body='{"name": "{{ person.full_name }}", "n": 1}',
    )
    assert step.status == StepRun.Status.DONE
    (asked,) = endpoint.asked
    assert (asked.method, asked.path) == ("PUT", "/api/people/ana@acme.test/leave")
    assert asked.json() == {"name": 'Ana "The" Lopez\r\nX-Evil: 1', "n": 1}
    assert asked.query == {"name": 'Ana "The" Lopez X-Evil: 1', "a&b": "c=d"}
    assert asked.headers["x-name"] == 'Ana "The" Lopez X-Evil: 1'
    assert "x-evil" not in asked.headers
    Webhook(SECRET).verify(asked.body, asked.headers)
    assert asked.headers["webhook-id"] == asked.headers["idempotency-key"] == step.idempotency_key
    row = Delivery.objects.latest("pk")
    assert row.operation == "PUT /people/{…}/leave"
    assert "ana" not in row.target


@pytest.mark.parametrize(
    ("params", "answer", "status", "words"),
    [
        ({}, Answer(200), "done", ""),
        ({}, Answer(204), "done", ""),
        ({}, Answer(404), "failed", "refused (404)"),
        ({"expect": "404, 410"}, Answer(404), "done", ""),
        ({"expect": "201"}, Answer(200), "failed", "does not count as success"),
        ({"answer": {"failed": "/error exists"}}, Answer(200, json={"ok": 1}), "done", ""),
        (
            {"answer": {"failed": "/error exists"}},
            Answer(200, json={"error": {"code": 7}}),
            "failed",
            "means that it failed (/error exists)",
        ),
        (
            {"answer": {"done": "/job/state = finished, OK"}},
            Answer(200, json={"job": {"state": "ok"}}),
            "done",
            "",
        ),
        (
            {"answer": {"done": "/job/state = finished"}},
            Answer(200, json={"job": {"state": "weird"}}),
            "failed",
            "nothing in the answer says that it is done",
        ),
        ({"answer": {"done": "/ok = true"}}, Answer(200, body=b"<html>"), "retrying", "not JSON"),
        (
            {"answer": {"later": "/state = queued"}},
            Answer(202, json={"state": "queued"}),
            "retrying",
            "not done yet",
        ),
    ],
)
def test_answer_means_what_the_step_says(
    start: Callable[..., StepRun],
    endpoint: Endpoint,
    params: dict[str, Any],
    answer: Answer,
    status: str,
    words: str,
) -> None:
    endpoint.say = lambda asked: answer
    step = start(**params)
    assert step.status == status
    assert words in step.reason


def test_later_is_asked_again_by_the_same_key_until_it_is_done(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    answers = iter(["queued", "queued", "finished"])
    endpoint.say = lambda asked: Answer(202, json={"state": next(answers)})
    start(answer={"later": "/state = queued", "done": "/state = finished"})
    work(DUE + timedelta(minutes=11))
    step = work(DUE + timedelta(minutes=22))
    assert step.status == StepRun.Status.DONE
    assert {one.headers["idempotency-key"] for one in endpoint.asked} == {step.idempotency_key}
    assert len(endpoint.asked) == 3


def test_body_that_is_no_json_once_filled_in_is_not_sent(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    step = start(body='{"name": {{ person.full_name }}}')
    assert step.status == StepRun.Status.FAILED
    assert "no JSON" in step.error
    assert endpoint.asked == []


def call_back(
    address: str, body: Any, *, secret: str = SECRET, at: datetime | None = None, name: str = "m1"
) -> int:
    """What the endpoint does: sign with the standard's own library and post."""
    raw = json.dumps(body)
    moment = at or clock.system_now()
    headers = {
        "webhook-id": name,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, moment, raw),
    }
    path = address.partition("/callbacks/")[2]
    answer = Client().post(
        f"/callbacks/{path}", data=raw, content_type="application/json", headers=headers
    )
    return answer.status_code


@pytest.fixture
def waiting(start: Callable[..., StepRun], endpoint: Endpoint) -> str:
    """A step that waits for a call; its address."""
    endpoint.say = lambda asked: Answer(202, json={"state": "working"})
    step = start(callback=True, timeout_hours=24)
    assert step.status == StepRun.Status.WAITING
    assert "Waits for hr-robot to call back" in step.reason
    (asked,) = endpoint.asked
    assert asked.json()["callback_url"] == asked.headers["siit-callback-url"]
    return str(asked.headers["siit-callback-url"])


def test_call_that_comes_back_ends_the_step_once(waiting: str, endpoint: Endpoint) -> None:
    Callback.objects.update(expires_at=clock.system_now() + timedelta(hours=1))
    assert call_back(waiting, {"status": "later"}, name="m0") == 202
    assert Callback.objects.get().state == Callback.State.OPEN
    assert call_back(waiting, {"status": "done", "message": "Badge  off"}) == 202
    assert call_back(waiting, {"status": "done"}) == 200
    assert call_back(waiting, {"status": "failed"}, name="m2") == 410
    at = clock.system_now() + timedelta(seconds=1)
    Run.objects.update(wake_at=at)
    step = work(at)
    assert step.status == StepRun.Status.DONE
    assert step.outcome["summary"] == "hr-robot called back: done. It says: Badge off"
    assert len(endpoint.asked) == 1


def test_call_that_says_failed_fails_the_step(waiting: str) -> None:
    Callback.objects.update(expires_at=clock.system_now() + timedelta(hours=1))
    assert call_back(waiting, {"status": "failed", "message": "No such badge"}) == 202
    step = work(Run.objects.get().wake_at or DUE)
    assert step.status == StepRun.Status.FAILED
    assert "No such badge" in step.error


def test_calls_that_are_not_genuine_change_nothing(waiting: str) -> None:
    Callback.objects.update(expires_at=clock.system_now() + timedelta(hours=1))
    done = {"status": "done"}
    other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
    assert call_back(waiting, done, secret=other) == 401
    assert call_back(waiting, done, at=clock.system_now() - timedelta(minutes=6)) == 401
    assert call_back(waiting, done, at=clock.system_now() + timedelta(minutes=6)) == 401
    assert call_back(waiting[:-2] + ("A/" if waiting[-2] != "A" else "B/"), done) == 404
    path = f"/callbacks/{waiting.partition('/callbacks/')[2]}"
    plain = Client().post(path, data=b"{}", content_type="application/json")
    odd = Client().post(
        path,
        data=b"{}",
        content_type="application/json",
        headers={"webhook-id": "\xff", "webhook-timestamp": "NaN", "webhook-signature": "v1,é"},
    )
    large = Client().post(path, data=b"x" * 70_000, content_type="application/json")
    assert (plain.status_code, odd.status_code, large.status_code) == (401, 401, 413)
    row = Callback.objects.get()
    assert (row.state, row.refused) == (Callback.State.OPEN, 5)
    assert StepRun.objects.get().status == StepRun.Status.WAITING


@pytest.mark.parametrize("body", [[], "done", {"status": "maybe"}, {"state": 1}, None])
def test_genuine_call_that_says_nothing_usable_is_refused(waiting: str, body: Any) -> None:
    Callback.objects.update(expires_at=clock.system_now() + timedelta(hours=1))
    assert call_back(waiting, body) == 400
    assert Callback.objects.get().state == Callback.State.OPEN


def test_no_call_in_time_fails_the_step(waiting: str) -> None:
    assert work(DUE + timedelta(hours=23)).status == StepRun.Status.WAITING
    step = work(DUE + timedelta(hours=24, minutes=1))
    assert step.status == StepRun.Status.FAILED
    assert "did not call back in time" in step.error
    assert call_back(waiting, {"status": "done"}) == 410 or Callback.objects.get().answered_at


def test_no_call_in_time_may_become_a_task_that_the_step_waits_for(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    start(callback=True, timeout_hours=1, on_timeout="task")
    step = work(DUE + timedelta(hours=2))
    assert step.status == StepRun.Status.WAITING
    task = Task.objects.get()
    assert "did not call back in time" in task.body
    at = DUE + timedelta(hours=3)
    task_done(task.pk, by=None, by_label="IT", comment="It was done.", now=at)
    assert work(at).status == StepRun.Status.DONE


def test_answer_may_be_final_although_a_call_was_to_come(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    endpoint.say = lambda asked: Answer(200, json={"state": "ready"})
    step = start(callback=True, answer={"done": "/state = ready"})
    assert step.status == StepRun.Status.DONE


def test_step_reads_a_call_back_by_its_own_rules(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    endpoint.say = lambda asked: Answer(202, json={})
    start(callback=True, answer={"failed": "/result/error exists", "done": "/result exists"})
    Callback.objects.update(expires_at=clock.system_now() + timedelta(hours=1))
    address = endpoint.asked[0].headers["siit-callback-url"]
    assert call_back(address, {"result": {"error": "x"}}) == 202
    assert Callback.objects.get().state == Callback.State.FAILED


def test_repeated_call_names_the_same_address_and_the_address_is_not_stored(
    start: Callable[..., StepRun], endpoint: Endpoint
) -> None:
    answers = iter([Answer(drop=True), Answer(202, json={})])
    endpoint.say = lambda asked: next(answers)
    start(callback=True)
    work(DUE + timedelta(minutes=11))
    first, second = (one.headers["siit-callback-url"] for one in endpoint.asked)
    assert first == second
    token = first.rstrip("/").rpartition("/")[2]
    assert len(token) == 43
    assert token not in repr(list(Callback.objects.values()))


def test_disconnected_endpoint_is_not_believed(waiting: str) -> None:
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    assert call_back(waiting, {"status": "done"}) == 401


@pytest.mark.parametrize(
    ("params", "place"),
    [
        ({"expect": "2xx"}, "p.expect"),
        ({"expect": "200;201"}, "p.expect"),
        ({"answer": {"done": "status = ok"}}, "p.answer.done"),
        ({"answer": {"done": "/status ="}}, "p.answer.done"),
        ({"answer": {"maybe": "/x exists"}}, "p.answer"),
        ({"query": {"q": "{{ person.password }}"}}, "p.query.q"),
        ({"body": "{{ callback.secret }}"}, "p.body"),
        ({"headers": {"Content-Type": "text/xml"}}, "p.headers.Content-Type"),
        ({"timeout_hours": 0}, "p.timeout_hours"),
        ({"on_timeout": "shrug"}, "p.on_timeout"),
    ],
)
def test_mistakes_are_named_where_they_stand(params: dict[str, Any], place: str) -> None:
    problems = HttpCallParams.validate({"connection": "x", **params}, "p")
    assert [problem.path for problem in problems] == [place]


def test_callback_address_is_a_name_of_this_step_only() -> None:
    good = {"connection": "x", "body": '{"to": "{{ callback.url }}"}'}
    assert HttpCallParams.validate(good, "p") == []


@pytest.mark.parametrize(
    ("rule", "document", "holds"),
    [
        ("/a = x", {"a": "X"}, True),
        ("/a = 1, 2", {"a": 2}, True),
        ("/a = true", {"a": True}, True),
        ("/a = 1", {"a": True}, False),
        ("/a != x", {"a": "y"}, True),
        ("/a != x", {}, False),
        ("/a/0/b exists", {"a": [{"b": 0}]}, True),
        ("/a/1 exists", {"a": [1]}, False),
        ("/a missing", {"a": None}, True),
        ("/a~1b/c~0d = x", {"a/b": {"c~d": "x"}}, True),
        ("/a = {}", {"a": {}}, False),
        ("/a exists", [], False),
        ("/a exists", "a", False),
    ],
)
def test_rules_read_places_of_json(rule: str, document: Any, holds: bool) -> None:
    parsed = rule_parse(rule)
    assert parsed is not None
    assert parsed.holds(document) is holds
    assert (meaning_of({"done": rule}, document) == "done") is holds
