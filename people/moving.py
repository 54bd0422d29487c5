"""Give rows that refer to one person to another, whichever room they belong to.

The directory asks Django which tables refer to people: it has to know none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.db import IntegrityError, transaction

from people.models import FieldOverride, LifecycleEvent, Person, PersonChange, PersonMerge

if TYPE_CHECKING:
    from django.db.models import Model

_OWN = (FieldOverride, LifecycleEvent, PersonChange, PersonMerge)
"""Told by the services of merging themselves, or history that belongs to the row that goes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Rows of one column that changed hands, and those that could not."""

    label: str
    """``app.model.field``."""
    words: str
    keys: tuple[Any, ...]
    refused: tuple[str, ...] = ()


def _columns() -> Iterator[tuple[type[Model], str]]:
    """Every column that names a person; of many-to-many relations, that of the table between."""
    relations: tuple[Any, ...] = tuple(Person._meta.related_objects)
    for relation in relations:
        model = relation.related_model
        if relation.many_to_many:
            through = relation.through
            name = next(
                field.name
                for field in through._meta.fields
                if field.is_relation and field.related_model is Person
            )
            yield through, name
        elif model not in _OWN:
            yield model, relation.field.name


def rows_move(source: Person, target: Person) -> list[Moved]:
    """Give all rows of ``source`` to ``target``. A row that the database refuses stays.

    Call inside a transaction.
    """
    return [
        moved
        for model, field in _columns()
        if (moved := _move(model, field, source, target)).keys or moved.refused
    ]


def _move(model: type[Model], field: str, source: Person, target: Person) -> Moved:
    manager: Any = model._base_manager
    keys, refused = [], []
    for row in manager.filter(**{field: source}).order_by("pk"):
        try:
            with transaction.atomic():
                manager.filter(pk=row.pk).update(**{field: target})
            keys.append(row.pk)
        except IntegrityError:
            refused.append(str(row))
    meta = model._meta
    return Moved(
        label=f"{meta.label_lower}.{field}",
        words=_words(model, field, len(keys)),
        keys=tuple(keys),
        refused=tuple(refused),
    )


_NAMES = {
    "people.person.manager": "report",
    "people.legalentity.lead": "legal entity led",
    "people.role_members.person": "role",
    "people.sourcerecord.person": "record at a source",
    "people.personalias.person": "former address",
}


def _words(model: type[Model], field: str, count: int) -> str:
    meta = model._meta
    one = _NAMES.get(f"{meta.label_lower}.{field}")
    if one is None:
        one = str(meta.verbose_name)
        plural = str(meta.verbose_name_plural)
    else:
        plural = {"legal entity led": "legal entities led", "former address": "former addresses",
                  "record at a source": "records at sources"}.get(one, f"{one}s")  # fmt: skip
    return one if count == 1 else plural


def rows_give_back(moved: dict[str, list[Any]], *, source: Person, target: Person) -> None:
    """Undo :func:`rows_move` for the rows named in ``moved`` that ``source`` still has."""
    for label, keys in moved.items():
        model_label, _, field = label.rpartition(".")
        model: Any = apps.get_model(model_label)
        model._base_manager.filter(pk__in=keys, **{field: source}).update(**{field: target})
