"""Tags of the designer's templates."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def invalid(errors: Any, element: str) -> SafeString:
    """Attributes that tie an input to the errors below it; nothing where there are none."""
    if not errors:
        return SafeString("")
    return format_html(' aria-invalid="true" aria-describedby="{}-errors"', element)


@register.filter
def slashes(place: str) -> str:
    """A place as the end of an id: “ask/approved” → “-ask-approved”."""
    return f"-{place.replace('/', '-')}" if place else ""


@register.filter
def dots(path: str) -> str:
    """A row's address as the end of an id: “0.2” → “0-2”."""
    return path.replace(".", "-")
