"""After any sequence of syncs, policies and overrides, the directory is as if it were made anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.fields_custom import custom_field_use_set
from people.fields_policy import Terms, proposal_apply, proposal_create, proposal_preview
from people.loading import directory_load, policy_load
from people.models import CustomField, FieldPolicy, FieldProposal, Person, SourceRecord
from people.overriding import person_override_remove, person_override_set
from people.plan import DATES, FIELDS, Directory, KnownPerson
from people.reconcile import reconcile
from people.records import WorkerRecord
from people.services import people_resolve_all
from people.tests.build import NOW, day, feed, worker

NAMES = ("ana", "bob", "eve")
SOURCED = ("job_title", "team", "country", "manager", "full_name", "custom.level", "timezone")
VALUES: dict[str, list[Any]] = {
    "job_title": ["Lead", None],
    "country": ["ITA", None],
    "end_date": [day(20), day(-3), None],
    "manager": ["bob@acme.test", None],
    "worker_type": ["contractor"],
    "custom.level": [9, None],
}


@st.composite
def _employment(draw: st.DrawFn, name: str) -> WorkerRecord:
    ended = draw(st.booleans()) and draw(st.booleans())
    end = day(-5) if ended else draw(st.sampled_from([None, day(30)]))
    return worker(
        f"r-{name}",
        name,
        contract_status="ended" if ended else "active",
        end_date=end,
        job_title=draw(st.sampled_from(["", "Engineer", "Clerk"])),
        country=draw(st.sampled_from(["FRA", "USA", ""])),
        manager_email=draw(st.sampled_from(["", "ana@acme.test", "bob@acme.test"])),
        custom=draw(st.sampled_from([{}, {"level": 1}, {"level": 2}])),
    )


@st.composite
def _account(draw: st.DrawFn, name: str) -> WorkerRecord:
    return WorkerRecord(
        source="idp",
        external_id=f"i-{name}",
        account=True,
        deactivated=draw(st.booleans()) and draw(st.booleans()),
        work_email=f"{name}@acme.test",
        full_name=draw(st.sampled_from([name.title(), f"{name.title()} Idp"])),
        job_title=draw(st.sampled_from(["", "Developer"])),
        team=draw(st.sampled_from(["", "Platform"])),
        timezone=draw(st.sampled_from(["", "Europe/Rome"])),
        manager_external_id=draw(st.sampled_from(["", "i-eve", "i-none"])),
    )


def _feed(kind: Any) -> st.SearchStrategy[tuple[str, Any]]:
    everybody = st.tuples(*(kind(name) for name in NAMES))
    return st.tuples(everybody, st.integers(1, 3)).map(lambda pair: ("feed", pair[0][: pair[1]]))


_OVERRIDE = st.sampled_from(sorted(VALUES)).flatmap(
    lambda field: st.tuples(
        st.just("override"), st.sampled_from(NAMES), st.just(field), st.sampled_from(VALUES[field])
    )
)
_OPERATIONS = st.one_of(
    _feed(_employment),
    _feed(_account),
    st.tuples(
        st.just("policy"),
        st.sampled_from(SOURCED),
        st.sampled_from([(), ("idp",), ("remote",), ("idp", "remote")]),
    ),
    _OVERRIDE,
    st.tuples(st.just("take back"), st.sampled_from(NAMES), st.sampled_from(sorted(VALUES))),
    st.tuples(st.just("use"), st.booleans()),
    st.tuples(st.just("resolve")),
)


def _do(operation: Any, now: datetime) -> None:
    verb, *what = operation
    if verb == "feed":
        feed(what[0], now=now)
    elif verb == "policy":
        proposal = proposal_create({what[0]: Terms(sources=what[1])}, now=now, actor=None)
        if proposal is not None:
            shown = len(proposal_preview(proposal, now=now).plan.updated)
            assert proposal_apply(proposal, now=now).updated == shown
    elif verb == "use":
        custom_field_use_set(CustomField.objects.get(), enabled=what[0], now=now)
    elif verb == "resolve":
        people_resolve_all(now=now, correlation="property")
    else:
        _by_hand(verb, what, now)


def _by_hand(verb: str, what: list[Any], now: datetime) -> None:
    person = Person.objects.filter(work_email=f"{what[0]}@acme.test").first()
    field, used = what[1], CustomField.objects.get().enabled
    if person is None or (field.startswith("custom.") and not used):
        return
    if verb == "take back":
        person_override_remove(person, field=field, now=now)
    elif not (field == "manager" and (what[2] or "") == person.work_email) and (
        field != "manager" or Person.objects.filter(work_email="bob@acme.test").exists()
    ):
        person_override_set(person, field=field, value=what[2], reason="Known", now=now)


def _forgotten(known: KnownPerson) -> KnownPerson:
    """The person with nothing resolved: only who they are and what was set by hand."""
    blank: dict[str, Any] = {
        name: None if name in (*DATES, "manager") else {} if name == "custom" else ""
        for name in FIELDS
    }
    blank.update(work_email=known.values["work_email"], status="external")
    return replace(known, values=blank, value_sources={}, problems=(), notes=())


@pytest.mark.django_db
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(_OPERATIONS, min_size=2, max_size=8))
def test_any_sequence_ends_where_resolving_from_scratch_ends(operations: list[Any]) -> None:
    for model in (SourceRecord, Person, FieldPolicy, FieldProposal, CustomField):
        model._default_manager.all().delete()
    CustomField.objects.create(key="level", label="Level", type="number", created_at=NOW)
    for number, operation in enumerate(operations):
        _do(operation, NOW + timedelta(minutes=number))
    directory = directory_load()
    scratch = Directory(
        people={key: _forgotten(known) for key, known in directory.people.items()},
        records=directory.records,
        entity_names=directory.entity_names,
    )
    now = NOW + timedelta(minutes=len(operations))
    plan = reconcile((), directory=scratch, policy=policy_load(), now=now, everyone=True)
    anew = {person.ref: person for person in plan.people}
    assert set(anew) == set(directory.people)
    for key, known in directory.people.items():
        assert dict(anew[key].values) == dict(known.values)
        assert dict(anew[key].value_sources) == dict(known.value_sources)
        assert anew[key].problems == known.problems
