"""Which countries lie in one time zone, from the tz database itself."""

from __future__ import annotations

from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo, available_timezones

import pycountry


@cache
def _zones_by_country() -> dict[str, tuple[str, ...]]:
    """Alpha-3 code → its zones, as ``zone.tab`` lists them."""
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in table.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        alpha_2, _, zone = line.split("\t")[:3]
        country = pycountry.countries.get(alpha_2=alpha_2)
        if country is not None:
            found.setdefault(country.alpha_3, []).append(zone)
    return {code: tuple(zones) for code, zones in found.items()}


def zones_of(country: str) -> tuple[str, ...]:
    """IANA names of the zones of a country (alpha-3); empty for an unknown one."""
    return _zones_by_country().get(country, ())


def single_zone(country: str) -> str:
    """The zone of a country that has exactly one; ``""`` for all others: guessing is worse."""
    zones = zones_of(country)
    return zones[0] if len(zones) == 1 else ""


@cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


@cache
def zones_known() -> tuple[str, ...]:
    """Names to choose from: places and UTC, without the old aliases of single letters."""
    places = (name for name in _known_zones() if "/" in name and not name.startswith("Etc/"))
    return ("UTC", *sorted(places))


def is_zone(name: str) -> bool:
    """Whether ``name`` is an IANA time zone."""
    return name in _known_zones()


@cache
def zone_info(name: str) -> ZoneInfo:
    """The zone, UTC for a name that is none: a mistyped setting must not stop everybody."""
    return ZoneInfo(name) if is_zone(name) else ZoneInfo("UTC")
