"""The same condition as a query over Person, Kleene's three values included.

A database folds case and space less thoroughly than Python (accents, the Kelvin sign, tabs), and
SQLite and PostgreSQL differ among themselves. So a text that holds anything but printable ASCII
is never decided here: such rows are *candidates* for every answer, and `exact` is False. Each node
yields the rows that may be true, may be false, may be not true, may be not false: four supersets
that combine without a negation, so that SQL's own null never gets a say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import BooleanField, F, Func, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Lower, Trim
from django.db.models.lookups import (
    Contains,
    EndsWith,
    Exact,
    GreaterThan,
    GreaterThanOrEqual,
    In,
    LessThan,
    LessThanOrEqual,
    Regex,
    StartsWith,
)

from integrations.models import AppAccess
from workflows.conditions.tree import Group, Rule
from workflows.conditions.values import Refused, Wanted, days_after, rule_spec, wanted
from workflows.fields import NO_TYPES, FieldSpec, FieldTypes, custom_name

"""An access in one of these states is something the person holds."""
_MAX_RULES = 150  # SQLite refuses expressions deeper than 1,000, and each rule stands four times
_NOT_PLAIN = r"[^ -~]"
_LIKE_JSON = r"^([-+0-9.].*|true|false|null|)$"
_ISO_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"

# Q() means "no filter", yet drops out of an OR: constants are kept apart until the end.
_Part = Q | bool


@dataclass(frozen=True, slots=True)
class SqlCondition:
    """Two filters. Unless `exact`, both are supersets: test each row again in Python."""

    matched: Q
    unknown: Q
    exact: bool


class _May(NamedTuple):
    """Rows that may be true, false, not true, not false."""

    true: _Part
    false: _Part
    not_true: _Part
    not_false: _Part
    exact: bool = True


_NEVER_TOLD = _May(False, False, True, True)
_ANYTHING = _May(True, True, True, True, exact=False)


def group_to_q(
    group: Group,
    *,
    today: date,
    prefix: str = "",
    types: FieldTypes = NO_TYPES,
    plain: bool = False,
) -> SqlCondition:
    """The group as filters on Person, or on a model that reaches it by `prefix` ("person__").

    `request.*` and `change.*` are unknown of a person alone: their rules cannot be told. `plain`:
    the caller leaves out the rows of :func:`odd_rows` of :func:`text_columns`, so that texts are
    decided here too.
    """
    if sum(1 for _ in group.walk_rules()) > _MAX_RULES:
        return SqlCondition(Q(), Q(), exact=False)
    found = _group(group, _Rules(today, prefix, types, plain))
    unknown = _and((found.not_true, found.not_false))
    return SqlCondition(_query(found.true, prefix), _query(unknown, prefix), found.exact)


def text_columns(group: Group, *, types: FieldTypes = NO_TYPES) -> set[str]:
    """The columns of Person whose text decides the group's rules."""
    specs = (rule_spec(rule, types) for _, rule in group.walk_rules())
    return {spec.orm for spec in specs if spec is not None and _is_text(spec)}


def _is_text(spec: FieldSpec) -> bool:
    return bool(spec.orm) and spec.type != "date" and not spec.choices


def odd_rows(columns: Iterable[str]) -> Q:
    """Rows that hold anything but printable ASCII in one of some columns of Person."""
    parts = [Q(HasOdd(Coalesce(F(column), Value("")))) for column in sorted(columns)]
    return Q(*parts, _connector=Q.OR) if parts else Q(pk__in=[])


class HasOdd(Func):
    """Whether a text holds anything but printable ASCII, asked in the database's own words."""

    output_field = BooleanField()
    conditional = True
    template = f"(%(expressions)s ~ '{_NOT_PLAIN}')"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite has no regular expressions of its own; Django's are called row by row."""
        template = f"(%(expressions)s GLOB '*{_NOT_PLAIN}*')"
        return super().as_sql(compiler, connection, template=template, **extra)


def _query(part: _Part, prefix: str) -> Q:
    if isinstance(part, bool):
        return Q() if part else Q(**{f"{prefix}pk__in": []})
    return part


def _and(parts: Iterable[_Part]) -> _Part:
    kept = [part for part in parts if part is not True]
    if any(part is False for part in kept):
        return False
    queries = [part for part in kept if isinstance(part, Q)]
    return Q(*queries) if queries else True


def _or(parts: Iterable[_Part]) -> _Part:
    kept = [part for part in parts if part is not False]
    if any(part is True for part in kept):
        return True
    queries = [part for part in kept if isinstance(part, Q)]
    return Q(*queries, _connector=Q.OR) if queries else False


