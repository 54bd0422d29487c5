"""A SCIM server in memory with the faults that real ones have been seen with."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from typing import Any

from integrations.connectors.scim.discovery import ENTERPRISE, USER
from integrations.tests.servers import Answer, Asked

BASE = "/scim/v2"


@dataclass
class AwfulScim:
    """Give an instance to ``serving``. All faults are off by default."""

    filters: str = "work"
    """work | ignored (everybody) | refused (400) | blind (nobody)."""
    patch: str = "work"
    """work | refused (501) | crash (500) | no_content (204) | lies (200 without effect)
    | bare (only without path) | capital (only “Replace” with text)."""
    duplicate: int = 409
    lose_create: bool = False
    """Create, then hang up."""
    relative_location: bool = False
    foreign_location: str = ""
    etag: bool = False
    hide_groups: bool = False
    groups_by_hand: bool = False
    page_size: int = 1000
    pages: str = "work"
    """work | stuck (always the first) | short (announces more than there are)
    | moving (somebody is added in front while it is read)."""
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    config: bool = True
    schemas: tuple[str, ...] = ()
    """Attributes of a user that ``/Schemas`` names; without any it answers 404."""
    refuses: frozenset[str] = frozenset()
    """Attributes that make a whole PATCH fail with 400."""
    ignores: frozenset[str] = frozenset()
    """Attributes that are dropped without a word."""
    max_results: int | None = None
    totals: bool = True
    """Whether lists say how many there are."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add_user(self, user_name: str, **more: Any) -> str:
        number = f"u{len(self.users) + 1}"
        self.users[number] = {
            "id": number,
            "userName": user_name,
            "active": True,
            "emails": [{"value": user_name, "primary": True}],
            "meta": {"version": 'W/"1"'},
            **more,
        }
        return number

    def add_group(self, name: str, *members: str) -> str:
        number = f"g{len(self.groups) + 1}"
        self.groups[number] = {
            "id": number,
            "displayName": name,
            "members": [{"value": one} for one in members],
            "meta": {"version": 'W/"1"'},
        }
        return number

    def members(self, group: str) -> set[str]:
        return {one["value"] for one in self.groups[group].get("members", [])}

    def __call__(self, asked: Asked) -> Answer:
        with self._lock:
            if asked.headers.get("authorization") != "Bearer good":
                return Answer(401, json={"detail": "who?"})
            parts = asked.path.removeprefix(BASE).strip("/").split("/")
            if not asked.path.startswith(BASE):
                return Answer(404)
            if parts[0] == "ServiceProviderConfig":
                if not self.config:
                    return Answer(404)
                return Answer(
                    json={
                        "patch": {"supported": self.patch != "refused"},
                        "filter": {
                            "supported": self.filters != "refused",
                            **({"maxResults": self.max_results} if self.max_results else {}),
                        },
                        "etag": {"supported": self.etag},
                    }
                )
            if parts[0] == "Schemas" and self.schemas:
                return self._schemas()
            table = {"Users": self.users, "Groups": self.groups}.get(parts[0])
            if table is None:
                return Answer(404)
            if len(parts) == 1:
                return (
                    self._create(asked, table)
                    if asked.method == "POST"
                    else self._list(asked, table)
                )
            row = table.get(parts[1])
            if row is None:
                return Answer(404, json={"status": "404"})
            return self._one(asked, table, row)

    def _schemas(self) -> Answer:
        found = []
        for urn, prefix in ((USER, ""), (ENTERPRISE, "enterprise.")):
            names = [one for one in self.schemas if one.startswith("enterprise.") is bool(prefix)]
            attributes = [{"name": one.removeprefix(prefix)} for one in names]
            found.append({"id": urn, "attributes": attributes})
        return Answer(json={"totalResults": 2, "Resources": found})

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        kind = "Users" if row["id"].startswith("u") else "Groups"
        shown = json.loads(json.dumps(row))
        if self.relative_location:
            shown["meta"]["location"] = f"../v2/{kind}/{row['id']}"
        elif self.foreign_location:
            shown["meta"]["location"] = f"{self.foreign_location}/{kind}/{row['id']}"
        if not self.etag:
            shown["meta"].pop("version", None)
        if kind == "Users" and not self.hide_groups:
            shown["groups"] = [
                {"value": one["id"], "display": one["displayName"]}
                for one in self.groups.values()
                if row["id"] in {member["value"] for member in one.get("members", [])}
            ]
        if kind == "Groups" and not shown.get("members"):
            shown.pop("members", None)
        return shown

    def _list(self, asked: Asked, table: dict[str, dict[str, Any]]) -> Answer:
        rows = list(table.values())
        query = asked.query.get("filter")
        if query and self.filters == "refused":
            return Answer(400, json={"scimType": "invalidFilter"})
        if query and self.filters == "blind":
            rows = []
        if query and self.filters == "work":
            match = re.fullmatch(r"([\w.]+) eq (\".*\")", query)
            if match is None:
                return Answer(400, json={"scimType": "invalidFilter"})
            rows = [one for one in rows if self._matches(one, match[1], json.loads(match[2]))]
        start = 1 if self.pages == "stuck" else int(asked.query.get("startIndex", "1"))
        if self.pages == "moving" and start > 1:
            self.pages = "work"
            newcomer = self.add_user("newcomer@acme.test")
            rows = [table[newcomer], *rows]
        count = min(int(asked.query.get("count", "100")), self.page_size)
        page = rows[start - 1 : start - 1 + count]
        answer: dict[str, Any] = {
            "startIndex": start,
            "Resources": [self._shown(one) for one in page],
        }
        if self.totals:
            answer["totalResults"] = len(rows) + (self.pages == "short")
        return Answer(json=answer)

    @staticmethod
    def _matches(row: dict[str, Any], attribute: str, wanted: str) -> bool:
        head, _, tail = attribute.partition(".")
        value = row.get(head)
        values = [one.get(tail) for one in value] if isinstance(value, list) else [value]
        return any(isinstance(one, str) and one.lower() == wanted.lower() for one in values)

    def _create(self, asked: Asked, table: dict[str, dict[str, Any]]) -> Answer:
        body = asked.json()
        if table is self.groups:
            if self.groups_by_hand:
                return Answer(403)
            return Answer(201, json=self._shown(self.groups[self.add_group(body["displayName"])]))
        if any(one["userName"].lower() == body["userName"].lower() for one in table.values()):
            return Answer(self.duplicate, json={"detail": "uniqueness"})
        number = self.add_user(body.pop("userName"), **body)
        if self.lose_create:
            self.lose_create = False
            return Answer(drop=True)
        return Answer(201, json=self._shown(table[number]))

    def _one(self, asked: Asked, table: dict[str, Any], row: dict[str, Any]) -> Answer:
        if asked.method == "GET":
            return Answer(json=self._shown(row))
        if asked.method == "DELETE":
            del table[row["id"]]
            return Answer(204)
        if self.etag and asked.method == "PUT":
            if asked.headers.get("if-match") != row["meta"]["version"]:
                return Answer(412)
            row["meta"]["version"] = f'W/"{len(row["meta"]["version"])}"'
        if asked.method == "PUT":
            body = asked.json()
            row.clear()
            kept = {name: one for name, one in body.items() if name not in self.ignores}
            row.update({"members": [], "meta": {"version": 'W/"2"'}, **kept})
            return Answer(json=self._shown(row))
        return self._patch(asked, row)

    def _patch(self, asked: Asked, row: dict[str, Any]) -> Answer:
        if self.patch in {"refused", "crash"}:
            return Answer(501 if self.patch == "refused" else 500)
        if self.patch == "lies":
            return Answer(200, json=self._shown(row))
        operations = asked.json()["Operations"]
        if any(self._named(one) & self.refuses for one in operations):
            return Answer(400, json={"scimType": "invalidPath"})
        for operation in operations:
            if (refused := self._apply(operation, row)) is not None:
                return refused
        if self.patch == "no_content":
            return Answer(204)
        return Answer(json=self._shown(row))

    @staticmethod
    def _named(operation: dict[str, Any]) -> set[str]:
        path = operation.get("path")
        return {path} if path else set(operation["value"])

    def _apply(self, operation: dict[str, Any], row: dict[str, Any]) -> Answer | None:
        path, value = operation.get("path"), operation.get("value")
        if self.patch == "bare" and path is not None and not path.startswith("members"):
            return Answer(400, json={"scimType": "invalidPath"})
        told = operation["op"] == "Replace" and value == "False"
        if self.patch == "capital" and path == "active" and not told:
            return Answer(400)
        if path in self.ignores:
            return None
        if path == "active":
            row["active"] = value if isinstance(value, bool) else value.lower() == "true"
        elif path == "members" and operation["op"] == "add":
            row.setdefault("members", []).extend(value)
        elif path and (match := re.fullmatch(r'members\[value eq "(.+)"\]', path)):
            row["members"] = [one for one in row["members"] if one["value"] != match[1]]
        elif path == "members":
            row["members"] = []
        elif path is None:
            row.update({name: one for name, one in value.items() if name not in self.ignores})
        elif path.startswith(ENTERPRISE):
            row.setdefault(ENTERPRISE, {})[path.removeprefix(f"{ENTERPRISE}:")] = value
        else:
            head, _, tail = path.partition(".")
            if tail:
                row.setdefault(head, {})[tail] = value
            else:
                row[head] = value
        return None
