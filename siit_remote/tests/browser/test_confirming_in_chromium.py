"""Confirm that it is you: on a phone and at a desk, and nothing that was typed is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from playwright.sync_api import expect

from siit_remote.sessions import CONFIRMED
from siit_remote.tests.browser.looking import faults
from siit_remote.tests.people_with_roles import PASSWORD, Company
from workflows.models import Approval, Run

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])


def _long_ago(who: str, *, seconds: int = 3600) -> None:
    """Let it be so long since ``who`` proved who they are; the sessions go on."""
    for row in Session.objects.all():
        store = Session.get_session_store_class()(row.session_key)
        if store.get("_auth_user_id") == str(User.objects.get(username=who).pk):
            store[CONFIRMED] -= seconds
            store.save()


@BOTH
def test_a_manager_approves_what_takes_something_with_the_password(
    width: int, theme: str, visitor: Any, company: Company
) -> None:
    approval = company.objects["approval"]
    Run.objects.filter(pk=company.objects["run"].pk).update(status="running")
    manager = visitor("manager", width=width, theme=theme)
    _long_ago("manager")
    page = manager.open(f"/approvals/{approval.pk}/")
    page.get_by_label("Comment").fill("She hands it over on Friday.")
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    expect(page.get_by_label("Your password")).to_be_focused()
    found = faults(page)
    page.get_by_label("Your password").fill("a guess")
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.get_by_text("That is not your password")).to_be_visible()
    found += faults(page)
    assert Approval.objects.get(pk=approval.pk).status == "pending"
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm and go on").click()
    expect(page.get_by_text("Approved: Ship a laptop.")).to_be_visible()
    decided = Approval.objects.get(pk=approval.pk)
    assert (decided.status, decided.comment) == ("approved", "She hands it over on Friday.")
    # The browser writes the refusals (403, 422) into its console; nothing else may stand there.
    said = [words for words in manager.violations if "Failed to load resource" not in words]
    assert found + said == []


@BOTH
def test_a_token_is_not_asked_for_before_it_is_known_who_types_it(
    width: int, theme: str, visitor: Any
) -> None:
    hr = visitor("hr", width=width, theme=theme)
    _long_ago("hr")
    page = hr.open("/settings/integrations/remote/settings/")
    expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
    expect(page.get_by_text("change how a system is connected")).to_be_visible()
    found = faults(page)
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm and go on").click()
    page.wait_for_url("**/settings/integrations/remote/settings/")
    expect(page.get_by_label("API token")).to_be_visible()
    assert found + hr.violations == []


def test_back_leads_to_what_one_came_from(visitor: Any, company: Company) -> None:
    owner = visitor("owner", width=390)
    _long_ago("owner")
    hold = company.objects["hold"]
    page = owner.open(f"/held/{hold.pk}/")
    page.get_by_label("Why is it right").fill("They left together.")
    page.get_by_role("button", name="Release").click()
    page.get_by_role("link", name="Back").click()
    page.wait_for_url(f"**/held/{hold.pk}/")
    assert Run.objects.filter(hold=hold, status="held").count() == 1


@BOTH
def test_back_from_the_provider_a_press_does_what_was_typed(
    width: int, theme: str, visitor: Any, company: Company, settings: Any
) -> None:
    settings.OIDC_DISCOVERY_URL = "https://id.example.test/.well-known/openid-configuration"
    settings.OIDC_CLIENT_ID, settings.OIDC_NAME = "siit", "Okta"
    run = company.objects["run"]
    owner = visitor("owner", width=width, theme=theme)
    _long_ago("owner")
    page = owner.open(f"/runs/{run.pk}/")
    form = page.locator(f'form[action="/runs/{run.pk}/release/"]')
    page.locator("details", has=form).locator("summary").first.click()
    form.get_by_label("Why is it right to go on?").fill("Looked at it.")
    form.get_by_role("button").click()
    link = page.get_by_role("link", name="Sign in again with Okta")
    expect(link).to_have_attribute("href", "/sign-in/provider/?confirm=1")
    found = faults(page)
    # What the provider's answer does to the session.
    _long_ago("owner", seconds=-3600)
    page = owner.open("/sign-in/confirm/")
    expect(page.get_by_role("heading", name="It is you")).to_be_visible()
    found += faults(page)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("The run goes on.")).to_be_visible()
    said = [words for words in owner.violations if "Failed to load resource" not in words]
    assert found + said == []
