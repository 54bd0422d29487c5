"""Who holds a piece of work, and whether the holder still lives.

A lease names its holder as ``host/boot/pid/start``: on the same machine a dead process is known at
once, elsewhere the lease simply runs out.
"""

from __future__ import annotations

import os
import socket
from functools import cache
from pathlib import Path


@cache
def _boot_id() -> str:
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip()[:8] if path.exists() else "-"


def _start_ticks(pid: int) -> str | None:
    """The kernel's start time of a living process; ``None`` when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    fields = stat.rsplit(")", 1)[1].split()
    # Field 3 is the state: a zombie has ended, its parent has only not looked yet.
    return None if fields[0] in {"Z", "X"} else fields[19]


def holder() -> str:
    """The name under which this process holds leases."""
    pid = os.getpid()
    return f"{socket.gethostname()}/{_boot_id()}/{pid}/{_start_ticks(pid) or '-'}"


def is_dead(name: str) -> bool:
    """True only when ``name`` certainly runs no more: same host, process gone or host rebooted."""
    try:
        host, boot, pid, start = name.rsplit("/", 3)
        number = int(pid)
    except ValueError:
        return False
    if host != socket.gethostname() or not Path("/proc/self/stat").exists():
        return False
    return boot != _boot_id() or _start_ticks(number) != start
