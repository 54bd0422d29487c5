"""Which person of the directory a signed-in account is, and which fields it may see."""

from __future__ import annotations

from typing import Any

from people.models import FieldPolicy, Person

PRIVATE_FIELDS = frozenset({"date_of_birth", "personal_email"})
"""Shown only with ``people.view_private_fields``, whatever the field policies say."""


def person_of(user: Any) -> Person | None:
    """The person whose work e-mail is the account's e-mail (or user name); ``None`` for others."""
    if not user.is_authenticated:
        return None
    email = (user.email or user.get_username()).strip().lower()
    if "@" not in email:
        return None
    return Person.objects.filter(work_email=email).first()


def fields_hidden_from(user: Any) -> frozenset[str]:
    """Names of fields of a person that ``user`` may not see."""
    hidden = set() if user.has_perm("people.view_private_fields") else set(PRIVATE_FIELDS)
    if not user.is_superuser:
        roles = set(user.groups.values_list("name", flat=True))
        for policy in FieldPolicy.objects.exclude(visible_to=[]):
            if not roles & set(policy.visible_to):
                hidden.add(policy.field)
    return frozenset(hidden)
