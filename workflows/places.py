"""Where people are: which time zones and countries there are, and who is in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db.models import Q


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Every time zone that somebody may be in, with the countries of those people.

    More may stand here than is true of anybody, never less.
    """

    countries: Mapping[str, frozenset[str]]
    """Zone → countries (alpha-3, blank: unknown)."""
    entities: Mapping[int, str]
    """Legal entity → its zone; blank where it has none."""
    workspace_timezone: str

    def zones_read(self, timezone: str) -> list[tuple[str, str]]:
        """(zone somebody is in, zone their moments are read in) for a timing's ``timezone``."""
        fixed = self.workspace_timezone if timezone == "workspace" else timezone
        return [(zone, zone if timezone == "person" else fixed) for zone in self.countries]

    def within(self, zones: Collection[str]) -> Q | None:
        """Who is in one of ``zones``, as a filter over people; ``None``: everybody."""
        if set(zones) >= self.countries.keys():
            return None
        named = [pk for pk, zone in self.entities.items() if zone in zones]
        found = Q(timezone__in=sorted(zones)) | Q(timezone="", legal_entity__in=named)
        if self.workspace_timezone in zones:
            silent = [pk for pk, zone in self.entities.items() if not zone]
            found |= Q(timezone="", legal_entity=None) | Q(timezone="", legal_entity__in=silent)
        return found
