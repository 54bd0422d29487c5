"""Names of countries."""

from __future__ import annotations

from functools import cache

import pycountry


@cache
def country_name(code: str) -> str:
    """The common name of an ISO 3166-1 alpha-2 or alpha-3 code; an unknown code as it is."""
    wanted = code.upper()
    found = pycountry.countries.get(alpha_3=wanted) or pycountry.countries.get(alpha_2=wanted)
    return str(getattr(found, "common_name", found.name)) if found else code
