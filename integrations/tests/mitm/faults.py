"""Faults before a real server: an addon of mitmproxy, run by mitmproxy's own Python.

What goes wrong stands in the file ``rules``, read afresh for each call; each call is written to the
file ``log``, one JSON line with the name of its fault and whether it got through.

A rule is ``{"kind": …, "methods": […], "path": regex, "times": n}`` and what its kind needs:

* ``down``: the connection is cut before anything gets through;
* ``answer``: answered instead of the server, by ``status``, ``headers`` and ``body``; with
  ``every``: each so many-th call only;
* ``stub``: the same, always, for what the server does not know at all; it counts as no fault;
* ``hidden``: a look-up is answered by ``body`` until somebody tried to create who is looked for;
* ``gone``: what is about to be changed is deleted at the server first, then the call gets through;
* ``lost``: it gets through, and the answer does not come;
* ``cut``: half of the answer comes;
* ``slow``: the answer comes ``seconds`` later.

``times`` (1; 0: always) counts by method and path, and by body where something is created.

A mail server's lines know ``down`` (421 instead of a greeting), ``lost`` (no answer to a whole
mail, which the server has taken) and ``answer`` (``body`` instead of what it says to the line
``path``).
"""

from __future__ import annotations

import asyncio
import json
import re
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from mitmproxy import ctx, http, tcp

_END_OF_MAIL = b"\r\n.\r\n"


class Faults:
    """One round of rules at a time; a new round forgets what was counted."""

    def __init__(self) -> None:
        self.round = -1
        self.rules: list[dict[str, Any]] = []
        self.seen: Counter[str] = Counter()
        self.calls: Counter[int] = Counter()
        self.tried: set[str] = set()
        self.mails: dict[str, bytes] = {}

    def load(self, loader: Any) -> None:
        loader.add_option("fault_rules", str, "", "File of rules.")
        loader.add_option("fault_log", str, "", "File of calls.")

    def _read(self) -> None:
        told = json.loads(Path(ctx.options.fault_rules).read_text())
        if told["round"] != self.round:
            self.round, self.rules = told["round"], told["rules"]
            self.seen.clear()
            self.calls.clear()
            self.tried.clear()

    def _log(self, **said: Any) -> None:
        with Path(ctx.options.fault_log).open("a") as log:
            log.write(json.dumps({"round": self.round, **said}) + "\n")

    def _applies(self, number: int, method: str, path: str, body: str) -> bool:
        rule = self.rules[number]
        if method not in rule.get("methods", [method]):
            return False
        if not re.search(rule.get("path", ""), path):
            return False
        self.calls[number] += 1
        if "every" in rule:
            return self.calls[number] % int(rule["every"]) == 0
        mark = f"{number} {method} {path}{body if method == 'POST' else ''}"
        self.seen[mark] += 1
        times = int(rule.get("times", 1))
        return times == 0 or self.seen[mark] <= times

    async def request(self, flow: http.HTTPFlow) -> None:
        self._read()
        asked = flow.request
        body = asked.get_text(strict=False) or ""
        found = ""
        for number, rule in enumerate(self.rules):
            if rule["kind"] == "stub":
                if asked.method in rule["methods"] and re.search(rule["path"], asked.path):
                    flow.response = http.Response.make(rule["status"])
                    found = "stub"
                    break
                continue
            if rule["kind"] == "hidden":
                if self._hides(rule, asked, body):
                    flow.response = http.Response.make(
                        rule.get("status", 200), rule["body"], rule["headers"]
                    )
                    found = "hidden"
                    break
                continue
            if not self._applies(number, asked.method, asked.path, body):
                continue
            found = rule["kind"]
            if found == "gone":
                await asyncio.to_thread(_delete, asked)
            elif found == "answer":
                flow.response = http.Response.make(
                    rule["status"], rule.get("body", ""), rule.get("headers", {})
                )
            elif found == "down":
                flow.kill()
            else:
                flow.metadata["rule"] = rule
            break
        self._log(
            method=asked.method,
            path=asked.path,
            body=body,
            fault="" if found == "stub" else found,
            forwarded=found not in ("hidden", "answer", "down", "stub"),
        )

    def _hides(self, rule: dict[str, Any], asked: http.Request, body: str) -> bool:
        if asked.method == "POST":
            self.tried.update(re.findall(r"[\w.+-]+@[\w.-]+", body))
            return False
        if asked.method != "GET" or not re.search(rule["path"], asked.path):
            return False
        wanted = re.findall(r"[\w.+-]+@[\w.-]+", urllib.parse.unquote(asked.path))
        return not any(name in self.tried for name in wanted)

    async def response(self, flow: http.HTTPFlow) -> None:
        rule = flow.metadata.get("rule")
        if rule is None or flow.response is None:
            return
        if rule["kind"] == "lost":
            flow.kill()
        elif rule["kind"] == "slow":
            await asyncio.sleep(rule["seconds"])
        elif rule["kind"] == "cut":
            whole = flow.response.raw_content or b""
            flow.response.headers.pop("transfer-encoding", None)
            flow.response.headers["content-length"] = str(len(whole))
            flow.response.headers["connection"] = "close"
            flow.response.data.content = whole[: len(whole) // 2]

    def tcp_start(self, flow: tcp.TCPFlow) -> None:
        self._read()
        self._log(method="CONNECT", path="", body="", fault="", forwarded=True)

    def tcp_message(self, flow: tcp.TCPFlow) -> None:
        message = flow.messages[-1]
        if message.from_client:
            self.mails[flow.id] = message.content
            return
        asked = self.mails.pop(flow.id, b"")
        for number, rule in enumerate(self.rules):
            if rule["kind"] == "lost" and asked.endswith(_END_OF_MAIL):
                if self._applies(number, "MAIL", "", ""):
                    self._log(method="MAIL", path="", body="", fault="lost", forwarded=True)
                    message.content = b""
            elif rule["kind"] == "down" and not asked:
                self._log(method="GREET", path="", body="", fault="down", forwarded=False)
                message.content = b"421 4.3.2 Not now.\r\n"
            elif rule["kind"] == "answer":
                line = asked.decode("ascii", "replace")
                if line and self._applies(number, "LINE", line, ""):
                    self._log(method="LINE", path=line, body="", fault="answer", forwarded=True)
                    message.content = rule["body"].encode()


def _delete(asked: http.Request) -> None:
    """Somebody deletes it by hand, with the same credential."""
    url = f"http://{asked.host}:{asked.port}{asked.path}"
    headers = {"Authorization": asked.headers.get("authorization", "")}
    gone = urllib.request.Request(url, method="DELETE", headers=headers)
    with urllib.request.urlopen(gone, timeout=5):  # noqa: S310 - the server behind us
        pass


addons = [Faults()]
