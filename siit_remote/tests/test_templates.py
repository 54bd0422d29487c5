"""Our overrides of Django's admin templates keep what others extend; vendored files are intact."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import django
import pytest
from django.conf import settings

from integrations.connectors.base import CONNECTORS
from workflows.nodes import ACTIONS, APPROVERS, TRIGGERS

STOCK = Path(django.__file__).parent / "contrib" / "admin" / "templates" / "admin"
OURS = Path(settings.BASE_DIR) / "templates"
STATIC = Path(settings.BASE_DIR) / "siit_remote" / "static" / "siit"
BLOCK = re.compile(r"{%\s*block\s+([\w-]+)\s*%}")
OVERRIDES = ["base.html", "base_site.html", "change_list.html", "index.html"]


def blocks(path: Path) -> set[str]:
    return set(BLOCK.findall(path.read_text()))


@pytest.mark.parametrize("name", OVERRIDES)
def test_override_keeps_every_block_of_the_installed_django(name: str) -> None:
    assert blocks(STOCK / name) - blocks(OURS / "admin" / name) == set()


def test_every_override_of_a_page_is_compared() -> None:
    ours = {path.name for path in (OURS / "admin").glob("*.html")}
    stock_with_blocks = {path.name for path in STOCK.glob("*.html") if blocks(path)}
    assert (ours & stock_with_blocks) - {"404.html", "500.html"} == set(OVERRIDES)


def test_vendored_files_have_the_hashes_that_are_written_down() -> None:
    rows = re.findall(
        r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (STATIC / "vendor/README.md").read_text(), re.M
    )
    assert len(rows) == 5
    for name, digest in rows:
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name
    documented = {Path(name).name for name, _ in rows}
    binaries = {
        path.name for path in (STATIC / "vendor").iterdir() if path.suffix in {".js", ".woff2"}
    }
    assert binaries <= documented


def test_every_icon_used_in_templates_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    used = {
        name
        for path in OURS.rglob("*.html")
        for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())
    }
    assert used - sprite == set()


def test_every_icon_a_node_or_connector_names_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    named = {
        item.icon
        for registry in (CONNECTORS, TRIGGERS, ACTIONS, APPROVERS)
        for item in registry
        if hasattr(item, "icon")
    }
    assert named - sprite == set()


def test_no_template_has_an_inline_style_script_or_handler() -> None:
    bad = re.compile(r"\sstyle=|<style|<script(?![^>]*\ssrc=)|\son[a-z]+=", re.I)
    hits = [
        str(path.relative_to(OURS))
        for path in OURS.rglob("*.html")
        if "emails" not in path.parts and bad.search(path.read_text())
    ]
    assert hits == []