def _group(group: Group, rules: _Rules) -> _May:
    nodes = [
        _group(rule, rules) if isinstance(rule, Group) else rules.rule(rule) for rule in group.rules
    ]
    if not nodes:
        return _NEVER_TOLD
    every, some = (_and, _or) if group.combinator == "and" else (_or, _and)
    may = _May(
        every(node.true for node in nodes),
        some(node.false for node in nodes),
        some(node.not_true for node in nodes),
        every(node.not_false for node in nodes),
        all(node.exact for node in nodes),
    )
    return _negate(may) if group.negated else may


def _negate(may: _May) -> _May:
    return _May(may.false, may.true, may.not_false, may.not_true, may.exact)


def _told(true: _Part, false: _Part, missing: _Part, *, exact: bool = True) -> _May:
    return _May(true, false, _or((false, missing)), _or((true, missing)), exact)


@dataclass(frozen=True, slots=True)
class _Rules:
    today: date
    prefix: str
    types: FieldTypes
    plain: bool = False

    def rule(self, rule: Rule) -> _May:
        spec = rule_spec(rule, self.types)
        try:
            want = wanted(rule, spec)
        except Refused:
            return _NEVER_TOLD
        if custom_name(rule.field):
            return self._custom(want)
        if rule.field == "person.apps":
            return self._apps(want)
        if not want.spec.orm:
            return _absent(want)
        if want.spec.type == "date":
            return self._date(want)
        if want.spec.choices:
            return self._choice(want)
        return self._text(want)

    def _column(self, spec: FieldSpec) -> str:
        return f"{self.prefix}{spec.orm}"

    def _custom(self, want: Wanted) -> _May:
        """Custom values are JSON: decided here are plain texts and dates, the rest are candidates.

        Numbers are written in different ways by the two databases, so Python compares those.
        """
        name = custom_name(want.spec.key)
        present = Q(**{f"{self.prefix}custom__has_key": name})
        if want.operator == "is_empty":
            return _May(True, present, present, True, exact=False)
        if want.operator == "is_not_empty":
            return _May(present, True, True, present, exact=False)
        text = Cast(KeyTextTransform(name, f"{self.prefix}custom"), TextField())
        if want.spec.type == "date":
            told = _custom_date(text, want, self.today)
        elif want.spec.type in ("text", "choice", "reference"):
            told = _custom_text(text, want)
        else:
            return _May(present, present, True, True, exact=False)
        # Where the key is missing a comparison gives null, so presence is always said first.
        true, false = (_and((present, part)) for part in told)
        return _May(true, false, True, True, exact=False)

    def _apps(self, want: Wanted) -> _May:
        pk = f"{self.prefix}pk__in"
        held = AppAccess.objects.filter(AppAccess.HELD)

        def holds(key: str) -> Q:
            return Q(**{pk: held.filter(application__key__iexact=key).values("person_id")})

        operator = want.operator
        if operator in ("is_empty", "is_not_empty"):
            some = Q(**{pk: held.values("person_id")})
            empty = _told(~some, some, False)
            return empty if operator == "is_empty" else _negate(empty)
        # Keys are slugs; a name that is not plain ASCII is nobody's.
        each = [holds(key) if key.isascii() else False for key in want.values]
        true = _or(each) if operator == "has_any" else _and(each)
        false: _Part = not true if isinstance(true, bool) else ~true
        told = _told(true, false, False)
        return _negate(told) if operator == "has_not" else told

    def _date(self, want: Wanted) -> _May:
        column = self._column(want.spec)
        missing = Q(**{f"{column}__isnull": True})
        if want.operator == "is_empty":
            return _told(missing, ~missing, False)
        if want.operator == "is_not_empty":
            return _told(~missing, missing, False)
        true, false = _date_tests(column, want, self.today)
        return _told(true, false, missing)

    def _choice(self, want: Wanted) -> _May:
        """The column holds one of the choices' keys, or nothing."""
        column = self._column(want.spec)
        missing = Q(**{column: ""})
        if want.operator in ("is_empty", "is_not_empty"):
            empty = _told(missing, ~missing, False)
            return empty if want.operator == "is_empty" else _negate(empty)
        keys = {key.casefold(): key for key, _ in want.spec.choices}
        among = Q(**{f"{column}__in": [keys[key] for key in want.values if key in keys]})
        told = _told(among, ~among & ~missing, missing)
        return _negate(told) if want.operator in ("is_not", "not_in") else told

    def _text(self, want: Wanted) -> _May:
        column = self._column(want.spec)
        relation = column.rpartition("__")[0] if "__" in want.spec.orm else ""
        text = Lower(Trim(F(column)), output_field=TextField())
        # Comparing an absent relation's column gives null, so its absence is always said first.
        here: _Part = Q(**{f"{relation}__isnull": False}) if relation else True
        absent: _Part = Q(**{f"{relation}__isnull": True}) if relation else False
        odd = False if self.plain else _and((here, Q(Regex(F(column), _NOT_PLAIN))))
        blank = _and((here, Q(Exact(text, ""))))
        filled = _and((here, ~Q(Exact(text, ""))))
        missing = _or((blank, absent, odd))
        if want.operator == "is_empty":
            return _told(missing, _or((filled, odd)), False, exact=self.plain)
        if want.operator == "is_not_empty":
            return _told(_or((filled, odd)), missing, False, exact=self.plain)
        test = _text_test(text, want)
        true = _or((_and((here, test)), odd)) if test is not False else odd
        rest = _and((filled, ~test)) if isinstance(test, Q) else filled
        told = _told(true, _or((rest, odd)), missing, exact=self.plain)
        return _negate(told) if want.operator in _NEGATIVE else told


