"""Starts emulate (third-party fakes of vendors' APIs) on loopback; the gate names it in EMULATE."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NODE = "Set EMULATE to “NODE SCRIPT” of emulate: this peer must be there."


def _free_ports(count: int) -> int:
    """The first of several free ports in a row: each service takes the next one."""
    for _ in range(50):
        with contextlib.ExitStack() as held:
            first = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            port: int = first.getsockname()[1]
            try:
                for more in range(1, count):
                    held.enter_context(socket.create_server(("127.0.0.1", port + more)))
            except OSError:
                continue
            return port
    raise AssertionError("No free ports in a row.")


@contextlib.contextmanager
def emulate(folder: Path, services: tuple[str, ...], seed: dict[str, Any]) -> Iterator[list[str]]:
    """Run it; gives the base address of each of ``services``."""
    told = os.environ.get("EMULATE", "").split()
    assert len(told) == 2, NODE
    seed_file = folder / "seed.json"
    seed_file.write_text(json.dumps(seed))
    port = _free_ports(len(services))
    process = subprocess.Popen(
        [*told, "start", "--service", ",".join(services), "--port", f"{port}", "--seed", seed_file],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        addresses = [f"http://127.0.0.1:{port + number}" for number in range(len(services))]
        ends = time.monotonic() + 30
        while True:
            assert process.poll() is None, "emulate ended at once."
            try:
                requests.get(addresses[-1], timeout=1)
                break
            except requests.ConnectionError:
                assert time.monotonic() < ends, "emulate did not come up."
                time.sleep(0.1)
        yield addresses
    finally:
        process.terminate()
        process.wait(10)
