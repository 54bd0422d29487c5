"""Which person of the directory a signed-in account is, and whom it may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from people.models import FieldPolicy, Person

if TYPE_CHECKING:
    from django.db.models import QuerySet

PRIVATE_FIELDS = frozenset({"date_of_birth"})
"""Shown only with ``people.view_private_fields``, whatever the field policies say."""


def person_of(user: Any) -> Person | None:
    """The person whose work e-mail is the account's e-mail (or user name); ``None`` for others."""
    if not user.is_authenticated:
        return None
    email = (user.email or user.get_username()).strip().lower()
    if "@" not in email:
        return None
    return Person.objects.filter(work_email=email).first()


def people_open_to(user: Any) -> QuerySet[Person]:
    """Everybody with ``people.view_person``; others see themselves and their own reports."""
    if not user.is_authenticated:
        return Person.objects.none()
    if user.has_perm("people.view_person"):
        return Person.objects.all()
    own = person_of(user)
    if own is None:
        return Person.objects.none()
    return Person.objects.filter(Q(pk=own.pk) | Q(manager=own))


def fields_hidden_from(user: Any) -> frozenset[str]:
    """Names of fields of a person that ``user`` may not see."""
    hidden = set() if user.has_perm("people.view_private_fields") else set(PRIVATE_FIELDS)
    if not user.is_superuser:
        roles = set(user.groups.values_list("name", flat=True))
        for policy in FieldPolicy.objects.exclude(visible_to=[]):
            if not roles & set(policy.visible_to):
                hidden.add(policy.field)
    return frozenset(hidden)
