"""The query and the function give the same answer for the same people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from integrations.models import AppAccess, Application
from people.models import LegalEntity, Person, Team
from siit_remote.tests.share import share
from workflows.conditions.evaluate import Truth, evaluate
from workflows.conditions.sql import group_to_q
from workflows.conditions.tree import Group, Rule
from workflows.facts import facts_for, facts_to_data, person_facts
from workflows.fields import FIELDS, field_spec
from workflows.operators import OPERATORS, OPERATORS_BY_TYPE
from workflows.tests.oracle import oracle
from workflows.tests.strategies import (
    APPS,
    COUNTRIES,
    NEAR_DATES,
    TEXTS,
    TODAY,
    TYPES,
    groups,
    odd_rules,
    rules,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.django_db

_CUSTOM = st.fixed_dictionaries(
    {},
    optional={
        "level": st.sampled_from([None, 1, 2.5, "10", "x", True]),
        "review": st.one_of(
            st.sampled_from([None, "2026-03-01", "never", 20260301, "2026-03-01T09:00", ""]),
            NEAR_DATES.map(lambda day: day.isoformat()),
        ),
        "site": st.one_of(st.none(), TEXTS, st.sampled_from([7, 1.0, 1e21, True, "true", "null"])),
        "grade": st.sampled_from([None, "Gold", "gold ", "Tin", "Lead", 1, ["Gold"]]),
        "laptop": st.sampled_from([None, True, False, "true", "True", "yes", 1, 0]),
    },
)
_PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "full_name": TEXTS,
            "job_title": TEXTS,
            "seniority": TEXTS,
            "timezone": TEXTS,
            "employment_type": st.sampled_from(["", "employee", "Sales"]),
            "country": st.sampled_from(["", *COUNTRIES]),
            "worker_type": st.sampled_from(["", "contractor", "eor_employee", "other"]),
            "contract_status": st.sampled_from(["", "active", "ended"]),
            "status": st.sampled_from(["active", "external"]),
            "start_date": st.one_of(st.none(), NEAR_DATES),
            "end_date": st.one_of(st.none(), NEAR_DATES),
            "probation_end_date": st.one_of(st.none(), NEAR_DATES),
            "custom": _CUSTOM,
            "team": st.one_of(st.none(), TEXTS),
            "entity": st.one_of(st.none(), TEXTS),
            "managed": st.booleans(),
            "apps": st.sets(st.sampled_from(APPS)),
            "revoked": st.booleans(),
        }
    ),
    min_size=3,
    max_size=5,
)


_TREES = groups(st.one_of(rules(), rules(), rules(), odd_rules))


def _fill(rows: list[dict[str, Any]]) -> None:
    Person.objects.all().delete()
    boss = Person.objects.create(work_email="boss@acme.test", created_at=NOW, updated_at=NOW)
    apps = {key: Application.objects.get_or_create(key=key, name=key)[0] for key in APPS}
    for number, row in enumerate(rows):
        values = dict(row)
        held, revoked = values.pop("apps"), values.pop("revoked")
        team, entity = values.pop("team"), values.pop("entity")
        person = Person.objects.create(
            work_email=f"p{number}@acme.test",
            created_at=NOW,
            updated_at=NOW,
            manager=boss if values.pop("managed") else None,
            team=None if team is None else Team.objects.get_or_create(name=team)[0],
            legal_entity=None
            if entity is None
            else LegalEntity.objects.get_or_create(name=entity)[0],
            **values,
        )
        state = AppAccess.State.REVOKED if revoked else AppAccess.State.GRANTED
        for key in held:
            AppAccess.objects.create(application=apps[key], person=person, state=state, since=NOW)


def _agree(group: Group) -> int:
    """Hold the query against the function; returns how many people were asked."""
    condition = group_to_q(group, today=TODAY, types=TYPES)
    matched = set(Person.objects.filter(condition.matched).values_list("pk", flat=True))
    unknown = set(Person.objects.filter(condition.unknown).values_list("pk", flat=True))
    answers = {
        pk: evaluate(group, known, today=TODAY, types=TYPES)
        for pk, known in facts_for(Person.objects.all())
    }
    true = {pk for pk, answer in answers.items() if answer is Truth.TRUE}
    untold = {pk for pk, answer in answers.items() if answer is Truth.UNKNOWN}
    assert true <= matched
    assert untold <= unknown
    if condition.exact:
        assert matched == true
        assert unknown == untold
    return len(answers)


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(
    _PEOPLE,
    st.lists(groups(st.one_of(rules(), rules(), rules(), odd_rules)), min_size=4, max_size=8),
)
def test_query_agrees_with_evaluate(people: list[dict[str, Any]], trees: list[Group]) -> None:
    _fill(people)
    for group in trees:
        _agree(group)


@pytest.mark.slow
def test_query_function_and_oracle_agree_for_a_hundred_thousand_pairs() -> None:
    pairs: list[int] = []
    _each(pairs)
    assert sum(pairs) >= share(100_000)


@settings(
    max_examples=share(2_800),
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.function_scoped_fixture,
        HealthCheck.large_base_example,
        HealthCheck.data_too_large,
    ],
)
@given(st.data())
def _each(pairs: list[int], data: st.DataObject) -> None:
    people = data.draw(_PEOPLE)
    _fill(people)
    answer_of = {True: Truth.TRUE, False: Truth.FALSE, None: Truth.UNKNOWN}
    everybody = list(facts_for(Person.objects.all()))
    for group in data.draw(st.lists(groups(), min_size=8, max_size=8)):
        pairs.append(_agree(group))
        for _, known in everybody:
            expected = answer_of[oracle(group, known)]
            assert evaluate(group, known, today=TODAY, types=TYPES) is expected


def _person(**values: Any) -> Person:
    count = Person.objects.count()
    return Person.objects.create(
        work_email=f"x{count}@acme.test", created_at=NOW, updated_at=NOW, **values
    )


def _matched(rule: Rule) -> set[int]:
    condition = group_to_q(Group(rules=(rule,)), today=TODAY)
    return set(Person.objects.filter(condition.matched).values_list("pk", flat=True))


def test_query_of_dates_agrees_at_the_edges() -> None:
    for days in (None, -8, -7, -1, 0, 1, 7, 8):
        _person(start_date=None if days is None else TODAY + timedelta(days=days))
    for operator in OPERATORS_BY_TYPE["date"]:
        takes = OPERATORS[operator].takes
        value = {"one": TODAY.isoformat(), "days": 7, "none": None}[takes]
        rule = Rule("person.start_date", operator, value)
        for negated in (False, True):
            _agree(Group("and", negated, (rule,)))


@pytest.mark.parametrize("field", ["person.job_title", "person.team"])
def test_query_of_text_agrees_for_every_operator(field: str) -> None:
    for text in ("", " ", " SALES ", "sales eng", "eng sales", "Café", "\tsales", "\u017fales"):
        if field == "person.team":
            _person(team=Team.objects.create(name=text))
        else:
            _person(job_title=text)
    _person()
    for operator in OPERATORS_BY_TYPE[FIELDS[field].type]:
        takes = OPERATORS[operator].takes
        for want in ("sales", "café"):
            value = {"one": want, "many": (want, "x"), "none": None}[takes]
            for negated in (False, True):
                _agree(Group("and", negated, (Rule(field, operator, value),)))


CUSTOM_VALUES: dict[str, list[Any]] = {
    "review": ["2026-02-28", "2026-03-01", "2026-03-02", "2026-3-1", "", None, 5, True],
    "site": ["Paris", " paris ", "Parıs", "7", 7, 7.5, True, "true", "null", None, "", "x y"],
    "grade": ["Gold", "GOLD", "Tin", None, ""],
    "laptop": [True, False, "true", None],
    "level": [1, 2.5, "2.5", 0, -1, 10**20, None, "x"],
}


@pytest.mark.parametrize("name", sorted(CUSTOM_VALUES))
def test_query_of_custom_fields_agrees_for_every_operator_of_their_type(name: str) -> None:
    key = f"person.custom.{name}"
    for value in CUSTOM_VALUES[name]:
        _person(custom={name: value, "other": "Paris"})
    _person()
    spec = field_spec(key, TYPES)
    assert spec is not None
    wants = {"date": ["2026-03-01"], "number": [1, 2.5]}.get(spec.type, ["paris", "true", "7"])
    for operator in OPERATORS_BY_TYPE[spec.type]:
        for want in wants if not spec.choices else [choice for choice, _ in spec.choices]:
            takes = OPERATORS[operator].takes
            value = {"one": want, "many": (want, "x"), "days": 1, "none": None}[takes]
            for negated in (False, True):
                _agree(Group("and", negated, (Rule(key, operator, value),)))


def test_query_of_custom_texts_and_dates_narrows() -> None:
    yes, no = _person(custom={"site": "Paris"}), _person(custom={"site": "Rome"})
    soon, far = _person(custom={"review": "2026-03-02"}), _person(custom={"review": "2027-01-01"})
    assert _matched(Rule("person.custom.site", "is", "paris")) == {yes.pk}
    assert _matched(Rule("person.custom.site", "is_not", "paris")) == {no.pk}
    assert _matched(Rule("person.custom.review", "in_next_days", 7)) == {soon.pk}
    assert _matched(Rule("person.custom.review", "after", "2026-12-31")) == {far.pk}


@settings(max_examples=50, deadline=None)
@given(rules(keys=tuple(TYPES)), _CUSTOM)
def test_a_rule_means_the_same_with_and_without_the_declared_type(
    rule: Rule, custom: dict[str, Any]
) -> None:
    """Values are stored in their field's type: then the rule alone tells how to compare."""
    stored = {
        "level": _stored_number(custom.get("level")),
        "review": _stored_date(custom.get("review")),
        "grade": custom.get("grade") if isinstance(custom.get("grade"), str) else None,
        "laptop": custom.get("laptop") if isinstance(custom.get("laptop"), bool) else None,
    }
    known = {f"person.custom.{name}": value for name, value in stored.items()}
    group = Group(rules=(rule,))
    declared = evaluate(group, known, today=TODAY, types=TYPES)
    assert evaluate(group, known, today=TODAY) is declared


