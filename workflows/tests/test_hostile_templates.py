"""A corpus of hostile templates: nothing is told, nothing grows, nothing takes long."""

from __future__ import annotations

import contextlib
import json
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any, get_args

import pytest
from django.conf import settings

from people.models import Person
from workflows.messages import message_context, render_message, source_problems
from workflows.models import Request, Run, Service, Workflow, WorkflowVersion
from workflows.templating import MAX_OUTPUT, Channel, TemplateProblemError, parsed, render
from workflows.tests.hostile_templates import hostile_templates

CORPUS = list(hostile_templates())
T0 = datetime(2026, 11, 2, tzinfo=UTC)
CANARY = "canary-4711"
CALLS = 60_000
"""Calls of functions that reading and filling one template may take; about 20 ms of one core."""
MEMORY = 4_000_000


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """A context from rows that are full of what no template may tell."""
    person = Person(
        pk=1,
        work_email="ana@acme.test",
        full_name='Ana "The" <b>Lopez</b>',
        date_of_birth=date(1987, 3, 9),
        remote_id=CANARY,
        created_at=T0,
        updated_at=T0,
    )
    workflow = Workflow(key="w", name="W", draft={"secret": CANARY})
    version = WorkflowVersion(workflow=workflow, number=1, document={"secret": CANARY})
    run = Run(
        pk=1,
        workflow=workflow,
        version=version,
        person=person,
        anchor="2026-11-02",
        due_at=T0,
        snapshot={"person.date_of_birth": CANARY},
    )
    request = Request(
        pk=1, service=Service(name="Laptop"), requester=person, status="open", form={"model": "x"}
    )
    return message_context(person, run=run, request=request)


@contextlib.contextmanager
def counted() -> Iterator[list[int]]:
    """Calls of functions inside, of Python's and of C's."""
    calls = [0]

    def look(frame: Any, event: str, arg: Any) -> None:
        if event in ("call", "c_call"):
            calls[0] += 1

    former = sys.getprofile()
    sys.setprofile(look)
    try:
        yield calls
    finally:
        sys.setprofile(former)


def test_corpus_is_large_enough_and_without_repeats() -> None:
    assert len(CORPUS) >= 200
    assert len(set(CORPUS)) == len(CORPUS)


@pytest.mark.parametrize("source", CORPUS, ids=range(len(CORPUS)))
def test_hostile_template_tells_nothing_and_costs_little(source: str, told: dict[str, Any]) -> None:
    parsed.cache_clear()
    for channel in get_args(Channel):
        tracemalloc.start()
        try:
            with counted() as calls:
                text = render(source, told, channel)
        except TemplateProblemError as error:
            text = str(error)
            assert len(text) < 400
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert calls[0] <= CALLS
        assert peak <= MEMORY
        assert len(text.encode()) <= MAX_OUTPUT
        _assert_nothing_told(text)
        if channel in ("header", "path"):
            assert "\n" not in text
            assert "\r" not in text
        if channel == "html":
            assert "<script" not in text
            assert "<b>" not in text
        if channel == "slack":
            assert "<!" not in text
            assert "<@" not in text


def _assert_nothing_told(text: str) -> None:
    for secret in (CANARY, "1987", settings.SECRET_KEY, "root:x:", "/bin/", "environ(", "<class"):
        assert secret not in text
    assert "date_of_birth', " not in text


@pytest.mark.parametrize("source", CORPUS, ids=range(len(CORPUS)))
def test_hostile_template_is_judged_without_an_error(source: str) -> None:
    with counted() as calls:
        problems = source_problems(source, "body")
    assert calls[0] <= 4 * CALLS
    assert all(problem.path == "body" and problem.message for problem in problems)


@pytest.mark.parametrize(
    "source",
    [one for one in CORPUS if "SECRET_KEY }}" in one or "date_of_birth }}" in one],
)
def test_probe_for_a_secret_is_refused_when_it_is_saved(source: str) -> None:
    harmless = "raw %}" in source or "comment %}" in source
    assert bool(source_problems(source, "body")) is not harmless


@pytest.mark.parametrize("value", ['"}, "admin": true, {"', "\\", "\u2028", "</script>", "\x07"])
def test_value_cannot_leave_its_place_in_json(value: str, told: dict[str, Any]) -> None:
    context = {**told, "person": {**told["person"], "full_name": value}}
    filled = render('{"name": "{{ person.full_name }}"}', context, "json")
    assert json.loads(filled) == {"name": value}


def test_whole_message_stays_within_the_limit_or_is_refused(told: dict[str, Any]) -> None:
    with pytest.raises(TemplateProblemError, match="64 kB"):
        render_message("Hi", "\n" * 19_000, told)
    rendered = render_message("Hi", "x" * 19_000, told)
    assert len(rendered.html) < MAX_OUTPUT


def test_ordinary_template_with_a_loop_and_filters_still_works(told: dict[str, Any]) -> None:
    source = (
        "Hello {{ person.preferred_name | default: person.full_name }},\n"
        "{% assign words = 'laptop, phone, badge' | split: ', ' %}"
        "{% for word in words %}- {{ word | capitalize }}\n{% endfor %}"
        "{% if person.start_date != '' %}You start on {{ person.start_date }}.{% endif %}"
    )
    assert source_problems(source, "body") == []
    assert "- Laptop\n- Phone\n- Badge\n" in render(source, told, "text")
