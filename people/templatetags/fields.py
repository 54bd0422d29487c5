"""Tags about fields for pages that show a person."""

from __future__ import annotations

from typing import Any

from django import template

from people.fields_overrides import overrides_of
from people.identity import fields_hidden_from

register = template.Library()


@register.inclusion_tag("people/fields_overrides_card.html")
def overrides_card(person: Any, user: Any) -> dict[str, Any]:
    """What was set by hand of ``person``: value, reason, who and when. For who sees everybody."""
    if not user.has_perm("people.view_person"):
        return {}
    return {
        "person": person,
        "overrides": overrides_of(person, hidden=fields_hidden_from(user)),
        "may_override": user.has_perm("people.change_fieldoverride"),
    }
