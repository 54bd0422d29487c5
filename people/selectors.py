"""Read the directory: who is who, who manages whom, and what somebody may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Q

from people.choices import PersonStatus
from people.defaults import workspace_get
from people.folding import email_key, fold
from people.identity import fields_hidden_from, person_of
from people.models import Person
from people.plan import FIELDS
from people.zones import single_zone

if TYPE_CHECKING:
    from django.db.models import QuerySet

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


def reports_tree_ids(person: Person, *, depth: int = DEPTH) -> set[int]:
    """Primary keys of everybody below ``person``, direct and indirect; one query a level."""
    found: set[int] = set()
    level = {person.pk}
    for _ in range(depth):
        below = set(Person.objects.filter(manager_id__in=level).values_list("pk", flat=True))
        level = below - found - {person.pk}
        if not level:
            break
        found |= level
    return found


def people_visible_to(user: Any) -> QuerySet[Person]:
    """Everybody with ``people.view_person``; others see themselves and all below them."""
    if not user.is_authenticated or not user.is_active:
        return Person.objects.none()
    if user.has_perm("people.view_person"):
        return Person.objects.all()
    own = person_of(user)
    if own is None or not own.is_current:
        return Person.objects.none()
    return Person.objects.filter(Q(pk=own.pk) | Q(pk__in=reports_tree_ids(own)))


def visible_fields(user: Any) -> frozenset[str]:
    """Names of the fields of a person that ``user`` may see."""
    return frozenset(FIELDS) - fields_hidden_from(user)


def search(people: QuerySet[Person], text: str) -> QuerySet[Person]:
    """Those in whom every word of ``text`` is found, accents and case aside."""
    for word in fold(text).split():
        people = people.filter(search_text__contains=word)
    return people


def people_tabs(people: QuerySet[Person]) -> dict[str, int]:
    """Counts for the tabs over the list: all, each status, and those with data problems."""
    counts = {status: Count("pk", filter=Q(status=status)) for status in PersonStatus.values}
    problems = Count("pk", filter=~Q(problems=[]) & ~Q(status=PersonStatus.ENDED))
    return dict(people.order_by().aggregate(all=Count("pk"), problems=problems, **counts))


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
