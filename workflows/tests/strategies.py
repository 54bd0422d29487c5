"""Generated conditions, facts and documents, for every test that wants a property."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from workflows.conditions.tree import Group, Rule
from workflows.document import (
    ActionStep,
    BranchStep,
    HoldAbove,
    Lane,
    Limits,
    Step,
    TriggerSpec,
    WaitFor,
    WaitStep,
    WaitUntil,
    WorkflowDocument,
)
from workflows.fields import FieldSpec, FieldTypes, field_spec
from workflows.operators import OPERATORS, OPERATORS_BY_TYPE

TODAY = date(2026, 3, 1)
TYPES: FieldTypes = {
    "person.custom.level": "number",
    "person.custom.review": "date",
    "person.custom.grade": FieldSpec(
        "person.custom.grade", "Grade", "choice", choices=(("Gold", "Gold"), ("Tin", "Tin"))
    ),
    "person.custom.laptop": FieldSpec(
        "person.custom.laptop", "Laptop", "choice", choices=(("true", "Yes"), ("false", "No"))
    ),
}
NEAR_DATES = st.integers(-40, 40).map(lambda days: TODAY + timedelta(days=days))

# Few values, so that rules and people meet; among them what databases fold differently.
TEXTS = st.sampled_from(
    [
        *("", " ", "Engineering", " engineering ", "ENGINEERING", "Eng", "ing", "Sales"),
        *("São Paulo", "SÃO PAULO", "Sa\u0303o Paulo", "\u212aelvin", "Kelvin", "Straße"),
        *("STRASSE", "İstanbul", "\tTab", "100%", "a_b", "axb", "it's", "back\\slash", "1", "10"),
    ]
)
FIELD_KEYS = (
    *("person.full_name", "person.job_title", "person.seniority", "person.work_email"),
    *("person.manager", "person.team", "person.legal_entity", "person.employment_type"),
    *("person.country", "person.worker_type", "person.contract_status", "person.status"),
    *("person.start_date", "person.end_date", "person.probation_end_date", "person.timezone"),
    *("person.apps", "person.custom.level", "person.custom.review", "person.custom.site"),
    *("person.custom.grade", "person.custom.laptop"),
    *("request.service", "request.form.model", "change.after"),
)
COUNTRIES = ("FRA", "ESP", "DEU")
APPS = ("github", "jira", "figma")


def _values(spec: FieldSpec) -> st.SearchStrategy[Any]:
    if spec.type == "date":
        return NEAR_DATES.map(lambda day: day.isoformat())
    if spec.type == "number":
        return st.one_of(st.integers(-2, 12), st.sampled_from([0.5, 2.5]))
    if spec.type == "list":
        return st.sampled_from([*APPS, "GitHub "])
    if spec.key == "person.country":
        return st.sampled_from([*COUNTRIES, "fra"])
    if spec.choices:
        return st.sampled_from([key for key, _ in spec.choices])
    if spec.key in ("person.manager", "person.work_email"):
        return st.sampled_from(["boss@acme.test", "Boss@Acme.test", "nobody@acme.test"])
    return TEXTS.filter(lambda text: bool(text.strip()))


@st.composite
def rules(draw: st.DrawFn, keys: tuple[str, ...] = FIELD_KEYS) -> Rule:
    """A rule that makes sense: field, fitting operator, fitting value."""
    spec = field_spec(draw(st.sampled_from(keys)), TYPES)
    assert spec is not None
    operator = OPERATORS[draw(st.sampled_from(OPERATORS_BY_TYPE[spec.type]))]
    if operator.takes == "none":
        return Rule(spec.key, operator.key)
    if operator.takes == "days":
        return Rule(spec.key, operator.key, draw(st.integers(0, 60)))
    if operator.takes == "many":
        values = draw(st.lists(_values(spec), min_size=1, max_size=3))
        return Rule(spec.key, operator.key, tuple(values))
    return Rule(spec.key, operator.key, draw(_values(spec)))


odd_rules = st.builds(
    Rule,
    st.sampled_from(["", "person.wurker_type", "person.team", "person.start_date"]),
    st.sampled_from(["", "is", "matches_regex", "greater_than", "in", "in_next_days"]),
    st.sampled_from([None, "", True, 9, -1, 10**9, "10", (), (None,), ("a", 1)]),
)


def groups(
    leaves: st.SearchStrategy[Rule] | None = None, *, depth: int = 3
) -> st.SearchStrategy[Group]:
    """Trees of up to `depth` levels."""
    leaf = leaves if leaves is not None else rules()
    inner = leaf if depth <= 1 else st.one_of(leaf, groups(leaf, depth=depth - 1))
    return st.builds(
        Group,
        st.sampled_from(["and", "or"]),
        st.booleans(),
        st.lists(inner, min_size=1, max_size=3).map(tuple),
    )


def _fact(spec: FieldSpec) -> st.SearchStrategy[Any]:
    if spec.type == "date":
        return st.one_of(st.none(), NEAR_DATES)
    if spec.type == "list":
        return st.one_of(st.none(), st.lists(st.sampled_from(APPS), unique=True))
    return st.one_of(st.none(), _values(spec), st.just(" "))


def facts() -> st.SearchStrategy[dict[str, object]]:
    """What is known of one person and request; anything may be missing."""
    specs = [spec for key in FIELD_KEYS if (spec := field_spec(key, TYPES)) is not None]
    return st.fixed_dictionaries({}, optional={spec.key: _fact(spec) for spec in specs})


# Whatever a document may hold as text: no NUL, no surrogates (category Cs).
PLAIN_TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20
)
_TRAPS = st.sampled_from(
    [
        *("on", "yes", "No", "null", "~", "", "true", "18:00", "1:30", "2026-01-31", "010", "0x1f"),
        *(
            "1e3",
            "1_000",
            "1.5",
            ".inf",
            "-",
            "- a",
            "a: b",
            "# c",
            "&a",
            "*a",
            "!x",
            "'",
            '"',
            "%",
        ),
        *(
            "@",
            "`",
            "{",
            "[",
            "a\nb",
            "a\n",
            "\n",
            " a ",
            "\ta",
            "a\r\nb",
            "\x85",
            "\u2028",
            "\ufeff",
        ),
        *("<<", "=", "?", "|", ">", "---", "...", "👋", "\x7f", "\x1b"),
    ]
)
_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    PLAIN_TEXT,
    _TRAPS,
)
JSON = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(PLAIN_TEXT, _TRAPS), inner, max_size=3),
    ),
    max_leaves=6,
)
PARAMS = st.dictionaries(st.one_of(st.sampled_from(["to", "apps", "at"]), _TRAPS), JSON, max_size=3)
_CLOCKS = st.sampled_from(["00:00", "09:00", "18:30", "23:59"])
_CHANGES = st.sampled_from([None, "replan", "ask", "keep", "cancel"])
_DIRECTIONS = st.sampled_from([("same_day", 0), ("before", 3), ("after", 180)])


@st.composite
def _steps(draw: st.DrawFn, depth: int, keys: list[int]) -> tuple[Step, ...]:
    return tuple(draw(_step(depth, keys)) for _ in range(draw(st.integers(0, 2))))


@st.composite
def _step(draw: st.DrawFn, depth: int, keys: list[int]) -> Step:
    keys.append(0)
    key = f"step-{len(keys)}"
    kind = draw(st.sampled_from(["action", "wait", "approval", "branch"][: 4 if depth else 2]))
    when = draw(st.one_of(st.none(), groups(depth=2)))
    disabled = draw(st.booleans())
    if kind == "wait":
        (direction, days), at = draw(_DIRECTIONS), draw(_CLOCKS)
        until = WaitUntil("person.end_date", direction, days, at)
        wait = draw(st.sampled_from([WaitFor(1), WaitFor(30), until]))
        return WaitStep(key, wait, disabled, draw(_CHANGES))
    if kind == "branch":
        lanes = tuple(
            Lane(f"lane {n}", when, draw(_steps(depth - 1, keys)))
            for n in range(draw(st.integers(0, 2)))
        )
        mode = draw(st.sampled_from(["first_match", "every_match"]))
        return BranchStep(key, mode, lanes, draw(_steps(depth - 1, keys)), disabled)
    names = draw(st.sets(st.sampled_from(["approved", "rejected", "expired"])))
    return ActionStep(
        key,
        "approval.request" if kind == "approval" else "apps.revoke",
        draw(PARAMS),
        when,
        draw(st.sampled_from(["stop", "continue"])),
        disabled,
        {name: draw(_steps(depth - 1, keys)) for name in names} if kind == "approval" else {},
        draw(_CHANGES),
    )


_COUNTS = st.one_of(st.none(), st.integers(1, 100))


@st.composite
def documents(draw: st.DrawFn) -> WorkflowDocument:
    """Documents of every shape that parses, drafts included."""
    held = st.builds(HoldAbove, _COUNTS, _COUNTS, _COUNTS)
    return WorkflowDocument(
        key=draw(st.from_regex(r"[a-z][a-z0-9-]{0,8}[a-z]", fullmatch=True)),
        name=draw(PLAIN_TEXT),
        description=draw(st.one_of(PLAIN_TEXT, _TRAPS)),
        category=draw(PLAIN_TEXT),
        owner=draw(st.sampled_from(["", "it-lead@acme.test"])),
        trigger=draw(st.builds(TriggerSpec, st.sampled_from(["", "person.end_date"]), PARAMS)),
        conditions=draw(st.one_of(st.none(), groups(), groups(odd_rules))),
        limits=draw(st.one_of(st.none(), st.builds(Limits, st.one_of(st.none(), held)))),
        steps=draw(_steps(2, [])),
    )
