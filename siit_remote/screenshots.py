"""``make screenshots``: pictures of the running demo for texts about the product.

Start ``make run`` first. The pictures go to ``var/screenshots``, which version control ignores:
they are made anew whenever they are needed, so they never show a page that is no longer so.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT: Final = Path(__file__).resolve().parent.parent
SIGN_INS: Final = ROOT / "var" / "demo-sign-ins.txt"
TARGET: Final = ROOT / "var" / "screenshots"
CHROMIUM: Final = os.environ.get("CHROMIUM", "/usr/bin/chromium")
WHO: Final = "hr-admin@acme.test"
PAGES: Final = {
    "home": "/",
    "people": "/people/",
    "integrations": "/settings/integrations/",
    "connect": "/settings/integrations/connect/remote/",
    "remote": "/settings/integrations/remote/",
    "mapping": "/settings/integrations/remote/mapping/",
    "webhooks": "/settings/integrations/remote/webhooks/",
    "fields": "/settings/fields/",
    "workflows": "/workflows/",
    "guide": "/guide/",
    "troubleshooting": "/guide/troubleshooting/",
}
SIZES: Final = {"wide": (1440, 900), "phone": (390, 844)}
THEMES: Final = ("light", "dark")


def password_of(who: str) -> str:
    """The demo's password of ``who``. Exits where there is no demo."""
    if not SIGN_INS.exists():
        sys.exit("There is no demo here. Start `make run` first, in another window.")
    for line in SIGN_INS.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{who} "):
            return line.split()[1]
    sys.exit(f"{SIGN_INS} does not name {who}.")


def _signed_in(browser: Browser, base: str, size: tuple[int, int], theme: str) -> Page:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_cookies([{"name": "theme", "value": theme, "url": base}])
    page = context.new_page()
    page.goto(f"{base}/sign-in/")
    page.get_by_label("User name or work email").fill(WHO)
    page.get_by_label("Password").fill(password_of(WHO))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{base}/")
    return page


def main() -> int:
    """Take every picture; the number of pictures is said at the end."""
    base = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}"
    TARGET.mkdir(parents=True, exist_ok=True)
    taken = 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        for size_name, size in SIZES.items():
            for theme in THEMES:
                page = _signed_in(browser, base, size, theme)
                for name, address in PAGES.items():
                    page.goto(f"{base}{address}", wait_until="load")
                    picture = TARGET / f"{name}-{size_name}-{theme}.png"
                    page.screenshot(path=picture, full_page=True)
                    taken += 1
                page.context.close()
        browser.close()
    sys.stdout.write(f"{taken} pictures in {TARGET}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
