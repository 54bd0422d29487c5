"""What every approver type shares: who may be asked at all."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from people.models import Person
from workflows.nodes import Resolution


def addresses_switched_off() -> frozenset[str]:
    """Work emails whose accounts are all deactivated, lower-case."""
    off: set[str] = set()
    on: set[str] = set()
    rows = User.objects.filter(is_active=False).values_list("email", "username")
    for email, username in rows:
        off.add((email or username).strip().lower())
    if off:
        # Most companies have none that is switched off: the second query is rarely needed.
        for email, username in User.objects.filter(is_active=True).values_list("email", "username"):
            on.add((email or username).strip().lower())
    return frozenset(off - on)


def can_answer(person: Person) -> bool:
    """Whether the person is here and could sign in: neither has left nor is deactivated."""
    return person.is_current and person.work_email not in addresses_switched_off()


def askable(
    candidates: Iterable[Person | None], *, subject: Person, how: str, nobody: str
) -> Resolution:
    """Those who can answer and are not the subject; ``nobody`` is the reason when none is."""
    found = [person for person in candidates if person is not None]
    if not found:
        return Resolution(reason=nobody)
    off = addresses_switched_off()
    current = [person for person in found if person.is_current and person.work_email not in off]
    allowed = tuple(dict.fromkeys(person for person in current if person.pk != subject.pk))
    if allowed:
        return Resolution(people=allowed, how=how)
    if not current:
        names = ", ".join(str(person) for person in found)
        left = all(not person.is_current for person in found)
        return Resolution(reason=f"{names} has left." if left else f"{names} cannot sign in.")
    return Resolution(reason="Nobody approves for themselves.")
