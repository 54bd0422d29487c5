"""Every address × role × method. An address without an entry fails here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from siit_remote.tests.people_with_roles import ROLES, Company

WHO = ("anonymous", *ROLES)

# Status for: anonymous, owner, HR admin, IT staff, manager, employee.
OPEN = "200 200 200 200 200 200"
ANYBODY = "302 200 200 200 200 200"
STAFF = "302 200 200 200 403 403"
ADMINS = "302 200 200 403 403 403"
# A POST that does its work sends back to the page.
ADMINS_POST = "302 302 302 403 403 403"
STAFF_POST = "302 302 302 302 403 403"
OWNERS = "302 200 200 200 200 403"
OWNERS_POST = "302 302 302 302 302 403"
ALL_POST = "302 302 302 302 302 302"
NO_METHOD = "405 405 405 405 405 405"

MATRIX: dict[str, tuple[str, str]] = {
    # name: (GET, POST)
    "home": (ANYBODY, NO_METHOD),
    "sign-in": ("200 302 302 302 302 302", "200 302 302 302 302 302"),
    # No provider is set here.
    "provider-start": ("404 404 404 404 404 404", NO_METHOD),
    "provider-back": ("404 404 404 404 404 404", NO_METHOD),
    # Whoever has just signed in is led on; a POST without a password is refused.
    "confirm": ("302 302 302 302 302 302", "302 422 422 422 422 422"),
    "sign-out": (NO_METHOD, "302 302 302 302 302 302"),
    "password": (ANYBODY, ANYBODY),
    "theme": (NO_METHOD, "400 400 400 400 400 400"),
    "activity": (ADMINS, NO_METHOD),
    # The manager owns the application.
    "applications": (OWNERS, NO_METHOD),
    "application": (OWNERS, NO_METHOD),
    "applications-count": (NO_METHOD, OWNERS_POST),
    "application-new": (STAFF, "302 422 422 422 403 403"),
    "application-edit": (STAFF, "302 422 422 422 403 403"),
    "application-rule": (NO_METHOD, STAFF),
    "application-read": (NO_METHOD, OWNERS_POST),
    "access": (OWNERS, NO_METHOD),
    "access-ends": (NO_METHOD, OWNERS_POST),
    "access-match": (NO_METHOD, STAFF_POST),
    "access-mend": (NO_METHOD, STAFF_POST),
    "person-access": (STAFF, NO_METHOD),
    "leavers": (STAFF, NO_METHOD),
    "leaver": (STAFF, NO_METHOD),
    "leaver-csv": (ADMINS, NO_METHOD),
    "leaver-pdf": (ADMINS, NO_METHOD),
    "guide": (STAFF, NO_METHOD),
    "guide-page": (STAFF, NO_METHOD),
    "favicon": ("302 302 302 302 302 302", NO_METHOD),
    "healthz": (OPEN, NO_METHOD),
    "readyz": (OPEN, NO_METHOD),
    "people": ("302 302 302 302 200 200", NO_METHOD),
    "person": ("302 200 200 200 200 404", NO_METHOD),
    "person-overrides": (ADMINS, NO_METHOD),
    "person-override": (ADMINS, "302 422 422 403 403 403"),
    "person-override-remove": (NO_METHOD, ADMINS_POST),
    "custom-fields": (ADMINS, NO_METHOD),
    "custom-fields-look": (NO_METHOD, ADMINS_POST),
    "custom-field-new": (ADMINS, "302 422 422 403 403 403"),
    "custom-field": (ADMINS, "302 422 422 403 403 403"),
    "custom-field-use": (NO_METHOD, ADMINS_POST),
    "fields": (ADMINS, ADMINS_POST),
    "field": (ADMINS, ADMINS_POST),
    "fields-proposal": (ADMINS, NO_METHOD),
    # The first POST does away with the proposal.
    "fields-proposal-apply": (NO_METHOD, "302 302 404 403 403 403"),
    "fields-proposal-again": (NO_METHOD, ADMINS_POST),
    "fields-proposal-discard": (NO_METHOD, "302 302 404 403 403 403"),
    "person-merge": (ADMINS, ADMINS),
    "person-split": (ADMINS, "302 422 422 403 403 403"),
    "person-unmerge": (NO_METHOD, ADMINS_POST),
    "people-then": ("302 302 302 302 403 403", NO_METHOD),
    "people-problems": (STAFF, NO_METHOD),
    "teams": (STAFF, NO_METHOD),
    "team": (STAFF, NO_METHOD),
    "entities": (STAFF, NO_METHOD),
    "entity": (STAFF, NO_METHOD),
    "locations": (STAFF, NO_METHOD),
    "location": (STAFF, NO_METHOD),
    "employment-types": (STAFF, NO_METHOD),
    "people-view-save": (NO_METHOD, STAFF_POST),
    "people-view-change": (NO_METHOD, STAFF_POST),
    "people-view-delete": (NO_METHOD, "302 302 404 404 403 403"),
    "people-columns": (NO_METHOD, STAFF_POST),
    "integrations": (STAFF, NO_METHOD),
    "connection": (STAFF, NO_METHOD),
    "sync-run": (STAFF, NO_METHOD),
    "connection-calls": (STAFF, NO_METHOD),
    "connect": (ADMINS, ADMINS),
    "connection-settings": (ADMINS, ADMINS),
    "sync-now": (NO_METHOD, ADMINS_POST),
    "connection-review": (ADMINS, ADMINS_POST),
    "connection-read": (NO_METHOD, "302 404 404 403 403 403"),
    "connection-review-mapping": (NO_METHOD, "302 404 404 403 403 403"),
    "connection-finish": (NO_METHOD, "302 404 404 403 403 403"),
    "held-apply": (NO_METHOD, ADMINS_POST),
    "held-discard": (NO_METHOD, ADMINS_POST),
    "connection-test": (NO_METHOD, ADMINS_POST),
    "connection-disconnect": (ADMINS, ADMINS),
    "connection-mapping": (STAFF, STAFF),
    "connection-mapping-apply": (NO_METHOD, ADMINS_POST),
    "sync-frequency": (NO_METHOD, ADMINS_POST),
    "hook": (NO_METHOD, "404 404 404 404 404 404"),
    "mail-hook": (NO_METHOD, "404 404 404 404 404 404"),
    "equipment-report": (NO_METHOD, "404 404 404 404 404 404"),
    "callback": (NO_METHOD, "404 404 404 404 404 404"),
    "slack-pressed": (NO_METHOD, "404 404 404 404 404 404"),
    "connection-webhooks": (STAFF, NO_METHOD),
    "webhook-subscribe": (NO_METHOD, ADMINS_POST),
    "webhook-rotate": (NO_METHOD, ADMINS_POST),
    "webhook-remove": (NO_METHOD, ADMINS_POST),
    "webhook-replay": (NO_METHOD, ADMINS_POST),
    "workflows": (STAFF, NO_METHOD),
    "workflow": (STAFF, NO_METHOD),
    "workflows-next-runs": (STAFF, NO_METHOD),
    "workflow-document": (STAFF, NO_METHOD),
    "workflow-publish": (ADMINS, ADMINS_POST),
    "designer-panel": (ADMINS, NO_METHOD),
    "designer-matching": (ADMINS, NO_METHOD),
    "workflow-test": (ADMINS, NO_METHOD),
    "workflow-version": (STAFF, NO_METHOD),
    "version-restore": (NO_METHOD, ADMINS_POST),
    "workflow-act": (NO_METHOD, ADMINS_POST),
    "workflow-backtest": (STAFF, NO_METHOD),
    "workflow-preview": (STAFF, NO_METHOD),
    "workflow-preview-person": (STAFF, NO_METHOD),
    "workflow-start": (STAFF, "302 422 422 422 403 403"),
    "workflow-print": (STAFF, NO_METHOD),
    "workflow-why": (STAFF, NO_METHOD),
    "workflow-import": (ADMINS, ADMINS),
    "workflow-new": (ADMINS, "302 422 422 403 403 403"),
    "workflow-duplicate": (NO_METHOD, ADMINS_POST),
    "designer": (ADMINS, NO_METHOD),
    "designer-verb": (NO_METHOD, ADMINS_POST),
    "pick": (STAFF, NO_METHOD),
    "forecast": (STAFF, NO_METHOD),
    "forecast-csv": (STAFF, NO_METHOD),
    "calendar-make": (NO_METHOD, STAFF),
    "calendar-end": (NO_METHOD, STAFF_POST),
    # The secret in the address is the key, whoever asks.
    "calendar-feed": ("404 404 404 404 404 404", NO_METHOD),
    "runs": (STAFF, NO_METHOD),
    "run": (STAFF, NO_METHOD),
    "run-retry": (NO_METHOD, STAFF_POST),
    "run-release": (NO_METHOD, STAFF_POST),
    "run-cancel": (NO_METHOD, STAFF_POST),
    "runs-bulk": (NO_METHOD, STAFF_POST),
    "run-restart": (NO_METHOD, STAFF_POST),
    "step-skip": (NO_METHOD, STAFF_POST),
    "step-by-hand": (NO_METHOD, STAFF_POST),
    "run-undo": (STAFF, "302 422 422 422 403 403"),
    "step-resolve": (NO_METHOD, STAFF_POST),
    "gaps": (STAFF, NO_METHOD),
    "holds": (ADMINS, NO_METHOD),
    "hold": (ADMINS, NO_METHOD),
    "hold-release": (NO_METHOD, ADMINS_POST),
    "hold-discard": (NO_METHOD, ADMINS_POST),
    "hold-csv": (ADMINS, NO_METHOD),
    "recovery": (STAFF, NO_METHOD),
    "recovery-begin": (NO_METHOD, "302 422 422 403 403 403"),
    "recovery-end": (NO_METHOD, "302 422 422 403 403 403"),
    "category-rights": (ADMINS, NO_METHOD),
    # Rights are the Owner's alone, or a role could give itself another.
    "category-rights-set": (NO_METHOD, "302 302 403 403 403 403"),
    "limits": (ADMINS, "302 422 422 403 403 403"),
    "approvals": (ANYBODY, NO_METHOD),
    "approval": ("302 200 200 404 200 404", NO_METHOD),
    "approval-decide": (NO_METHOD, "302 302 302 404 302 404"),
    "approvals-approve": (NO_METHOD, ALL_POST),
    "approvals-export": (ANYBODY, NO_METHOD),
    "approvals-stuck": (ADMINS, NO_METHOD),
    "approval-ask": (NO_METHOD, "302 302 302 404 302 404"),
    "approval-move": (NO_METHOD, ADMINS_POST),
    "delegations": (ANYBODY, NO_METHOD),
    "delegation-new": (NO_METHOD, "302 422 422 422 422 422"),
    "delegation-end": (NO_METHOD, "302 302 302 404 302 404"),
    "absence-new": (NO_METHOD, "302 422 422 422 422 422"),
    "absence-end": (NO_METHOD, "302 302 302 404 302 404"),
    "person-options": (ANYBODY, NO_METHOD),
    "tasks": (ANYBODY, NO_METHOD),
    "task": ("302 200 200 200 404 404", NO_METHOD),
    "tasks-many": (NO_METHOD, ALL_POST),
    "task-done": (NO_METHOD, "302 422 422 422 404 404"),
    "task-refuse": (NO_METHOD, "302 422 422 422 404 404"),
    "task-take": (NO_METHOD, "302 302 302 302 404 404"),
    "task-hand-over": (NO_METHOD, "302 422 422 422 404 404"),
    "task-comment": (NO_METHOD, "302 422 422 422 404 404"),
    "task-tick": (NO_METHOD, "302 302 302 302 404 404"),
    "equipment": (STAFF, NO_METHOD),
    "shipment": (STAFF, NO_METHOD),
    "shipment-move": (NO_METHOD, "302 422 422 422 403 403"),
    "shipment-ask": (NO_METHOD, STAFF_POST),
    "shipment-address": (NO_METHOD, STAFF_POST),
    "bundles": (STAFF, NO_METHOD),
    "bundle-new": (STAFF, "302 422 422 422 403 403"),
    "bundle-edit": (STAFF, "302 422 422 422 403 403"),
    # Its secret address is the key; this one is nobody's.
    "address-form": ("404 404 404 404 404 404", "404 404 404 404 404 404"),
    "requests": (ANYBODY, NO_METHOD),
    "request-new": (ANYBODY, ANYBODY),
    "request": ("302 200 200 200 404 200", NO_METHOD),
    "request-edit": ("302 403 403 403 404 200", "302 403 403 403 404 200"),
    "request-comment": (NO_METHOD, "302 302 302 302 404 302"),
    "request-cancel": (NO_METHOD, "302 403 403 403 404 302"),
    "message-templates": (ADMINS, NO_METHOD),
    "message-template-new": (ADMINS, "302 422 422 403 403 403"),
    "message-template-preview": (NO_METHOD, ADMINS),
    "message-template": (ADMINS, "302 422 422 403 403 403"),
    "policy-asked": (NO_METHOD, "302 200 200 403 403 403"),
    "policy-rule": (ADMINS, "302 422 422 403 403 403"),
    "policy-rule-rows": (NO_METHOD, "302 200 200 403 403 403"),
    "service-rule": (NO_METHOD, "302 200 200 403 403 403"),
    # The owner deletes it, so that HR finds it gone.
    "message-template-delete": (NO_METHOD, "302 302 404 403 403 403"),
    "policies": (ADMINS, NO_METHOD),
    "policy-new": (ADMINS, "302 422 422 403 403 403"),
    "policy-edit": (ADMINS, "302 422 422 403 403 403"),
    # The owner deletes it, so that HR finds it gone.
    "policy-delete": (NO_METHOD, "302 302 404 403 403 403"),
    "policy-rehearsal": (ADMINS, NO_METHOD),
    "entity-leads": (ADMINS, ADMINS_POST),
    "services": (ADMINS, NO_METHOD),
    "service-new": (ADMINS, "302 422 422 403 403 403"),
    "service-edit": (ADMINS, "302 422 422 403 403 403"),
}


def _names(resolver: URLResolver) -> Iterator[str | None]:
    """Names of all addresses outside the site admin."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLPattern):
            yield pattern.name
        elif pattern.namespace != "admin":
            yield from _names(pattern)


