"""What ``make run`` starts comes up and goes down as one."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from django.conf import settings

from siit_remote.launch import _catches_interrupt

ROOT = Path(settings.BASE_DIR)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _launch(port: int, environment: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "siit_remote.launch"],
        cwd=ROOT,
        env={**environment, "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _family(mark: str) -> list[int]:
    """Living processes that were started with ``mark`` in their environment."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if mark.encode() in environ and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_everything_comes_up_and_nothing_is_left_running(
    tmp_path: Path, number: signal.Signals
) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'launch.sqlite3'}",
        "LAUNCH_MARK": str(tmp_path),
    }
    manage = [sys.executable, "manage.py"]
    subprocess.run([*manage, "migrate", "-v", "0"], cwd=ROOT, env=environment, check=True)
    # Somebody's database: the demo stays away.
    somebody = {**environment, "DJANGO_SUPERUSER_PASSWORD": "a long enough password"}
    options = ["createsuperuser", "--no-input", "--username", "o", "--email", "o@example.com"]
    subprocess.run([*manage, *options], cwd=ROOT, env=somebody, check=True)
    port = _free_port()
    launched = _launch(port, environment)
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/readyz", timeout=20)
                break
            except requests.ConnectionError:
                assert launched.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.2)
        assert answer.json()["status"] == "ok"
        assert len(_family(str(tmp_path))) >= 4
    finally:
        launched.send_signal(number)
        said, _ = launched.communicate(timeout=30)
    assert launched.returncode == 0
    assert f"http://127.0.0.1:{port}" in said
    assert _family(str(tmp_path)) == []


def test_taken_port_is_said_in_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        launched = _launch(port, dict(os.environ))
        said, _ = launched.communicate(timeout=30)
    assert launched.returncode == 1
    assert said.startswith(f"Port {port} cannot be used")
    assert said.count("\n") == 1


@pytest.mark.parametrize(("handler", "caught"), [("lambda *a: 0", True), ("signal.SIG_DFL", False)])
def test_interrupt_handler_of_another_process_is_seen(handler: str, caught: bool) -> None:
    code = (
        f"import signal, sys; signal.signal(signal.SIGINT, {handler});"
        "print(flush=True); sys.stdin.read()"
    )
    other = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert other.stdout is not None
    other.stdout.readline()
    try:
        assert _catches_interrupt(other.pid) is caught
    finally:
        other.communicate()
