"""Django's admin in the shell of the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.apps import AdminConfig
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse

# A schedule names a function to call and a queue row carries a pickle: whoever may edit them runs
# code on the server. No role and no superuser gets them in the browser.
CLOSED_APPS = frozenset({"django_q"})


class SiitAdminSite(admin.AdminSite):
    """The one admin site: our sign-in page, no tables of the task queue."""

    site_header = "Siit × Remote"
    site_title = "Siit × Remote"
    index_title = "Site admin"
    enable_nav_sidebar = False

    def register(
        self,
        model_or_iterable: type[Model] | Iterable[type[Model]],
        admin_class: Any = None,
        **options: Any,
    ) -> None:
        """As Django's, but the models of :data:`CLOSED_APPS` are left out."""
        models = (
            [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        )
        open_models = [model for model in models if model._meta.app_label not in CLOSED_APPS]
        super().register(open_models, admin_class, **options)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One sign-in page for all; who is signed in and not staff is refused, not asked again."""
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        target = urlencode({"next": request.GET.get("next") or reverse("admin:index")})
        return redirect(f"{reverse('sign-in')}?{target}")


class SiitAdminConfig(AdminConfig):
    """Makes :class:`SiitAdminSite` the default site."""

    default_site = "siit_remote.admin_site.SiitAdminSite"