_NEGATIVE = ("is_not", "not_in", "not_contains")
_LOOKUPS: dict[str, Callable[[Any, str], Any]] = {
    "is": Exact,
    "is_not": Exact,
    "contains": Contains,
    "not_contains": Contains,
    "starts_with": StartsWith,
    "ends_with": EndsWith,
}


def _absent(want: Wanted) -> _May:
    """What a rule says of a fact that a person alone does not have."""
    if want.operator == "is_empty":
        return _told(True, False, False)
    if want.operator == "is_not_empty":
        return _told(False, True, False)
    return _NEVER_TOLD


def _text_test(text: Lower, want: Wanted) -> Q | bool:
    """The comparison for plain rows; False where a plain row can never meet it."""
    plain = [value for value in want.values if value.isascii() and value.isprintable()]
    if not plain:
        return False
    if want.operator in ("in", "not_in"):
        return Q(In(text, plain))
    return Q(_LOOKUPS[want.operator](text, plain[0]))


def _custom_text(text: Any, want: Wanted) -> tuple[_Part, _Part]:
    """Rows that may be true and that may be false. Odd ones may be both.

    Odd is what holds other than printable ASCII, and what looks like a number or a word of JSON:
    Python and the databases write those in different ways.
    """
    folded = Lower(Trim(text), output_field=TextField())
    odd = Q(Regex(text, _NOT_PLAIN)) | Q(Regex(folded, _LIKE_JSON))
    test = _text_test(folded, want)
    if not isinstance(test, Q):
        hit: _Part = odd
        miss: _Part = True
    else:
        hit, miss = test | odd, ~test | odd
    return (miss, hit) if want.operator in _NEGATIVE else (hit, miss)


def _custom_date(text: Any, want: Wanted, today: date) -> tuple[_Part, _Part]:
    """The same for dates, of which ISO's text sorts by time; whatever is none is odd."""
    odd = ~Q(Regex(text, _ISO_DATE))
    operator, day = want.operator, want.first
    if operator in ("in_next_days", "in_last_days"):
        first = today if operator == "in_next_days" else days_after(today, -day)
        last = days_after(today, day) if operator == "in_next_days" else today
        inside = Q(GreaterThanOrEqual(text, first.isoformat())) & Q(
            LessThanOrEqual(text, last.isoformat())
        )
        return inside | odd, ~inside | odd
    lookup = {
        "is": Exact,
        "before": LessThan,
        "after": GreaterThan,
        "on_or_before": LessThanOrEqual,
        "on_or_after": GreaterThanOrEqual,
    }[operator]
    test = Q(lookup(text, day.isoformat()))
    return test | odd, ~test | odd


def _date_tests(column: str, want: Wanted, today: date) -> tuple[Q, Q]:
    """The rows that meet the comparison, and those with a date that does not."""
    operator, day = want.operator, want.first
    if operator in ("in_next_days", "in_last_days"):
        first = today if operator == "in_next_days" else days_after(today, -day)
        last = days_after(today, day) if operator == "in_next_days" else today
        inside = Q(**{f"{column}__gte": first, f"{column}__lte": last})
        return inside, Q(**{f"{column}__lt": first}) | Q(**{f"{column}__gt": last})
    if operator == "is":
        return Q(**{column: day}), Q(**{f"{column}__lt": day}) | Q(**{f"{column}__gt": day})
    lookup, opposite = {
        "before": ("lt", "gte"),
        "after": ("gt", "lte"),
        "on_or_before": ("lte", "gt"),
        "on_or_after": ("gte", "lt"),
    }[operator]
    return Q(**{f"{column}__{lookup}": day}), Q(**{f"{column}__{opposite}": day})
