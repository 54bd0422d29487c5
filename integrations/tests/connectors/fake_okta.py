"""An Okta in memory, as its documentation describes it, with ways in which it can be awkward."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from integrations.tests.servers import Answer

if TYPE_CHECKING:
    from integrations.tests.servers import Asked

TOKEN = "good"


def refused(status: int, code: str) -> Answer:
    """Okta's error document."""
    return Answer(
        status,
        json={"errorCode": code, "errorSummary": "…", "errorId": "oae1", "errorCauses": []},
        headers={"X-Okta-Request-Id": "req-1"},
    )


@dataclass
class FakeOkta:
    """Give an instance to ``serving``."""

    url: str = ""
    filters: str = "work"
    """work | ignored (everybody) | prefix (whoever begins alike)."""
    page_size: int = 200
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, dict[str, Any]] = field(default_factory=dict)
    apps: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    lose: str = ""
    """“METHOD last-part-of-path” whose effect happens and whose answer does not come."""
    lies: bool = False
    """Says yes to every change and makes none."""
    ignores: frozenset[str] = frozenset()
    me: bool = True

    def add_user(self, login: str, *, status: str = "ACTIVE", **profile: str) -> str:
        number = f"00u{len(self.users) + 1}"
        full = {"login": login, "email": login, "firstName": "A", "lastName": "B", **profile}
        self.users[number] = {"id": number, "status": status, "profile": full}
        return number

    def add_group(self, name: str, *members: str, kind: str = "OKTA_GROUP") -> str:
        number = f"00g{len(self.groups) + 1}"
        self.groups[number] = {
            "id": number,
            "type": kind,
            "profile": {"name": name},
            "members": set(members),
        }
        return number

    def add_app(self, label: str, **assigned: str) -> str:
        number = f"0oa{len(self.apps) + 1}"
        self.apps[number] = {"id": number, "label": label, "assigned": dict(assigned)}
        return number

    def __call__(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"SSWS {TOKEN}":
            return refused(401, "E0000011")
        parts = [unquote(one) for one in asked.path.removeprefix("/api/v1/").split("/")]
        answer = self._answer(asked, parts)
        lost = self.lose == f"{asked.method} {parts[-1]}"
        return Answer(drop=True) if lost and answer.status < 300 else answer

    def _answer(self, asked: Asked, parts: list[str]) -> Answer:
        if self.lies and asked.method != "GET":
            return Answer(200, json={})
        if parts == ["users", "me"]:
            return Answer(json=next(iter(self.users.values()), {"id": "00u0", "profile": {}}))
        kind = {"users": self._users, "groups": self._groups, "apps": self._apps}.get(parts[0])
        return kind(asked, parts[1:]) if kind else refused(404, "E0000022")

    def _listed(self, asked: Asked, rows: list[dict[str, Any]]) -> Answer:
        start = int(asked.query.get("after", "0"))
        page = rows[start : start + self.page_size]
        headers = {}
        if start + self.page_size < len(rows):
            more = "&".join(
                f"{name}={value}"
                for name, value in {**asked.query, "after": start + self.page_size}.items()
                if name != "filter"
            )
            # The cursor is opaque: Okta keeps the filter in it.
            self._cursor = asked.query.get("filter", getattr(self, "_cursor", ""))
            headers["Link"] = f'<{self.url}{asked.path}?{more}>; rel="next"'
        shown = [{name: one[name] for name in one if name not in _INNER} for one in page]
        return Answer(json=json.loads(json.dumps(shown)), headers=headers)

    def _users(self, asked: Asked, parts: list[str]) -> Answer:
        if not parts:
            return self._new_user(asked) if asked.method == "POST" else self._user_list(asked)
        user = self.users.get(parts[0]) or next(
            (one for one in self.users.values() if _same(one, "login", parts[0])), None
        )
        if user is None:
            return refused(404, "E0000007")
        if parts[1:] == ["groups"]:
            mine = [one for one in self.groups.values() if user["id"] in one["members"]]
            return self._listed(asked, mine)
        if parts[1:] == ["sessions"] and asked.method == "DELETE":
            assert asked.query == {"oauthTokens": "true"}
            self.ended.append(user["id"])
            return Answer(204)
        if parts[1:2] == ["lifecycle"]:
            return self._lifecycle(user, parts[2])
        if asked.method == "POST":
            given = asked.json()["profile"]
            user["profile"] |= {one: given[one] for one in given if one not in self.ignores}
        return Answer(json=user)

    def _user_list(self, asked: Asked) -> Answer:
        rows = list(self.users.values())
        query = asked.query.get("filter", "")
        if "DEPROVISIONED" in query:
            return self._listed(asked, [one for one in rows if one["status"] == "DEPROVISIONED"])
        rows = [one for one in rows if one["status"] != "DEPROVISIONED"]
        match = re.fullmatch(r'profile\.email eq (".*")', query)
        if match and self.filters != "ignored":
            wanted = json.loads(match[1])
            prefix = self.filters == "prefix"
            rows = [
                one
                for one in rows
                if _same(one, "email", wanted)
                or (prefix and one["profile"]["email"].startswith(wanted[:3]))
            ]
        return self._listed(asked, rows)

    def _new_user(self, asked: Asked) -> Answer:
        profile = asked.json()["profile"]
        if not all(profile.get(one) for one in ("firstName", "lastName", "email", "login")):
            return refused(400, "E0000001")
        if any(_same(one, "login", profile["login"]) for one in self.users.values()):
            return refused(400, "E0000001")
        active = asked.query.get("activate") == "true"
        number = self.add_user(profile["login"], status="PROVISIONED" if active else "STAGED")
        self.users[number]["profile"] = dict(profile)
        return Answer(200, json=self.users[number])

    @staticmethod
    def _lifecycle(user: dict[str, Any], verb: str) -> Answer:
        status = user["status"]
        allowed: dict[str, tuple[set[str], str]] = {
            "suspend": ({"ACTIVE"}, "SUSPENDED"),
            "unsuspend": ({"SUSPENDED"}, "ACTIVE"),
            "activate": ({"STAGED", "DEPROVISIONED"}, "PROVISIONED"),
        }
        before, after = allowed.get(verb, ({status}, "DEPROVISIONED"))
        if status not in before:
            # https://developer.okta.com/docs/reference/error-codes/: with 403, and no fault of
            # the token.
            return refused(403, "E0000016") if verb == "activate" else refused(400, "E0000001")
        user["status"] = after
        return Answer(200, json={})

    def _groups(self, asked: Asked, parts: list[str]) -> Answer:
        if not parts:
            if asked.method == "POST":
                number = self.add_group(asked.json()["profile"]["name"])
                return self._one_group(number)
            start = asked.query.get("q", "").lower()
            rows = [
                one
                for one in self.groups.values()
                if one["profile"]["name"].lower().startswith(start)
            ]
            return self._listed(asked, rows)
        group = self.groups.get(parts[0])
        if group is None or (len(parts) == 3 and parts[2] not in self.users):
            return refused(404, "E0000007")
        if parts[1:] == ["users"]:
            return self._listed(asked, [self.users[one] for one in sorted(group["members"])])
        if len(parts) == 3:
            if group["type"] != "OKTA_GROUP":
                return refused(403, "E0000006")
            change = group["members"].add if asked.method == "PUT" else group["members"].discard
            change(parts[2])
            return Answer(204)
        return self._one_group(parts[0])

    def _one_group(self, number: str) -> Answer:
        group = self.groups[number]
        return Answer(json={name: group[name] for name in group if name != "members"})

    def _apps(self, asked: Asked, parts: list[str]) -> Answer:
        if not parts:
            start = asked.query.get("q", "").lower()
            rows = [one for one in self.apps.values() if one["label"].lower().startswith(start)]
            match = re.fullmatch(r'user\.id eq "(.+)"', asked.query.get("filter", ""))
            if match and self.filters == "work":
                rows = [one for one in rows if match[1] in one["assigned"]]
            return self._listed(asked, rows)
        app = self.apps.get(parts[0])
        if app is None:
            return refused(404, "E0000007")
        if parts[1:] == ["users"] and asked.method == "GET":
            assigned = sorted(app["assigned"].items())
            return self._listed(asked, [{"id": who, "scope": how} for who, how in assigned])
        if asked.method == "POST":
            body = asked.json()
            app["assigned"][body["id"]] = body["scope"]
            return Answer(json={"id": body["id"], "scope": body["scope"]})
        if parts[2] not in app["assigned"]:
            return refused(404, "E0000007")
        if asked.method == "DELETE":
            del app["assigned"][parts[2]]
            return Answer(204)
        return Answer(json={"id": parts[2], "scope": app["assigned"][parts[2]]})


_INNER = ("members", "assigned")


def _same(user: dict[str, Any], name: str, wanted: str) -> bool:
    return str(user["profile"].get(name, "")).lower() == wanted.lower()
