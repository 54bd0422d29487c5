"""Find what a command names, or refuse with what exists."""

from __future__ import annotations

from difflib import get_close_matches

from django.core.management.base import CommandError

from people.models import Person
from people.selectors import person_by_email
from workflows.models import Workflow


def workflow_or_refuse(key: str) -> Workflow:
    """The workflow with this key. Raises ``CommandError`` naming a near one."""
    found = Workflow.objects.select_related("live_version__workflow").filter(key=key).first()
    if found is None:
        keys = list(Workflow.objects.values_list("key", flat=True))
        near = get_close_matches(key, keys, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise CommandError(f"There is no workflow “{key}”.{hint}")
    return found


def person_or_refuse(email: str) -> Person:
    """The person with this work e-mail, former ones included. Raises ``CommandError``."""
    found = person_by_email(email)
    if found is None:
        raise CommandError(f"Nobody in the directory has the work e-mail {email}.")
    return found
