"""The house's own rules, held by the tools that know them."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
BIN = Path(sys.executable).parent
ROOMS = ("siit_remote", "people", "integrations", "workflows")
IMPORT_IN_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)

pytestmark = pytest.mark.slow


def _run(*command: str, **environment: str) -> str:
    """What ``command`` said when it failed; empty when it did not."""
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    return f"{done.stdout}\n{done.stderr}" if done.returncode else ""


def _sources() -> list[Path]:
    return [
        path
        for room in ROOMS
        for path in (ROOT / room).rglob("*.py")
        if "migrations" not in path.parts
    ]


def test_imports_flow_one_way() -> None:
    assert _run(str(BIN / "lint-imports"), "--no-cache") == ""


def test_ruff_finds_nothing() -> None:
    assert _run(str(BIN / "ruff"), "check", "--no-cache", ".") == ""


def test_format_is_ruffs() -> None:
    assert _run(str(BIN / "ruff"), "format", "--no-cache", "--check", ".") == ""


def test_types_hold() -> None:
    assert _run(str(BIN / "mypy")) == ""


def test_no_migration_is_missing() -> None:
    said = _run(sys.executable, "manage.py", "makemigrations", "--check", "--dry-run")
    assert said == ""


def test_system_checks_are_clean_in_development() -> None:
    assert _run(sys.executable, "manage.py", "check", "--fail-level", "WARNING") == ""


PRODUCTION = {
    "DEBUG": "false",
    "SECRET_KEY": "k" * 20 + "0123456789abcdefghijABCDEFGHIJ+-=!",
    "FIELD_ENCRYPTION_KEYS": "a-key-of-thirty-two-characters-or-more",
    "ALLOWED_HOSTS": "siit.example.com",
    "SITE_URL": "https://siit.example.com",
    "CSRF_TRUSTED_ORIGINS": "https://siit.example.com",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "ALLOW_TIME_TRAVEL": "false",
    "OUTBOUND_ALLOW_PRIVATE": "",
}


def test_deployment_checks_are_clean_with_the_settings_of_the_readme() -> None:
    command = (sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert _run(*command, **PRODUCTION) == ""


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("SITE_URL", "http://siit.example.com", "siit.W001"),
        ("ALLOWED_HOSTS", "*", "siit.W002"),
        ("EMAIL_URL", "consolemail://", "siit.W003"),
        ("OUTBOUND_ALLOW_PRIVATE", "10.0.0.0/8", "siit.W004"),
        ("CACHE_URL", "locmemcache://", "siit.E001"),
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("FIELD_ENCRYPTION_KEYS", "short", "32 characters"),
        ("ALLOW_TIME_TRAVEL", "true", "ALLOW_TIME_TRAVEL"),
    ],
)
def test_deployment_refuses_a_careless_setting(name: str, value: str, found: str) -> None:
    command = (sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING")
    assert found in _run(*command, **{**PRODUCTION, name: value})


def test_modules_stay_small() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {lines}"
        for path in _sources()
        if "tests" not in path.parts and (lines := len(path.read_text().splitlines())) > 400
    ]
    assert long == []


def test_decisions_are_numbered_one_after_the_other() -> None:
    names = sorted(path.name for path in (ROOT / "siit_remote" / "decisions").glob("*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))


def test_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    commands = (ROOT / "siit_remote" / "management" / "commands").glob("[a-z]*.py")
    assert [path.stem for path in commands if f"`{path.stem}" not in text] == []


def test_no_import_hides_in_a_function() -> None:
    hidden = [
        f"{path.relative_to(ROOT)}:{inner.lineno}"
        for path in _sources()
        if path.name != "apps.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, IMPORT_IN_FUNCTION)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert hidden == []


def test_connectors_do_not_know_the_database() -> None:
    """``django.db`` is no module of ours, so that the import contracts cannot name it."""
    database = re.compile(r"^\s*(from|import) django\.(db|apps|contrib)\b", re.MULTILINE)
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "integrations" / "connectors").rglob("*.py")
        if database.search(path.read_text())
    ]
    assert found == []


def test_nothing_is_left_unfinished() -> None:
    words = re.compile(r"\b(TO" + r"DO|FIX" + r"ME)\b")
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _sources()
        if (match := words.search(path.read_text()))
    ]
    assert found == []


def test_every_pin_has_hashes_and_a_reason() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        for number, line in enumerate(lines):
            if re.match(r"[a-z0-9]", line):
                assert "==" in line, f"{name}: {line}"
                assert lines[number - 1].startswith("# "), f"{name}: {line} has no reason"
                assert "--hash=sha256:" in lines[number + 1], f"{name}: {line} has no hash"


def test_only_the_clock_asks_the_time() -> None:
    """``datetime.now`` and friends stand in ``lib/clock.py`` and nowhere else of ours."""
    asking = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|timezone\.now|localdate)\(")
    allowed = {ROOT / "siit_remote" / "lib" / "clock.py"}
    found = [
        str(path.relative_to(ROOT))
        for path in _sources()
        if "tests" not in path.parts
        and "simulator" not in path.parts
        and path not in allowed
        and asking.search(path.read_text())
    ]
    assert found == []
