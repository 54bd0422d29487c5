"""Keys made from names: short, stable, and never empty."""

from __future__ import annotations

import hashlib

from django.utils.text import slugify

LONGEST = 60


def key_from(name: str, *, kind: str) -> str:
    """The key that a name becomes: “Laptop, Europe” → ``laptop-europe``.

    A name in letters that addresses cannot hold becomes ``kind`` and a mark of its own, as
    ``bundle-3f9a1c``: always the same for the same name. Blank only for a blank name.
    """
    text = name.strip()
    key = slugify(text)[:LONGEST].strip("-_")
    if key or not text:
        return key
    mark = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:6]
    return f"{kind}-{mark}"
