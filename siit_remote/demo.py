"""The demo company: a simulated Remote, the seed's workflows, one account per role."""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.request import urlopen

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import transaction

from integrations.models import Connection, SyncRun
from integrations.services import connection_save, connection_test
from integrations.sync import run_sync, setup_finish
from people.models import Person
from siit_remote import roles
from workflows.document import load_document
from workflows.document.yaml_io import read_text
from workflows.models import Workflow
from workflows.recovery import installation
from workflows.services import workflow_import
from workflows.witness import witness_forget
from workflows.workspace.apply import workspace_import

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

KEY: Final = "remote"
SIZE: Final = 40
GALLERY: Final = Path(settings.BASE_DIR) / "workflows" / "gallery"
WORKFLOWS: Final = (
    *("global-day-1-onboarding", "contractor-offboarding"),
    *("access-request", "new-equipment", "change-of-team"),
)
HR_ADMIN: Final = "hr-admin@acme.test"
ACCOUNTS: Final = {
    "owner@acme.test": roles.OWNER,
    HR_ADMIN: roles.HR_ADMIN,
    "it-lead@acme.test": roles.IT_STAFF,
    "manager@acme.test": roles.MANAGER,
    "employee@acme.test": roles.EMPLOYEE,
}


class DemoRefusedError(Exception):
    """The demo would touch something real; the message says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoState:
    """What the simulator must be started with to be the same company again."""

    port: int
    today: str

    @property
    def base_url(self) -> str:
        """Where the simulator answers."""
        return f"http://127.0.0.1:{self.port}"


def folder() -> Path:
    """Where the demo keeps its files, beside the code and outside version control."""
    return Path(settings.BASE_DIR) / "var"


def state_read() -> DemoState | None:
    """The state of a demo that was made here; ``None`` without one."""
    path = folder() / "demo.json"
    if not path.exists():
        return None
    return DemoState(**json.loads(path.read_text(encoding="utf-8")))


def demo_is_here() -> bool:
    """Whether this database is the demo's."""
    state = state_read()
    row = Connection.objects.filter(key=KEY).first()
    return state is not None and row is not None and row.config.get("base_url") == state.base_url


def database_is_empty() -> bool:
    """Nobody has begun to use this database."""
    return not any(model.objects.exists() for model in (Connection, Person, Workflow, User))


def demo_set_up(*, now: datetime) -> dict[str, Any]:
    """Make or mend the demo; returns what there is. Safe to repeat.

    Raises :class:`DemoRefusedError` in production and on a database that is somebody's.
    """
    if settings.PRODUCTION:
        raise DemoRefusedError("The demo is refused in production (DEBUG=false).")
    if not database_is_empty() and not demo_is_here():
        raise DemoRefusedError(
            "The database is not empty and not the demo's. Use another one (DATABASE_URL), or "
            "`make reset-demo` to begin again with the file of the demo."
        )
    _folder_ensure()
    state = _state_for(now)
    with simulator_running(state):
        connection = _connect(state, now=now)
    _workspace_and_workflows(now=now)
    passwords = _accounts_ensure()
    return {
        "connection": connection.key,
        "status": connection.status,
        "people": Person.objects.count(),
        "workflows": sorted(Workflow.objects.values_list("key", flat=True)),
        "sign_ins": [
            {"email": email, "role": role, "password": passwords[email]}
            for email, role in ACCOUNTS.items()
        ],
    }


def demo_reset() -> None:
    """Empty the demo's database and forget its files. Stop ``make run`` first.

    Raises :class:`DemoRefusedError` in production and when the database is not the demo's.
    """
    if settings.PRODUCTION:
        raise DemoRefusedError("There is no demo in production (DEBUG=false).")
    if not database_is_empty():
        if not demo_is_here():
            raise DemoRefusedError("This database is not the demo's: nothing was deleted.")
        witness_forget(installation().identity)
        call_command("flush", interactive=False, verbosity=0)
    for name in ("demo.json", "demo-token", "demo-sign-ins.txt"):
        (folder() / name).unlink(missing_ok=True)


def _folder_ensure() -> None:
    folder().mkdir(mode=0o700, exist_ok=True)