def _kwargs(name: str, company: Company) -> dict[str, Any]:
    made = company.objects
    return {
        "person": {"pk": company.people["report"].pk},
        "person-overrides": {"pk": made["overridden"].pk},
        "person-override": {"pk": made["overridden"].pk, "field": "end_date"},
        "person-override-remove": {"pk": made["overridden"].pk, "field": "end_date"},
        "custom-field": {"key": "desk"},
        "custom-field-use": {"key": "desk"},
        "field": {"key": "country"},
        "fields-proposal": {"pk": made["proposal"].pk},
        "fields-proposal-apply": {"pk": made["proposal"].pk},
        "fields-proposal-again": {"pk": made["proposal"].pk},
        "fields-proposal-discard": {"pk": made["proposal"].pk},
        "guide-page": {"slug": "troubleshooting"},
        "person-merge": {"pk": company.people["report"].pk},
        "person-split": {"pk": company.people["report"].pk},
        "person-unmerge": {"pk": made["merge"].pk},
        "team": {"pk": made["team"].pk},
        "entity": {"pk": made["entity"].pk},
        "location": {"code": "FRA"},
        "people-view-change": {"pk": made["view"].pk},
        "people-view-delete": {"pk": made["view"].pk},
        "connection": {"key": "remote"},
        "connect": {"connector": "remote"},
        "connection-settings": {"key": "remote"},
        "connection-calls": {"key": "remote"},
        "connection-test": {"key": "remote"},
        "connection-disconnect": {"key": "remote"},
        "connection-mapping": {"key": "remote"},
        "connection-mapping-apply": {"key": "remote"},
        "sync-frequency": {"key": "remote"},
        "hook": {"token": "nobody-was-given-this"},
        "mail-hook": {"key": "nobody"},
        "equipment-report": {"key": "nobody"},
        "callback": {"token": "nobody-was-given-this"},
        "slack-pressed": {"key": "nobody-was-given-this"},
        "connection-webhooks": {"key": "remote"},
        "webhook-subscribe": {"key": "remote"},
        "webhook-rotate": {"key": "remote"},
        "webhook-remove": {"key": "remote"},
        "webhook-replay": {"key": "remote"},
        "sync-now": {"key": "remote"},
        "connection-review": {"key": "remote"},
        "connection-finish": {"key": "remote"},
        "connection-read": {"key": "remote"},
        "connection-review-mapping": {"key": "remote"},
        "held-apply": {"key": "remote", "pk": made["sync"].pk},
        "held-discard": {"key": "remote", "pk": made["sync"].pk},
        "sync-run": {"key": "remote", "pk": made["sync"].pk},
        "application": {"key": "github"},
        "application-edit": {"key": "github"},
        "application-read": {"key": "github"},
        "application-rule": {"verb": "save"},
        "access": {"pk": made["access"].pk},
        "access-ends": {"pk": made["access"].pk},
        "access-match": {"pk": made["reported"].pk},
        "person-access": {"pk": company.people["report"].pk},
        "leaver": {"pk": company.people["report"].pk},
        "leaver-csv": {"pk": company.people["report"].pk},
        "leaver-pdf": {"pk": company.people["report"].pk},
        "workflow": {"key": "offboarding"},
        "workflow-document": {"key": "offboarding"},
        "workflow-backtest": {"key": "offboarding"},
        "workflow-preview": {"key": "offboarding"},
        "workflow-preview-person": {"key": "offboarding", "pk": company.people["report"].pk},
        "workflow-start": {"key": "offboarding"},
        "workflow-print": {"key": "offboarding"},
        "workflow-why": {"key": "offboarding"},
        "workflow-publish": {"key": "offboarding"},
        "workflow-act": {"key": "offboarding", "verb": "pause"},
        "workflow-duplicate": {"key": "offboarding"},
        "designer": {"key": "offboarding"},
        "designer-panel": {"key": "offboarding"},
        "designer-matching": {"key": "offboarding"},
        "workflow-test": {"key": "offboarding"},
        "workflow-version": {"key": "offboarding", "number": 1},
        "version-restore": {"key": "offboarding", "number": 1},
        "designer-verb": {"key": "offboarding", "verb": "save"},
        "pick": {"kind": "person"},
        "calendar-feed": {"token": "nobodys"},
        "run": {"pk": made["run"].pk},
        "run-retry": {"pk": made["run"].pk},
        "run-release": {"pk": made["run"].pk},
        "run-cancel": {"pk": made["run"].pk},
        "run-restart": {"pk": made["run"].pk},
        "step-skip": {"pk": made["step"].pk},
        "step-by-hand": {"pk": made["step"].pk},
        "run-undo": {"pk": made["run"].pk},
        "step-resolve": {"pk": made["step"].pk},
        "hold": {"pk": made["hold"].pk},
        "hold-release": {"pk": made["hold"].pk},
        "hold-discard": {"pk": made["hold"].pk},
        "hold-csv": {"pk": made["hold"].pk},
        "approval": {"pk": made["approval"].pk},
        "approval-decide": {"pk": made["approval"].pk},
        "approval-ask": {"pk": made["approval"].pk},
        "approval-move": {"pk": made["approval"].pk},
        "delegation-end": {"pk": made["delegation"].pk},
        "absence-end": {"pk": made["absence"].pk},
        **{
            name: {"pk": made["task"].pk}
            for name in (
                *("task", "task-done", "task-refuse", "task-take"),
                *("task-hand-over", "task-comment", "task-tick"),
            )
        },
        **{
            name: {"pk": made["shipment"].pk}
            for name in ("shipment", "shipment-move", "shipment-ask", "shipment-address")
        },
        "bundle-edit": {"key": "laptop"},
        "address-form": {"token": "nobodys"},
        "request-new": {"service": "software"},
        "request": {"pk": made["request"].pk},
        "request-edit": {"pk": made["request"].pk},
        "request-comment": {"pk": made["request"].pk},
        "request-cancel": {"pk": made["request"].pk},
        "service-edit": {"key": "software"},
        "message-template": {"key": "welcome"},
        "message-template-delete": {"key": "welcome"},
        "policy-edit": {"key": "by-entity"},
        "policy-delete": {"key": "by-entity"},
        "policy-asked": {"name": "approver"},
        "policy-rule": {"key": "by-entity", "number": 1},
        "policy-rule-rows": {"key": "by-entity", "number": 0, "verb": "save"},
        "service-rule": {"verb": "save"},
        "policy-rehearsal": {"key": "by-entity"},
    }.get(name, {})


