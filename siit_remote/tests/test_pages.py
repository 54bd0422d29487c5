"""Every page renders, and none carries what the Content-Security-Policy would block."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from django.contrib import admin
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from siit_remote.tests.people_with_roles import Company
from siit_remote.tests.test_access_matrix import MATRIX, _kwargs


class InlineFinder(HTMLParser):
    """Collects inline styles, inline scripts, handlers and javascript: addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style":
            self.found.append("<style>")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("<script>")
        for name, value in attrs:
            if name == "style" or name.startswith("on"):
                self.found.append(f"{tag} {name}={value}")
            if (value or "").strip().lower().startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")


def inline_of(html: str) -> list[str]:
    finder = InlineFinder()
    finder.feed(html)
    return finder.found


def test_finder_sees_what_the_policy_blocks() -> None:
    html = '<p style="a" onclick="b"><style></style><script>c</script><a href=" JavaScript:d">'
    assert len(inline_of(html)) == 5


@pytest.mark.slow
@pytest.mark.parametrize("who", ["owner", "manager"])
def test_no_page_has_inline_style_script_or_handler(who: str, company: Company) -> None:
    client = Client()
    client.force_login(company.users[who])
    urls = [reverse(name, kwargs=_kwargs(name, company)) for name in MATRIX]
    urls += ["/nowhere/"]
    if who == "owner":
        urls += [reverse("admin:index")]
        for model in admin.site._registry:
            base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            urls += [reverse(f"{base}_changelist"), reverse(f"{base}_add")]
            if (row := model._default_manager.first()) is not None:
                urls += [reverse(f"{base}_{page}", args=[row.pk]) for page in ("change", "history")]
    problems = {}
    for url in urls:
        response = client.get(url)
        assert "script-src 'self'" in response["Content-Security-Policy"], url
        assert "unsafe" not in response["Content-Security-Policy"], url
        is_page = response.get("Content-Type", "").startswith("text/html")
        if is_page and (found := inline_of(response.content.decode())):
            problems[url] = found
    assert problems == {}


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "429", "500"])
def test_error_page_stands_without_any_context(name: str) -> None:
    html = render_to_string(f"{name}.html")
    assert "<h1>" in html
    assert inline_of(html) == []


def test_pages_tell_no_cache_to_keep_them(company: Company) -> None:
    client = Client()
    client.force_login(company.users["hr"])
    response = client.get(f"/people/{company.people['report'].pk}/")
    assert response["Cache-Control"] == "no-store"


def test_sidebar_shows_only_what_the_person_may_open(company: Company) -> None:
    client = Client()
    client.force_login(company.users["employee"])
    html = client.get("/").content.decode()
    assert "Requests" in html
    assert "Integrations" not in html
    assert "Site admin" not in html
    client.force_login(company.users["owner"])
    html = client.get("/").content.decode()
    for label in ("Integrations", "Entities", "Roles &amp; access", "Site admin", "Activity"):
        assert label.replace("&amp;", "&") in html or label in html


def test_badge_counts_what_waits_for_the_person(company: Company) -> None:
    client = Client()
    client.force_login(company.users["manager"])
    assert '<span class="badge">1<span' in client.get("/").content.decode()
    client.force_login(company.users["employee"])
    assert 'class="badge"' not in client.get("/").content.decode()


def test_theme_is_kept_in_a_cookie_and_set_by_the_server(company: Company) -> None:
    client = Client()
    client.force_login(company.users["employee"])
    assert 'data-theme="system"' in client.get("/").content.decode()
    response = client.post("/theme/", {"theme": "dark", "next": "/requests/"})
    assert response["Location"] == "/requests/"
    assert client.cookies["theme"]["httponly"]
    assert 'data-theme="dark"' in client.get("/").content.decode()


@pytest.mark.parametrize("target", ["https://evil.test/", "//evil.test/", "javascript:alert(1)"])
def test_theme_never_redirects_elsewhere(target: str) -> None:
    assert Client().post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


@pytest.mark.django_db
def test_health_endpoints_answer_without_an_account_and_without_names() -> None:
    client = Client()
    assert client.get("/healthz").json() == {"status": "ok"}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "checks": {"database": True, "migrations": True}}
