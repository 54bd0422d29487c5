"""A worker without an account says where to send it; IT ships it. On a phone and on a desk."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from playwright.sync_api import expect

from siit_remote.lib import clock
from siit_remote.tests.browser.looking import faults, spills
from siit_remote.tests.people_with_roles import Company
from workflows.models import Shipment
from workflows.shipment_address import link_send

pytestmark = pytest.mark.browser


@pytest.fixture
def link(company: Company, settings: Any, live_server: Any) -> str:
    """What stands in the worker's mail."""
    cache.clear()
    settings.SITE_URL = live_server.url
    row = Shipment.objects.get()
    assert link_send(row, to="me@home.test", by_label="it", now=clock.now())
    found = re.search(r"https?://\S+/equipment/address/\S+/", str(mail.outbox[-1].body))
    assert found is not None
    return found.group()


@pytest.mark.parametrize(("width", "theme"), [(390, "dark"), (1440, "light")])
def test_worker_gives_the_address_and_it_ships(
    width: int, theme: str, browser: Any, visitor: Any, link: str
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 844})
    context.add_cookies([{"name": "theme", "value": theme, "url": link}])
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda item: problems.append(item.text) if item.type == "error" else None)
    page.goto(link)
    assert faults(page) == []
    page.get_by_label("Name on the parcel").fill("Report Example")
    page.get_by_label("Street and number").fill("17 Rue Secrète")
    page.get_by_label("Town or city").fill("Paris")
    page.get_by_label("Country").select_option(label="France")
    page.get_by_role("button", name="Send my address").click()
    page.get_by_role("heading", name="Thank you").wait_for()
    expect(page.get_by_text("Rue Secrète")).not_to_be_visible()
    assert problems == []
    context.close()

    guest = visitor("it", width=width, theme=theme)
    page = guest.open("/equipment/")
    page.get_by_role("link", name="Standard laptop: Report Example").click()
    page.get_by_role("button", name="Show the address").click()
    page.get_by_text("17 Rue Secrète").wait_for()
    assert faults(page) == []
    page.get_by_label("It is now").select_option(label="Shipped")
    page.get_by_label("Tracking number or link").fill("DHL 4711")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Noted.").wait_for()
    assert not spills(page)
    row = Shipment.objects.get()
    assert (row.state, row.tracking) == ("shipped", "DHL 4711")
    assert guest.violations == []