def _client(company: Company, who: str) -> Client:
    client = Client()
    if who != "anonymous":
        client.force_login(company.users[who])
    return client


def test_every_address_has_an_entry() -> None:
    assert set(_names(get_resolver())) == set(MATRIX)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(MATRIX))
def test_address_answers_each_role_as_the_matrix_says(name: str, company: Company) -> None:
    url = reverse(name, kwargs=_kwargs(name, company))
    for method, expected in zip(("get", "post"), MATRIX[name], strict=True):
        found = {who: getattr(_client(company, who), method)(url).status_code for who in WHO}
        assert found == dict(zip(WHO, map(int, expected.split()), strict=True)), method


@pytest.mark.slow
def test_admin_pages_follow_the_permission_of_each_model(company: Company) -> None:
    wrong = []
    for who in WHO:
        client = _client(company, who)
        user = company.users.get(who)
        for model, model_admin in admin.site._registry.items():
            meta = model._meta
            request = client.get("/healthz").wsgi_request
            for page, allowed in (
                ("changelist", model_admin.has_view_or_change_permission),
                ("add", model_admin.has_add_permission),
            ):
                if user is None or not user.is_staff:
                    expected = 302
                else:
                    request.user = user
                    expected = 200 if allowed(request) else 403
                url = reverse(f"admin:{meta.app_label}_{meta.model_name}_{page}")
                status = client.get(url).status_code
                if status != expected:
                    wrong.append((who, url, expected, status))
    assert wrong == []


