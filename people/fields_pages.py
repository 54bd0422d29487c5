"""What the pages of Settings → People → Fields show, as plain rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from people.fields_forms import order_words
from people.fields_policy import Terms
from people.fields_registry import DirectoryField, field_labels
from people.fields_stats import Competing, Coverage, names_of
from people.identity import PRIVATE_FIELDS
from people.models import Person
from people.plan import CUSTOM, FieldChange, PersonPlan
from people.sources import SourceInfo, source_words

HIDDEN = "Hidden from you"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One line of the table."""

    field: DirectoryField
    control: Any
    """The bound choice of its source; ``None`` where there is nothing to choose."""
    order: str
    visible: str
    coverage: Coverage
    competing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeLine:
    """One value that would change, in words."""

    label: str
    before: str
    after: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedPerson:
    """Somebody for whom the preview shows a change. ``pk`` is missing for newcomers."""

    name: str
    pk: int | None
    lines: tuple[ChangeLine, ...]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """Somebody whose sources disagree, with what each says."""

    person: Person
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsChange:
    """What a proposal says of one field: before → after."""

    label: str
    order: tuple[str, str] | None
    visible: tuple[str, str] | None


def visible_words(key: str, terms: Terms) -> str:
    """Who may see the field."""
    words = ", ".join(terms.visible_to) or "Everybody who may see the person"
    return f"{words}; only with the right to private fields" if key in PRIVATE_FIELDS else words


def field_groups(
    fields: Sequence[DirectoryField],
    *,
    form: Any,
    sources: Sequence[SourceInfo],
    terms: Mapping[str, Terms],
    coverage: Mapping[str, Coverage],
    competing: Mapping[str, Sequence[Competing]],
) -> list[tuple[str, list[FieldRow]]]:
    """The rows, group by group."""
    groups: dict[str, list[FieldRow]] = {}
    for found in fields:
        own = terms.get(found.key, Terms())
        row = FieldRow(
            field=found,
            control=form[found.key] if found.sourced and len(sources) > 1 else None,
            order=order_words(own, sources) if found.sourced else found.note,
            visible=visible_words(found.key, own),
            coverage=coverage[found.key],
            competing=len(competing.get(found.key, ())),
        )
        groups.setdefault(found.group, []).append(row)
    return list(groups.items())


def disagreements(
    found: DirectoryField, competing: Iterable[Competing], *, names: Mapping[str, str]
) -> list[Disagreement]:
    """People and what each source says of them; those who were deleted meanwhile are left out."""
    rows = list(competing)
    people = names_of([row.person_id for row in rows])
    return [
        Disagreement(
            person=people[row.person_id],
            values=tuple(
                (source_words(source, names), found.words(value)) for source, value in row.values
            ),
        )
        for row in rows
        if row.person_id in people
    ]


class ChangeWords:
    """Puts planned changes into words, leaving out what the reader may not see."""

    def __init__(
        self,
        fields: Sequence[DirectoryField],
        *,
        hidden: frozenset[str],
        sources: Mapping[str, str],
        differing: frozenset[str] = frozenset(),
    ) -> None:
        self._fields = {found.key: found for found in fields}
        self._hidden = hidden
        self._sources = sources
        self._differing = differing

    def person(self, plan: PersonPlan) -> ChangedPerson:
        """One person with all their changes."""
        return ChangedPerson(
            name=plan.values["full_name"] or plan.values["work_email"],
            pk=plan.ref if isinstance(plan.ref, int) else None,
            lines=tuple(self._line(change) for change in plan.changes),
            differs=str(plan.ref) in self._differing,
        )

    def _line(self, change: FieldChange) -> ChangeLine:
        found = self._fields.get(change.field)
        plain = change.field.removeprefix(CUSTOM).replace("_", " ").capitalize()
        label = found.label if found is not None else plain
        if change.field in self._hidden:
            return ChangeLine(label=label, before=HIDDEN, after=HIDDEN, source="")
        words = (found or DirectoryField(key=change.field, label=label, group="")).words
        return ChangeLine(
            label=label,
            before=words(change.before),
            after=words(change.after),
            source=source_words(change.source, self._sources) if change.source else "",
        )


def terms_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], sources: Sequence[SourceInfo]
) -> list[TermsChange]:
    """A proposal, field by field."""
    labels = field_labels()
    rows = []
    for name in sorted(after, key=lambda name: labels.get(name, name)):
        old, new = Terms.from_data(before[name]), Terms.from_data(after[name])
        orders = (order_words(old, sources), order_words(new, sources))
        visible = (visible_words(name, old), visible_words(name, new))
        rows.append(
            TermsChange(
                label=labels.get(name, name),
                order=orders if old.sources != new.sources else None,
                visible=visible if old.visible_to != new.visible_to else None,
            )
        )
    return rows
