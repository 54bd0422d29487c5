"""Checks what an admin enters for a connection against the connector's list of settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from integrations.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from integrations.connectors.base import Connector, Setting

_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_MAX_LENGTH = {False: 2_000, True: 20_000}


def host_of(value: str) -> str:
    """The host in a URL or the text itself, lower-case."""
    return (urlsplit(value).hostname if "://" in value else value) or ""


def clean_settings(
    connector: Connector, *, key: str, config: Mapping[str, str], secrets: Mapping[str, str]
) -> dict[str, str]:
    """The settings without blanks. Raises ``ConfigError`` with every problem in one message."""
    open_ones = {setting.name: setting for setting in connector.settings if not setting.secret}
    secret_ones = {setting.name: setting for setting in connector.settings if setting.secret}
    problems = [] if _KEY.fullmatch(key) else [f"“{key[:60]}” is no key: use a-z, 0-9, - and _."]
    cleaned: dict[str, str] = {}
    for name, value in config.items():
        setting = open_ones.get(name)
        if setting is None:
            problems.append(_unknown("setting", name, open_ones, elsewhere=secret_ones))
        elif value.strip():
            problems += _value_problems(setting, value.strip())
            cleaned[name] = value.strip()
    for name, value in secrets.items():
        setting = secret_ones.get(name)
        if setting is None:
            problems.append(_unknown("secret", name, secret_ones, elsewhere=open_ones))
        else:
            problems += _value_problems(setting, value)
    if problems:
        raise ConfigError(" ".join(problems))
    return cleaned


def _unknown(
    noun: str, name: str, known: Mapping[str, Setting], *, elsewhere: Mapping[str, Setting]
) -> str:
    names = ", ".join(known) or "none"
    if name in elsewhere:
        # A secret given as a plain setting would be stored and shown in clear.
        return f"“{name}” is not a {noun} but a {'secret' if noun == 'setting' else 'setting'}."
    return f"“{name[:60]}” is not a {noun} of this connector. Its {noun}s: {names}."


def _value_problems(setting: Setting, value: str) -> list[str]:
    if len(value) > _MAX_LENGTH[setting.secret]:
        return [f"{setting.name} is too long."]
    if any(ord(char) < 32 or ord(char) == 127 for char in value):
        return [f"{setting.name} holds a line break or control character."]
    if setting.choices and value not in setting.choices:
        return [f"{setting.name} must be one of: {', '.join(setting.choices)}."]
    return []