def test_admin_refuses_who_is_signed_in_but_not_staff(company: Company) -> None:
    for who in ("manager", "employee"):
        client = _client(company, who)
        assert client.get("/admin/", follow=True).status_code == 403


def test_admin_has_no_page_of_the_task_queue_even_for_a_superuser(company: Company) -> None:
    user = company.users["owner"]
    user.is_superuser = user.is_staff = True
    user.save()
    client = _client(company, "owner")
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/django_q/").status_code == 404
    for model in ("schedule", "ormq", "success", "failure", "task"):
        for tail in ("", "add/", "1/change/"):
            assert client.get(f"/admin/django_q/{model}/{tail}").status_code == 404
    assert not [model for model in admin.site._registry if model._meta.app_label == "django_q"]


OURS = {"audit", "people", "integrations", "workflows"}


def test_every_model_of_ours_has_a_page_in_the_site_admin() -> None:
    """What the product keeps can be looked at, be it read only."""
    models = [model for model in apps.get_models() if model._meta.app_label in OURS]
    assert {model._meta.app_label for model in models} == OURS
    assert [model._meta.label for model in models if not admin.site.is_registered(model)] == []


def test_admin_keeps_facts_of_a_run_from_who_may_not_see_every_field(company: Company) -> None:
    run = company.objects["run"]
    type(run).objects.filter(pk=run.pk).update(snapshot={"person.date_of_birth": "1990-02-28"})
    url = f"/admin/workflows/run/{run.pk}/change/"
    assert b"1990-02-28" in _client(company, "hr").get(url).content
    page = _client(company, "it").get(url)
    assert page.status_code == 200
    assert b"1990-02-28" not in page.content
    assert b"Snapshot" not in page.content


def test_people_hidden_from_a_role_do_not_exist_for_it(company: Company) -> None:
    """Every person as every role: managers see their reports, employees themselves."""
    visible = {
        who: {
            name
            for name, person in company.people.items()
            if _client(company, who).get(f"/people/{person.pk}/").status_code == 200
        }
        for who in ROLES
    }
    everybody = set(company.people)
    assert visible == {
        "owner": everybody,
        "hr": everybody,
        "it": everybody,
        "manager": {"manager", "report"},
        "employee": {"employee"},
    }


def test_private_fields_stay_hidden_from_it_and_managers(company: Company) -> None:
    person = company.people["report"]
    person.date_of_birth = "1990-05-17"
    person.save()
    seen = {
        who: "17 May 1990" in _client(company, who).get(f"/people/{person.pk}/").content.decode()
        for who in ("owner", "hr", "it", "manager")
    }
    assert seen == {"owner": True, "hr": True, "it": False, "manager": False}


def test_a_post_without_token_is_refused(company: Company) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(company.users["owner"])
    assert client.post("/theme/", {"theme": "dark"}).status_code == 403
    assert client.post("/sign-out/").status_code == 403
