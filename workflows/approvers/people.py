"""What every approver type shares: who may be asked at all."""

from __future__ import annotations

from collections.abc import Iterable

from people.models import Person
from workflows.nodes import Resolution


def askable(
    candidates: Iterable[Person | None], *, subject: Person, how: str, nobody: str
) -> Resolution:
    """Those who are still here and are not the subject; ``nobody`` is the reason when none is."""
    found = [person for person in candidates if person is not None]
    current = [person for person in found if person.is_current]
    allowed = tuple(dict.fromkeys(person for person in current if person.pk != subject.pk))
    if allowed:
        return Resolution(people=allowed, how=how)
    if not found:
        return Resolution(reason=nobody)
    if not current:
        names = ", ".join(str(person) for person in found)
        return Resolution(reason=f"{names} has left.")
    return Resolution(reason="Nobody approves for themselves.")
