"""mitmproxy before a real server, misbehaving as it is told; the gate names it in MITMDUMP.

A peer that quietly did not run proves nothing: without it these tests fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

HINT = "Set MITMDUMP to the path of mitmdump: this peer must be there."
_ADDON = Path(__file__).parent / "faults.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as it arrived: its fault, and whether the server behind saw it."""

    method: str
    path: str
    body: str
    fault: str
    forwarded: bool


class Mitm:
    """One running mitmdump before one server."""

    def __init__(self, upstream: str, port: int, folder: Path) -> None:
        self.upstream, self.port = upstream, port
        self.url = f"http://127.0.0.1:{port}"
        self._rules, self._log = folder / "rules.json", folder / "log.jsonl"
        self._round = 0
        self.stubs: tuple[dict[str, Any], ...] = ()
        """Rules for what the server does not know; they stay."""
        self.fault()

    def fault(self, *rules: dict[str, Any]) -> None:
        """From now on these faults (``faults.py`` says which there are); none: as if not there."""
        self._round += 1
        fresh = self._rules.with_suffix(".new")
        fresh.write_text(json.dumps({"round": self._round, "rules": [*rules, *self.stubs]}))
        fresh.rename(self._rules)

    def calls(self) -> list[Call]:
        """What arrived since the last word on faults, in order."""
        if not self._log.exists():
            return []
        rows = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [
            Call(**{name: row[name] for name in Call.__slots__})
            for row in rows
            if row["round"] == self._round
        ]

    def faulted(self) -> int:
        """How many of them met a fault."""
        return sum(bool(call.fault) for call in self.calls())

    def options(self) -> list[str]:
        """What mitmdump is started with."""
        parts = urlsplit(self.upstream)
        kind = "tcp" if parts.scheme == "tcp" else "http"
        # A mail server speaks first; one of HTTP is to be asked only for what gets through.
        connects = "eager" if kind == "tcp" else "lazy"
        return [
            *("--mode", f"reverse:{kind}://{parts.netloc}@127.0.0.1:{self.port}"),
            *("--set", "keep_host_header=true", "--set", f"connection_strategy={connects}"),
            *("--set", f"fault_rules={self._rules}", "--set", f"fault_log={self._log}"),
            *("--set", f"confdir={self._rules.parent}", "-s", str(_ADDON), "-q"),
        ]


@contextlib.contextmanager
def mitm_before(upstream: str, folder: Path) -> Iterator[Mitm]:
    """mitmdump on loopback before ``upstream`` (``http://…`` or ``tcp://…``)."""
    executable = os.environ.get("MITMDUMP", "")
    assert executable, HINT
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    folder.mkdir(parents=True, exist_ok=True)
    mitm = Mitm(upstream, port, folder)
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            [executable, *mitm.options()], stdout=said, stderr=subprocess.STDOUT
        )
    try:
        ends = time.monotonic() + 30
        while True:
            assert process.poll() is None, (folder / "said").read_text()
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert time.monotonic() < ends, "mitmdump did not come up."
                time.sleep(0.1)
        mitm.fault()
        yield mitm
    finally:
        process.terminate()
        process.wait(10)
