"""What is looked for on every page: axe's rules, and nothing over the right edge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT

_RUN = """async () => (await axe.run({resultTypes: ["violations"]})).violations.map(
  (one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)} (${one.nodes.length})`)"""
_THEME = """name => {
  document.documentElement.dataset.theme = name;
  document.getAnimations().forEach((one) => one.finish());
}"""


def axe_faults(page: Any) -> list[str]:
    """What axe finds wrong, each with its rule, its first place and how many there are."""
    page.wait_for_load_state()
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    return [f"{page.url} {words}" for words in page.evaluate(_RUN)]


def spills(page: Any) -> bool:
    """Whether something makes the page wider than its window."""
    page.wait_for_load_state()
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def faults(page: Any, *, themes: Iterable[str] = ()) -> list[str]:
    """What axe finds, and whether something spills over the right edge.

    ``themes``: look again in each, as the server would have drawn it with its cookie.
    """
    found = [f"{page.url} spills over the right edge"] if spills(page) else []
    found += axe_faults(page)
    for theme in themes:
        page.evaluate(_THEME, theme)
        found += [f"{theme}: {fault}" for fault in axe_faults(page)]
    return found