def _private_write(path: Path, text: str) -> None:
    """Create or replace ``path`` so that only this user can ever read it."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    part.replace(path)


def _state_for(now: datetime) -> DemoState:
    """The stored state; another port where a stranger has taken the simulator's meanwhile."""
    state = state_read()
    if state is None:
        state = DemoState(port=_free_port(), today=now.date().isoformat())
    elif _port_taken(state.port) and not _simulator_answers(state):
        state = DemoState(port=_free_port(), today=state.today)
    return state


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _port_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _simulator_answers(state: DemoState) -> bool:
    try:
        with urlopen(f"{state.base_url}/_control/requests", timeout=2) as answer:  # noqa: S310 - own http address
            return bool(answer.status == 200)
    except OSError:
        return False


def token_path() -> Path:
    """The file that holds the simulator's token, made when it is missing."""
    path = folder() / "demo-token"
    if not path.exists():
        _private_write(path, f"ra_test_{secrets.token_urlsafe(24)}\n")
    return path


def simulator_command(state: DemoState) -> list[str]:
    """How the simulator of this demo is started."""
    options = ["--port", str(state.port), "--size", str(SIZE), "--today", state.today]
    module = [sys.executable, "-m", "integrations.simulator"]
    return [*module, *options, "--token-file", str(token_path())]


@contextmanager
def simulator_running(state: DemoState) -> Iterator[None]:
    """Use the simulator that is up, else start one for the block."""
    if _simulator_answers(state):
        yield
        return
    process = subprocess.Popen(  # noqa: S603 - our own command, no shell
        simulator_command(state), cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 20
        while not _port_taken(state.port):
            if process.poll() is not None or time.monotonic() > until:
                raise DemoRefusedError("The simulator did not start; see the messages above.")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)
        process.kill()
        process.wait()


def _connect(state: DemoState, *, now: datetime) -> Connection:
    """Save, test and finish the connection, and keep the state once it belongs to it."""
    token = token_path().read_text(encoding="utf-8").strip()
    with transaction.atomic():
        connection = connection_save(
            key=KEY,
            connector="remote",
            name="Remote",
            config={"base_url": state.base_url},
            secrets={"api_token": token},
        )
        _private_write(folder() / "demo.json", json.dumps(asdict(state)) + "\n")
    result = connection_test(connection)
    if result.problems:
        raise DemoRefusedError(f"The simulator was refused: {'; '.join(result.problems)}")
    if connection.finished_at is None:
        report = setup_finish(connection, actor=None, now=now)
    else:
        report = run_sync(connection, trigger="demo", actor=None, now=now)
    if report.status == SyncRun.Status.FAILED:
        raise DemoRefusedError(f"The first sync failed: {report.error}")
    connection.refresh_from_db()
    return connection


def _workspace_and_workflows(*, now: datetime) -> None:
    """Import the gallery once; what a visitor changed since is left alone."""
    if Workflow.objects.filter(key__in=WORKFLOWS).count() == len(WORKFLOWS):
        return
    workspace_import(read_text((GALLERY / "demo-workspace.yaml").read_bytes()).data)
    for key in WORKFLOWS:
        document = load_document((GALLERY / f"{key}.yaml").read_bytes())
        saved = workflow_import(replace(document, owner=HR_ADMIN), publish=True, now=now)
        errors = [problem for problem in saved.problems if problem.level == "error"]
        if errors:
            raise DemoRefusedError(f"{key}: {errors[0].path}: {errors[0].message}")


def _accounts_ensure() -> dict[str, str]:
    """One account per role; a password that was changed since is shown as such."""
    path = folder() / "demo-sign-ins.txt"
    known = (
        dict(line.split()[:2] for line in path.read_text("utf-8").splitlines() if "@" in line)
        if path.exists()
        else {}
    )
    shown: dict[str, str] = {}
    for email, role in ACCOUNTS.items():
        user = User.objects.filter(username=email).first()
        password = known.get(email, "")
        if user is None:
            password = secrets.token_urlsafe(12)
            user = User.objects.create_user(email, email, password)
            roles.user_roles_set(user, roles=[role])
        shown[email] = password if user.check_password(password) else "(changed)"
    lines = [f"{email}  {shown[email]}  {role}" for email, role in ACCOUNTS.items()]
    _private_write(path, "\n".join(lines) + "\n")
    return shown
