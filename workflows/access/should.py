"""Who should have an application: its rule, and whom it fits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from integrations.models import Application
from people.defaults import workspace_get
from workflows.conditions.describe import describe_group
from workflows.conditions.evaluate import Truth, compile_group
from workflows.conditions.tree import Group, parse_group
from workflows.designer.matching import Directory, directory


def rule_of(application: Application) -> Group | None:
    """The rule; ``None`` without one, and for one that does not parse (then nobody is entitled)."""
    if application.entitle is None:
        return None
    group, reader = parse_group(application.entitle, "entitle")
    return None if reader.problems else group


def rule_fields(data: object) -> frozenset[str]:
    """The fields that a rule asks for; of anything that is no rule, none."""
    group, reader = parse_group(data, "entitle") if data is not None else (None, None)
    if group is None or (reader is not None and reader.problems):
        return frozenset()
    return frozenset(rule.field for _, rule in group.walk_rules())


def rule_words(application: Application) -> str:
    """Who gets it, in words; empty without a rule."""
    group = rule_of(application)
    return describe_group(group) if group is not None else ""


def directory_today(now: datetime) -> Directory:
    """Everybody who has not left, with days counted in the workspace's zone."""
    return directory(now.astimezone(ZoneInfo(workspace_get().timezone)).date())


def entitled_applications(facts: Mapping[str, Any], *, today: date) -> list[Application]:
    """Applications in use whose rule a person with these facts meets, by name."""
    found: list[Application] = []
    rows = Application.objects.filter(active=True, entitle__isnull=False)
    for application in rows.select_related("connection", "owner"):
        group = rule_of(application)
        if group is not None and compile_group(group)(facts, today) is Truth.TRUE:
            found.append(application)
    return found
