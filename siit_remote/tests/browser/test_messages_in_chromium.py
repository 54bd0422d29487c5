"""An HR admin writes a message: placeholders, a live preview, faults with their place."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import Company
from workflows.models import MessageTemplate

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("width", [1440, 390])
def test_a_message_is_written_with_placeholders_and_a_live_preview(
    width: int, visitor: Any, company: Company
) -> None:
    guest = visitor("hr", width=width)
    page = guest.open("/messages/new/")
    page.get_by_label("Name", exact=True).fill("First day")
    page.locator("#m-person").fill("report@acme.test")
    page.locator("#variant-0-subject").fill("Hello")
    body = page.locator("#variant-0-body")
    body.fill("Dear , welcome.")
    body.evaluate("box => box.setSelectionRange(5, 5)")
    page.get_by_role("button", name="Full name").click()
    expect(body).to_have_value("Dear {{ person.full_name }}, welcome.")
    expect(body).to_be_focused()
    preview = page.locator("#message-preview")
    expect(preview).to_contain_text("Dear Report Example, welcome.")
    assert faults(page) == []

    body.fill("Dear\n{{ person.fullname }}")
    expect(preview).to_contain_text("text: Line 2, column 4: Unknown name person.fullname.")
    page.get_by_role("button", name="Save").last.click()
    page.locator(".form-errors a").click()
    expect(page.locator("#variant-0-body")).to_be_focused()
    caret = page.locator("#variant-0-body").evaluate("box => box.selectionStart")
    assert caret == len("Dear\n{{ ")

    page.locator("#variant-0-body").fill("Dear {{ person.full_name }}")
    page.get_by_role("button", name="Add a language or country").click()
    page.locator("#variant-1-language").select_option("fr")
    page.locator("#variant-1-body").fill("Bonjour {{ person.full_name }}")
    page.locator("#m-which").select_option("1")
    expect(preview).to_contain_text("Bonjour Report Example")
    page.get_by_role("button", name="Save").last.click()
    page.wait_for_url("**/messages/first-day/")
    saved = MessageTemplate.objects.get(key="first-day")
    assert [variant.get("language") for variant in saved.variants] == [None, "fr"]
    # The browser tells the console of every 422, though the page expects it.
    assert [line for line in guest.violations if "422" not in line] == []