def _stored_number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _stored_date(value: Any) -> Any:
    exact = isinstance(value, str) and len(value) == 10 and value[4] == "-"
    return value if exact else None


def test_query_of_plain_text_narrows() -> None:
    yes, no = _person(job_title=" ENGINEER "), _person(job_title="Sales")
    odd, blank = _person(job_title="Ingénieur"), _person()
    found = _matched(Rule("person.job_title", "contains", "engin"))
    assert found == {yes.pk, odd.pk}
    assert {no.pk, blank.pk}.isdisjoint(found)


def test_query_takes_wildcards_as_letters() -> None:
    plain, wild = _person(job_title="axb"), _person(job_title="a_b")
    assert _matched(Rule("person.job_title", "is", "A_B")) == {wild.pk}
    assert _matched(Rule("person.job_title", "contains", "_")) == {wild.pk}
    assert _matched(Rule("person.job_title", "starts_with", "ax")) == {plain.pk}


def test_query_of_choices_and_dates_is_exact() -> None:
    group = Group(
        rules=(
            Rule("person.worker_type", "is", "contractor"),
            Rule("person.end_date", "in_next_days", 7),
        )
    )
    assert group_to_q(group, today=TODAY).exact


def test_query_reaches_people_through_a_relation() -> None:
    team = Team.objects.create(name="Sales")
    person = _person(team=team, worker_type="contractor", end_date=TODAY)
    other = _person(worker_type="contractor")
    for each in (person, other):
        application = Application.objects.get_or_create(key="jira", name="Jira")[0]
        AppAccess.objects.create(
            application=application, person=each, state=AppAccess.State.GRANTED, since=NOW
        )
    group = Group(
        rules=(
            Rule("person.team", "is", "sales"),
            Rule("person.apps", "has", "jira"),
            Rule("person.end_date", "is", "2026-03-01"),
        )
    )
    condition = group_to_q(group, today=TODAY, prefix="person__")
    assert [access.person_id for access in AppAccess.objects.filter(condition.matched)] == [
        person.pk
    ]


