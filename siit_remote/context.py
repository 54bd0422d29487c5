"""What the shell of every page needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """Theme of the page, from the cookie the person chose it with."""
    theme = request.COOKIES.get("theme", "system")
    return {"theme": theme if theme in {"light", "dark", "system"} else "system"}
