"""Single values of a workspace document: names, people, zones, keys, conditions, approvers."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import available_timezones

from workflows.conditions.check import check_group
from workflows.conditions.tree import read_group
from workflows.field_types import field_types_now
from workflows.problems import Reader, did_you_mean, join, shown
from workflows.vocabulary import vocabulary_now

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,58}[a-z0-9])?")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?")


@dataclass(frozen=True, slots=True)
class Known:
    """What exists, so that a document may refer to it."""

    people: Collection[str]
    connections: Collection[str]
    employment_types: Collection[str]
    fields: Collection[str]
    custom_types: Mapping[str, str] = field(default_factory=dict)
    """Key of each custom field → its type."""


class ValueReader:
    """Reads one value at a time; what is wrong is noted with its path."""

    def __init__(self, reader: Reader, known: Known) -> None:
        self.reader = reader
        self.known = known
        self.zones = available_timezones()
        self.types = set(known.employment_types)
        self.fields = set(known.fields)
        self.field_types = dict(field_types_now())

    def _slug(self, found: dict[str, Any], path: str, key: str = "key") -> str:
        here = join(path, key)
        value = self.reader.text(found.get(key, ""), here)
        if not _SLUG.fullmatch(value):
            self.reader.error(here, "A short name: lower-case letters, digits and -, up to 60.")
        return value

    def _name(self, found: dict[str, Any], path: str, default: str = "") -> str:
        value = self.reader.text(found.get("name", default), join(path, "name"), limit=200).strip()
        if not value:
            self.reader.error(join(path, "name"), "Missing.")
        return value

    def _person(self, value: object, path: str) -> str:
        email = self.reader.text(value, path, limit=254).strip().lower()
        if email and email not in self.known.people:
            hint = did_you_mean(email, self.known.people)
            self.reader.error(path, f"Nobody has the work email {shown(email)}.{hint}")
        return email

    def _people(self, data: object, path: str) -> list[str]:
        return [
            self._person(item, f"{path}[{index}]")
            for index, item in enumerate(self.reader.items(data, path))
        ]

    def _zone(self, value: object, path: str) -> str:
        name = self.reader.text(value, path, limit=64)
        if name and name not in self.zones:
            self.reader.error(
                path, f"{shown(name)} is no IANA time zone.{did_you_mean(name, self.zones)}"
            )
        return name

    def _language(self, value: object, path: str) -> str:
        text = self.reader.text(value, path, limit=10)
        if text and not _LANGUAGE.fullmatch(text):
            self.reader.error(path, f"{shown(text)} is no language code, as en or fr.")
        return text

    def _connection(self, value: object, path: str) -> str | None:
        if value is None:
            return None
        key = self.reader.text(value, path, limit=60)
        if key not in self.known.connections:
            hint = did_you_mean(key, self.known.connections)
            self.reader.error(path, f"There is no connection {shown(key)}.{hint}")
        return key

    def _group(self, value: object, path: str) -> dict[str, Any] | None:
        if value is None:
            return None
        before = len(self.reader.problems)
        group = read_group(self.reader, value, path)
        if len(self.reader.problems) == before:
            self.reader.problems += check_group(group, path, types=self.field_types)
        return group.to_data()

    def _approver(self, value: object, path: str) -> dict[str, Any]:
        found = self.reader.mapping(value, path)
        kind = self.reader.text(found.get("type", ""), join(path, "type"), limit=60)
        vocabulary = vocabulary_now()
        entry = vocabulary.approver(kind)
        if entry is None:
            hint = did_you_mean(kind, vocabulary.keys("approver"))
            self.reader.error(join(path, "type"), f"Unknown approver type {shown(kind)}.{hint}")
            return found
        params = {key: item for key, item in found.items() if key != "type"}
        self.reader.problems += entry.validate(params, path)
        return found
