"""Which source speaks for which field of one person. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from people.matching import OpenView
from people.plan import Policy

_BLANK = ("", None)


class Chooser:
    """Asks a person's leading records, one a source and in each field's own order.

    ``lifecycle`` is the record whose contract and dates are the person's.
    """

    def __init__(self, primaries: Mapping[str, OpenView], policy: Policy) -> None:
        self._views = _heard(primaries)
        # Nearly everybody has one record: nobody else need be asked, in whatever order.
        self._only = next(iter(self._views.values())) if len(self._views) == 1 else None
        self._policy = policy
        self._by_age = self._ordered(policy.sources_by_age)
        employed = [view for view in self._by_age if not view.record.account]
        self.lifecycle = self.pick("contract_status") or (employed or self._by_age)[0]

    def _ordered(self, first: Sequence[str]) -> list[OpenView]:
        rest = sorted(self._views)
        order = [*first, *self._policy.sources_by_age, *rest]
        return [self._views[source] for source in dict.fromkeys(order) if source in self._views]

    def candidates(self, name: str) -> list[OpenView]:
        """Records in the order in which they are asked for the field."""
        if self._only is not None:
            return self._by_age
        chosen = self._policy.field_sources.get(name)
        return self._ordered(chosen) if chosen else self._by_age

    def pick(self, name: str) -> OpenView | None:
        """The first record that has a value for the field."""
        if self._only is not None:
            return self._only if getattr(self._only.record, name) not in _BLANK else None
        for view in self.candidates(name):
            if getattr(view.record, name) not in _BLANK:
                return view
        return None


def _heard(primaries: Mapping[str, OpenView]) -> dict[str, OpenView]:
    """Whose values count: live employments before ended ones, and accounts that are in use.

    People leave, contracts end: an ended employment says nothing while another one lives. An
    account that outlives its owner's employment keeps nobody here.
    """
    work = {source: view for source, view in primaries.items() if not view.record.account}
    live = {source: view for source, view in work.items() if view.record.is_live}
    accounts = {
        source: view
        for source, view in primaries.items()
        if view.record.account and view.record.is_live
    }
    return {**(live or work), **accounts} or dict(primaries)