def test_query_of_very_many_rules_leaves_them_to_python() -> None:
    person = _person()
    wide = Group("or", False, tuple(Rule("person.team", "is", f"t{n}") for n in range(9_000)))
    condition = group_to_q(wide, today=TODAY)
    assert not condition.exact
    assert Person.objects.filter(condition.matched, condition.unknown).get() == person


def test_query_of_the_largest_allowed_condition_runs() -> None:
    _person(job_title="t3")
    wide = Group("or", False, tuple(Rule("person.job_title", "is", f"t{n}") for n in range(150)))
    condition = group_to_q(wide, today=TODAY)
    assert Person.objects.filter(condition.matched).count() == 1
    assert Person.objects.filter(condition.unknown).count() == 0


def test_person_facts_are_those_of_the_bulk_reader(django_assert_num_queries: Any) -> None:
    person = _person(start_date=TODAY, custom={"site": "Paris"}, team=Team.objects.create(name="A"))
    with django_assert_num_queries(2):
        known = person_facts(person)
    assert known == dict(facts_for(Person.objects.all()))[person.pk]
    assert known["person.team"] == "A"
    assert known["person.custom.site"] == "Paris"
    assert known["person.apps"] == []
    assert facts_to_data(known)["person.start_date"] == "2026-03-01"
