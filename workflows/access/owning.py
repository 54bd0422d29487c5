"""Whose eyes and hands an application is in: IT's and HR's by a right, and its owner's own.

An owner without a role looks after who has their application and nothing else: how it is given, by
which rule and through which connection stays with IT and HR, because a group's name or a rule may
hand out more than the application (see the decision on owners).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q

from integrations.models import AppAccess, Application
from people.identity import person_of
from people.selectors import people_visible_to

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from people.models import Person

SEE_LIST = ("integrations.view_application",)
SEE = ("integrations.view_application", "people.view_person")
SEE_ACCESS = ("integrations.view_appaccess", "people.view_person")
MEND = ("integrations.change_appaccess", "people.view_person")


def owner_of(user: Any) -> Person | None:
    """The person who may own something: of the account, and still here."""
    found = person_of(user)
    return found if found is not None and found.is_current else None


def applications_owned(user: Any) -> QuerySet[Application]:
    """Those whose owner the account is."""
    own = owner_of(user)
    return Application.objects.filter(owner=own) if own else Application.objects.none()


def applications_seen(user: Any) -> QuerySet[Application]:
    """All for who has the right, else one's own."""
    return Application.objects.all() if user.has_perms(SEE_LIST) else applications_owned(user)


def may_look_after(user: Any, application: Application, rights: tuple[str, ...]) -> bool:
    """By ``rights`` over all of them, or as the owner of this one."""
    if user.has_perms(rights):
        return True
    own = owner_of(user)
    return own is not None and application.owner_id == own.pk


def accesses_seen(user: Any) -> QuerySet[AppAccess]:
    """Accesses with their history: of visible people by right, and of one's own applications."""
    rows = AppAccess.objects.select_related("application__owner", "person")
    if user.has_perms(SEE_ACCESS):
        return rows.filter(
            Q(person__in=people_visible_to(user)) | Q(application__in=applications_owned(user))
        )
    return rows.filter(application__in=applications_owned(user))


def may_change_access(user: Any, access: AppAccess) -> bool:
    """Whether ``user`` may say until when; an owner not for themselves."""
    if user.has_perms(MEND):
        return True
    own = owner_of(user)
    return own is not None and access.application.owner_id == own.pk != access.person_id
