"""Read the directory: who is who, who manages whom, and what somebody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.db.models.expressions import RawSQL

from people.defaults import workspace_get
from people.folding import email_key
from people.identity import fields_hidden_from, person_of
from people.models import Person
from people.plan import FIELDS
from people.searching import search
from people.zones import single_zone

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

__all__ = [
    "DEPTH",
    "manager_chain",
    "people_visible_to",
    "person_by_email",
    "person_for_user",
    "reports_tree_ids",
    "search",
    "timezone_of",
    "tree_below",
    "visible_fields",
]

DEPTH = 50
"""Nobody has more managers above them; a circle ends here at the latest."""


def person_by_email(email: str) -> Person | None:
    """The person with this work e-mail, now or formerly; present addresses win."""
    key = email_key(email)
    if not key:
        return None
    return (
        Person.objects.filter(work_email=key).first()
        or Person.objects.filter(aliases__email=key).first()
    )


def person_for_user(user: Any) -> Person | None:
    """The person a signed-in account belongs to: its e-mail is their present work e-mail."""
    return person_of(user)


def manager_chain(person: Person, *, depth: int = DEPTH) -> list[Person]:
    """Managers from the direct one upwards; ends at the top, in a circle, or after ``depth``."""
    chain: list[Person] = []
    seen = {person.pk}
    above = person.manager
    while above is not None and above.pk not in seen and len(chain) < depth:
        chain.append(above)
        seen.add(above.pk)
        above = above.manager
    return chain


def tree_below(roots: Iterable[int]) -> RawSQL:
    """Primary keys of everybody below the people with the keys ``roots``, for ``pk__in``.

    The database walks down itself; a circle of managers ends where it began.
    """
    keys = sorted(roots) or [0]
    marks = ", ".join(["%s"] * len(keys))
    return RawSQL(  # noqa: S611 - constants; the keys are parameters
        "WITH RECURSIVE below(id) AS ("  # noqa: S608 - marks only
        f"SELECT id FROM people_person WHERE manager_id IN ({marks}) "
        "UNION SELECT p.id FROM people_person p JOIN below b ON p.manager_id = b.id"
        f") SELECT id FROM below WHERE id NOT IN ({marks})",
        [*keys, *keys],
    )


def reports_tree_ids(person: Person) -> set[int]:
    """Primary keys of everybody below ``person``, direct and indirect."""
    below = Person.objects.filter(pk__in=tree_below([person.pk]))
    return set(below.order_by().values_list("pk", flat=True))


def people_visible_to(user: Any) -> QuerySet[Person]:
    """Everybody with ``people.view_person``; others see themselves and all below them."""
    if not user.is_authenticated or not user.is_active:
        return Person.objects.none()
    if user.has_perm("people.view_person"):
        return Person.objects.all()
    own = person_of(user)
    if own is None or not own.is_current:
        return Person.objects.none()
    return Person.objects.filter(Q(pk=own.pk) | Q(pk__in=tree_below([own.pk])))


def visible_fields(user: Any) -> frozenset[str]:
    """Names of the fields of a person that ``user`` may see."""
    return frozenset(FIELDS) - fields_hidden_from(user)


def timezone_of(person: Person) -> str:
    """IANA zone in which the person's days are counted.

    Own, else that of a country with a single one, else the legal entity's, else the workspace's.
    """
    entity = person.legal_entity
    return (
        person.timezone
        or single_zone(person.country)
        or (entity.timezone if entity is not None else "")
        or workspace_get().timezone
    )
