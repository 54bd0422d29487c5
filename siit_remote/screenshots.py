"""``make screenshots``: pictures for the guide and for texts about the product.

Connecting Remote, from the catalogue to a held sync, is walked in an installation of its own that
is thrown away. Pages about workflows come from the demo, where ``make run`` runs beside. All
pictures go to ``var/screenshots``, which version control ignores; those that the guide shows are
written anew where it takes them from.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from siit_remote.screenshots_walk import NAME, house, walk

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parent.parent
SIGN_INS: Final = ROOT / "var" / "demo-sign-ins.txt"
TARGET: Final = ROOT / "var" / "screenshots"
GUIDE: Final = ROOT / "siit_remote" / "static" / "siit" / "guide"
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WHO: Final = "hr-admin@acme.test"
DEMO_PAGES: Final = {
    "home": "/",
    "workflows": "/workflows/",
    "forecast": "/forecast/",
    "runs": "/runs/",
    "guide": "/guide/",
    "troubleshooting": "/guide/troubleshooting/",
}
IN_THE_GUIDE: Final = (
    "wizard-token",
    "wizard-review",
    "people",
    "profile",
    "mapping",
    "fields",
    "held",
    "wizard-unauthorized",
)
"""Pictures that pages of the guide show in light and in dark: what is first seen of a wide page."""
SIZES: Final = {"wide": (1440, 900), "phone": (390, 844)}
THEMES: Final = ("light", "dark")
_GUIDE_SIZE: Final = (1180, 740)
_QUALITY: Final = 72


def password_of(who: str) -> str:
    """The demo's password of ``who``; blank where there is no demo."""
    if SIGN_INS.exists():
        for line in SIGN_INS.read_text(encoding="utf-8").splitlines():
            if line.startswith(f"{who} "):
                return line.split()[1]
    return ""


class Camera:
    """Windows in every size and theme, signed in as one person at one installation."""

    def __init__(self, browser: Browser, base: str, who: str, password: str) -> None:
        self.base = base
        self.taken = 0
        first = _window(browser, base, (1440, 900), "light")
        _sign_in(first, base, who, password)
        self.page = first
        session = first.context.storage_state()
        self._windows = {
            f"{size_name}-{theme}": _window(browser, base, size, theme, session)
            for size_name, size in SIZES.items()
            for theme in THEMES
        }
        self._guide = {
            theme: _window(browser, base, _GUIDE_SIZE, theme, session) for theme in THEMES
        }

    def snap(self, name: str, address: str) -> None:
        """The pictures of one address."""
        for kind, page in self._windows.items():
            page.goto(f"{self.base}{address}", wait_until="load")
            page.screenshot(path=TARGET / f"{name}-{kind}.png", full_page=True)
            self.taken += 1
        if name in IN_THE_GUIDE:
            for theme, page in self._guide.items():
                page.goto(f"{self.base}{address}", wait_until="load")
                picture = GUIDE / f"{name}-{theme}.jpg"
                page.screenshot(path=picture, type="jpeg", quality=_QUALITY)
                self.taken += 1


def _window(
    browser: Browser, base: str, size: tuple[int, int], theme: str, session: object = None
) -> Page:
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        storage_state=session,  # type: ignore[arg-type] # as Playwright itself gave it
    )
    context.add_cookies([{"name": "theme", "value": theme, "url": base}])
    return context.new_page()


def _sign_in(page: Page, base: str, who: str, password: str) -> None:
    page.goto(f"{base}/sign-in/")
    page.get_by_label("User name or work email").fill(who)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{base}/")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


def _demo_runs(base: str) -> bool:
    try:
        with urllib.request.urlopen(f"{base}/healthz", timeout=3):  # noqa: S310 - our own server
            return bool(password_of(WHO))
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    """Take every picture; how many is said at the end."""
    for folder in (TARGET, GUIDE):
        folder.mkdir(parents=True, exist_ok=True)
    base = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    with chromium() as browser:
        with house() as here:
            camera = Camera(browser, here.base, NAME, here.password)
            walk(camera.page, here, camera.snap)
            taken = camera.taken
        if _demo_runs(base):
            demo = Camera(browser, base, WHO, password_of(WHO))
            for name, address in DEMO_PAGES.items():
                demo.snap(name, address)
            taken += demo.taken
        else:
            sys.stdout.write("No demo runs: pages about workflows are left out (`make run`).\n")
    sys.stdout.write(f"{taken} pictures in {TARGET} and {GUIDE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
