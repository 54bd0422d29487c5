"""Builds a workflow in the designer as a person does: by mouse, or by the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_plus

from playwright.sync_api import Locator, Page, Response, expect

PAUSE = 700
"""Milliseconds after which the designer saves what was typed, and a little more."""
BUSY = ".htmx-request, .htmx-swapping, .htmx-settling"


def saved_with(holds: str) -> Callable[[Response], bool]:
    """Tells the answer to a save that carries ``holds``. The panel's are none."""

    def ours(answer: Response) -> bool:
        sent = unquote_plus(answer.request.post_data or "")
        verb = answer.request.method == "POST" and "/edit/" in answer.url
        return verb and holds in f"{unquote_plus(answer.url)}&{sent}&"

    return ours


class Builder:
    """Presses what a person presses, and waits for what they would see."""

    def __init__(self, page: Page) -> None:
        self.page = page
        # The page's clock runs on by itself; where a person would wait, it is put forward.
        page.clock.install()

    def saved(self, act: Any, *, holds: str = "") -> None:
        """Do something that is saved, and wait for the answer to what carries ``holds``.

        Only what saves counts: the panel follows each answer by itself.
        """

        with self.page.expect_response(saved_with(holds)) as found:
            act()
            self.page.clock.fast_forward(PAUSE)
        assert found.value.status == 200, found.value.text()[:300]
        expect(self.page.locator(BUSY)).to_have_count(0)

    def choose(self, element: str, value: str) -> None:
        """Choose in a select."""
        box = self.page.locator(f"#{element}")
        name = box.get_attribute("name")
        self.saved(lambda: box.select_option(value), holds=f"{name}={value}&")

    def write(self, element: str, text: str) -> None:
        """Write into an input and leave it."""
        box = self.page.locator(f"#{element}")
        name = box.get_attribute("name")
        self.saved(lambda: (box.fill(text), box.blur()), holds=f"{name}={text}&")

    def press(self, name: str, *, within: str = "#designer") -> None:
        """Press a button by its words."""
        button = self.page.locator(within).get_by_role("button", name=name, exact=True)
        self.saved(button.click, holds=self.aim(button))

    def add(self, kind: str, *, to: str = "") -> None:
        """Add a step from the dialog."""
        self.page.locator(f"#add-step{to}").click()
        entry = self.page.locator(f'#add-dialog [data-kind="{kind}"]')
        self.saved(entry.click, holds="/add-step/")

    def tick(self, element: str) -> None:
        """Tick a box or take the tick away."""
        box = self.page.locator(f"#{element}")
        self.saved(box.click, holds=self.ticked(box))

    def aim(self, button: Locator) -> str:
        """The address that a button sends to, if it has one of its own."""
        return unquote_plus(button.get_attribute("formaction") or "")

    def ticked(self, box: Locator) -> str:
        """What a request carries once the box is ticked; without a tick it carries nothing."""
        pair = f"{box.get_attribute('name')}={box.get_attribute('value')}&"
        return "" if box.is_checked() else pair

    def begin(self, base: str, name: str) -> None:
        """A new workflow from nothing."""
        self.page.goto(f"{base}/new-workflow/", wait_until="load")
        self.page.get_by_label("Name").fill(name)
        self.page.get_by_role("button", name="Create draft").click()
        self.page.locator("html.js").wait_for()


_STOPS = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']"
_STOPS_BETWEEN = f"""el => {{
  const stops = [...document.querySelectorAll("{_STOPS}")].filter(
    (stop) => !stop.disabled && stop.tabIndex >= 0 && stop.getClientRects().length,
  );
  return stops.indexOf(el) - stops.indexOf(document.activeElement);
}}"""
_WHERE = """el => document.activeElement === el ? 0
  : document.activeElement.compareDocumentPosition(el) & 4 ? 1 : -1"""


class Keys(Builder):
    """The same by the keyboard alone: Tab to where it is, then letters, Space or Enter."""

    def reach(self, target: Locator) -> None:
        """Tab forward or back until the element has the focus."""
        target.wait_for()
        handle = target.element_handle()
        # So far it is by a guess; then one by one, as nobody can guess every stop.
        away = self.page.evaluate(_STOPS_BETWEEN, handle)
        key = "Tab" if away >= 0 else "Shift+Tab"
        for _ in range(max(abs(away) - 1, 0)):
            self.page.keyboard.press(key)
        for _ in range(250):
            where = self.page.evaluate(_WHERE, handle)
            if not where:
                return
            self.page.keyboard.press("Tab" if where > 0 else "Shift+Tab")
        raise AssertionError(f"Tab never reaches {target}")

    def choose(self, element: str, value: str) -> None:
        """Letters of the option's words, as in any list."""
        box = self.page.locator(f"#{element}")
        self.reach(box)
        words = box.locator(f'option[value="{value}"]').text_content() or ""
        name = box.get_attribute("name")
        self.saved(lambda: self.page.keyboard.type(words.strip()), holds=f"{name}={value}&")
        expect(self.page.locator(f"#{element}")).to_have_value(value)

    def write(self, element: str, text: str) -> None:
        """Letters over what stands there, then on with Tab."""
        box = self.page.locator(f"#{element}")
        self.reach(box)
        keys = self.page.keyboard
        if box.get_attribute("type") == "time":
            hour, minute = text.split(":")
            twelve = f"{int(hour) % 12 or 12:02}{minute}{'PM' if int(hour) > 11 else 'AM'}"
            self.saved(lambda: keys.type(twelve))
            expect(box).to_have_value(text)
            return

        def typed() -> None:
            keys.press("Control+a")
            keys.type(text)
            keys.press("Tab")

        self.saved(typed, holds=f"{box.get_attribute('name')}={text}&")

    def press(self, name: str, *, within: str = "#designer") -> None:
        """Enter on a button."""
        button = self.page.locator(within).get_by_role("button", name=name, exact=True)
        self.reach(button)
        self.saved(lambda: self.page.keyboard.press("Enter"), holds=self.aim(button))

    def add(self, kind: str, *, to: str = "") -> None:
        """A step from the dialog, found by its words."""
        self.reach(self.page.locator(f"#add-step{to}"))
        self.page.keyboard.press("Enter")
        expect(self.page.locator("#add-search")).to_be_focused()
        entry = self.page.locator(f'#add-dialog [data-kind="{kind}"]')
        self.page.keyboard.type(entry.locator("strong").text_content() or "")
        self.reach(entry)
        self.saved(lambda: self.page.keyboard.press("Enter"), holds="/add-step/")

    def tick(self, element: str) -> None:
        """Space on a box."""
        box = self.page.locator(f"#{element}")
        self.reach(box)
        self.saved(lambda: self.page.keyboard.press("Space"), holds=self.ticked(box))

    def begin(self, base: str, name: str) -> None:
        """A new workflow from nothing."""
        self.page.goto(f"{base}/new-workflow/", wait_until="load")
        self.reach(self.page.get_by_label("Name"))
        self.page.keyboard.type(name)
        self.page.keyboard.press("Enter")
        self.page.locator("html.js").wait_for()

    def follow(self, target: Locator) -> None:
        """Enter on a link, or a button that leads away."""
        self.reach(target)
        self.page.keyboard.press("Enter")
