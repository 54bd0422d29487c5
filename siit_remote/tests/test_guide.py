"""The guide: every page opens, every link in it leads somewhere."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from integrations.models import Connection, SyncRun
from siit_remote.guide import PAGES
from siit_remote.screenshots import GUIDE, IN_THE_GUIDE, THEMES
from siit_remote.tests.people_with_roles import Company

STAFF = ("owner", "hr", "it")


def links(html: str) -> set[str]:
    """Addresses of the page's own text."""
    text = html[html.index('class="guide-text"') : html.index("</article>")]
    return {address.split("#")[0] for address in re.findall(r'href="(/[^"]*)"', text)}


@pytest.mark.slow
@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("who", STAFF)
def test_every_link_of_every_page_opens_for_who_reads_it(
    who: str, connected: bool, company: Company
) -> None:
    if connected:
        SyncRun.objects.update(status="applied")
    else:
        Connection.objects.all().delete()
    client = Client()
    client.force_login(company.users[who])
    seen = set()
    for page in PAGES:
        html = client.get(f"/guide/{page.slug}/").content.decode()
        assert f"<h1>{page.title}</h1>" in html
        seen |= links(html)
    broken = {
        address: status
        for address in seen
        if (status := client.get(address, follow=True).status_code) != 200
    }
    assert broken == {}


def test_each_trouble_leads_to_the_screen_that_solves_it(company: Company) -> None:
    SyncRun.objects.update(status="applied")
    client = Client()
    client.force_login(company.users["hr"])
    html = client.get("/guide/troubleshooting/").content.decode()
    sync = SyncRun.objects.get()
    wanted = {
        "missing": f"/settings/integrations/remote/syncs/{sync.pk}/#skipped",
        "labels": "/settings/integrations/remote/mapping/",
        "manager": "/admin/people/person/?problem=no_manager",
        "unauthorized": "/settings/integrations/remote/settings/",
    }
    for section, address in wanted.items():
        text = html[html.index(f'id="{section}"') :]
        assert f'href="{address}"' in text[: text.index("</section>")], section
    people = client.get(wanted["manager"])
    assert (people.status_code, b"No manager" in people.content) == (200, True)


def test_an_unknown_page_is_not_found(company: Company) -> None:
    client = Client()
    client.force_login(company.users["it"])
    assert client.get("/guide/../guide/nowhere/").status_code == 404


def test_pictures_of_the_guide_are_those_that_the_command_takes(company: Company) -> None:
    """``make screenshots`` writes them; each is there, shown, and told in words."""
    client = Client()
    client.force_login(company.users["hr"])
    shown: set[str] = set()
    for page in PAGES:
        html = client.get(f"/guide/{page.slug}/").content.decode()
        for tag in re.findall(r"<img [^>]*>", html):
            name = re.search(r"siit/guide/([\w-]+)\.jpg", tag)
            assert name is not None
            assert re.search(r'alt="[^"]{20,}"', tag), tag
            shown.add(name[1])
    assert shown == {f"{name}-{theme}" for name in IN_THE_GUIDE for theme in THEMES}
    for name in shown:
        picture = (GUIDE / f"{name}.jpg").read_bytes()
        assert picture.startswith(b"\xff\xd8")
        assert len(picture) < 110_000
