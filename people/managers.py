"""Who manages whom: found by id, then by address; unknown, self and circles are reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from people.choices import Problem
from people.plan import RecordKey, Ref


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerClaim:
    """What a source (or an admin) says about somebody's manager."""

    source: str
    external_id: str = ""
    email: str = ""
    user_email: str = ""
    name: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was said."""
        return not (self.external_id or self.email or self.user_email or self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerFound:
    """The manager, or the problem in their place."""

    ref: Ref | None = None
    problem: str = ""
    note: str = ""


def manager_find(
    claim: ManagerClaim,
    *,
    of: Ref,
    owners: Mapping[RecordKey, Ref],
    by_email: Callable[[str], Ref | None],
) -> ManagerFound:
    """Resolve one claim: by the source's id, by e-mail, by the manager's user account."""
    if claim.is_blank:
        return ManagerFound(problem=Problem.NO_MANAGER, note="The source names no manager.")
    found = owners.get((claim.source, claim.external_id)) if claim.external_id else None
    for email in (claim.email, claim.user_email):
        if found is None and email:
            found = by_email(email)
    if found is None:
        said = claim.name or claim.email or claim.user_email or claim.external_id
        return ManagerFound(
            problem=Problem.MANAGER_UNKNOWN,
            note=f"The manager “{said}” is not in the directory.",
        )
    if found == of:
        return ManagerFound(
            problem=Problem.MANAGER_SELF, note="The source names the person as their own manager."
        )
    return ManagerFound(ref=found)


def on_circles(manager: Mapping[Ref, Ref | None]) -> set[Ref]:
    """Everybody whose chain of managers comes back to them. Linear; never recurses."""
    circling: set[Ref] = set()
    finished: set[Ref] = set()
    for start in manager:
        path: list[Ref] = []
        position: dict[Ref, int] = {}
        at: Ref | None = start
        while at is not None and at not in finished and at not in position:
            position[at] = len(path)
            path.append(at)
            at = manager.get(at)
        if at is not None and at in position:
            circling.update(path[position[at] :])
        finished.update(path)
    return circling
