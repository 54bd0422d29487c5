"""``make run``: prepare the database, then run web and worker (and the demo's simulator) as one.

Uses no Django itself: what needs it runs as a command of its own, so that each fails with its own
clear line and this process stays a plain parent of the others.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from honcho.environ import parse_procfile
from honcho.manager import Manager

ROOT = Path(__file__).resolve().parent.parent
STEPS = (
    ("migrate", "--verbosity", "0"),
    ("createcachetable",),
    ("setup_roles",),
    ("setup_schedules",),
)


def say(text: str) -> None:
    """One line for whoever started it, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def port_wanted() -> int:
    """The port of the web server, from ``PORT``. Exits when it is none or taken."""
    text = os.environ.get("PORT", "8000")
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        sys.exit(f"PORT={text} is not a port: give a number from 1 to 65535.")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(text)))
        except OSError as error:
            sys.exit(f"Port {text} cannot be used ({error.strerror}). Try: make run PORT=8001")
    return int(text)


def manage(*arguments: str, capture: bool = False) -> str:
    """Run one management command; exits with its code when it fails."""
    done = subprocess.run(  # noqa: S603 - our own commands, no shell
        [sys.executable, str(ROOT / "manage.py"), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE if capture else subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout or ""


def announce(port: int, demo: dict[str, Any]) -> None:
    """Where it is and how to get in."""
    say(f"\nSiit × Remote is at http://127.0.0.1:{port}")
    if demo["demo"]:
        say(f"Demo company with {demo['people']} people. Sign in as:")
        for row in demo["sign_ins"]:
            say(f"  {row['role']:<9} {row['email']:<22} {row['password']}")
        say("(kept in var/demo-sign-ins.txt)")
    say("Ctrl-C stops everything.\n")


def _catches_interrupt(pid: int) -> bool:
    """Whether process ``pid`` has a handler for SIGINT installed (Linux; else True)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return True
    mask = next((line for line in status.splitlines() if line.startswith("SigCgt:")), "")
    return bool(mask) and bool(int(mask.split()[1], 16) >> (signal.SIGINT - 1) & 1)


def stop_with_parent() -> None:
    """End this process when the make above it ends or is interrupted.

    Make passes SIGTERM on, but answers a SIGINT sent to it alone by waiting for its children: its
    handler is then gone, which is the one thing to be seen from here.
    """
    parent = os.getppid()
    caught = _catches_interrupt(parent)

    def watch() -> None:
        while os.getppid() == parent and not (caught and not _catches_interrupt(parent)):
            time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, daemon=True).start()


def main() -> int:
    """Prepare, announce, run until stopped; 0 after a stop that was asked for."""
    port = port_wanted()
    stop_with_parent()
    for step in STEPS:
        manage(*step)
    say("Preparing the demo company, if the database is empty …")
    demo = json.loads(manage("demo", "--if-empty", "--json", capture=True))
    announce(port, demo)
    manager = Manager()
    procfile = parse_procfile((ROOT / "Procfile").read_text(encoding="utf-8"))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "PORT": str(port),
        "PYTHONUNBUFFERED": "1",
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }
    for name, command in procfile.processes.items():
        if name != "simulator" or demo["demo"]:
            manager.add_process(name, command, env=environment, cwd=str(ROOT))
    manager.loop()
    asked = manager.returncode in {128 + signal.SIGINT, 128 + signal.SIGTERM}
    return 0 if asked else manager.returncode or 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
