"""Tags and filters of our templates."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.db.models import Choices
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString

from people import countries
from people.choices import CHIP_COLOURS, ContractStatus, PersonStatus, WorkerType
from people.folding import initials_of

register = template.Library()

STATE_COLOURS: dict[str, str] = {
    "live": "active", "ready": "active", "applied": "active", "done": "active", "ok": "active",
    "approved": "active", "granted": "active", "resolved": "active",
    "running": "info", "queued": "info", "waiting": "warning", "pending": "warning", "new": "info",
    "requested": "info", "in_progress": "info", "retrying": "warning", "revoking": "warning",
    "asked": "warning", "address_received": "info", "ordered": "info", "shipped": "info",
    "delivered": "active", "problem": "danger", "return_asked": "warning", "returned": "ended",
    "lost": "danger", "refused": "danger", "bounced": "danger",
    "open": "info", "held": "warning", "paused": "warning", "needs_attention": "danger",
    "done_with_errors": "warning", "uncertain": "danger", "failed": "danger", "rejected": "danger",
    "expired": "ended", "cancelled": "ended", "superseded": "ended", "skipped": "ended",
    "archived": "ended", "disconnected": "ended", "discarded": "ended", "revoked": "ended",
}  # fmt: skip

CHOICE_WORDS: dict[str, str] = {
    str(choice.value): str(choice.label)
    for kind in (WorkerType, ContractStatus, PersonStatus)
    for choice in kind
}


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """One icon of the sprite, hidden from screen readers: the text beside it speaks."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        css,
        static("siit/icons.svg"),
        name,
    )


@register.simple_tag
def chip(value: Any, label: str = "", colour: str = "") -> SafeString:
    """A coloured word for a value of a closed vocabulary. Nothing for no value."""
    if value in (None, ""):
        return SafeString("")
    key = str(value.value) if isinstance(value, Choices) else str(value)
    shade = colour or CHIP_COLOURS.get(key) or STATE_COLOURS.get(key, "neutral")
    words = label or CHOICE_WORDS.get(key) or key.replace("_", " ").capitalize()
    return format_html('<span class="chip chip-{}">{}</span>', shade, words)


@register.filter
def choice_words(value: str) -> str:
    """``eor_employee`` → ``EOR Employee``; a value of no vocabulary as it is."""
    return CHOICE_WORDS.get(value, value)


@register.filter
def type_name(key: str, types: dict[str, str]) -> str:
    """The name of an employment type in ``types``; an unknown key as it is."""
    return types.get(key, key)


@register.filter
def country_name(code: str | None) -> str:
    """The name of an ISO 3166-1 alpha-2 or alpha-3 code; an unknown code as it is."""
    return countries.country_name(code) if code else ""


@register.filter
def local_moment(value: datetime | str | None, zone: str = "") -> str:
    """A moment as ``24 Nov 2026, 18:00`` in the named zone, else in the page's; none is blank."""
    if not isinstance(value, datetime):
        return ""
    local = value.astimezone(ZoneInfo(zone)) if zone else timezone.localtime(value)
    return date_format(local, "j M Y, H:i")


@register.filter
def plain_value(value: Any) -> str:
    """A stored value in words: dates as dates, yes and no, a dash for nothing."""
    if value in (None, "", [], {}):
        return "–"
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, str):
        # A date comes back from JSON as text.
        try:
            day = parse_date(value)
            moment = None if day else parse_datetime(value)
        except ValueError:
            return value
        if day:
            return date_format(day, "j M Y")
        return local_moment(moment) if moment and timezone.is_aware(moment) else value
    if isinstance(value, datetime):
        return local_moment(value)
    if isinstance(value, date):
        return date_format(value, "j M Y")
    if isinstance(value, (list, tuple)):
        return ", ".join(plain_value(item) for item in value)
    return str(value)


@register.filter
def field_label(name: str) -> str:
    """``legal_entity`` → ``Legal entity``."""
    return name.replace("_", " ").strip().capitalize()


@register.filter
def avatar_tone(person: Any) -> str:
    """One of a few colours, always the same for a person."""
    return ("", "avatar-b", "avatar-c")[(person.pk or 0) % 3]


@register.filter
def initials(name: Any) -> str:
    """Up to two letters of a name for an avatar."""
    return initials_of(str(name))


@register.inclusion_tag("components/person_cell.html", takes_context=True)
def person_cell(context: dict[str, Any], person: Any, link: bool = True) -> dict[str, Any]:
    """Avatar, name, job title and team; less what the page's ``hidden`` fields are."""
    return {"person": person, "link": link, "hidden": context.get("hidden", ())}


@register.inclusion_tag("components/empty_state.html")
def empty_state(
    title: str, text: str, icon_name: str = "inbox", url: str = "", action: str = ""
) -> dict[str, str]:
    """What to do where there is nothing to show yet."""
    return {"title": title, "text": text, "icon_name": icon_name, "url": url, "action": action}


@register.inclusion_tag("components/pagination.html", takes_context=True)
def pager(context: dict[str, Any], page: Any) -> dict[str, Any]:
    """Links to the previous and next page, keeping the rest of the query."""
    query = context["request"].GET.copy()
    query.pop("page", None)
    return {"page": page, "query": query.urlencode()}
