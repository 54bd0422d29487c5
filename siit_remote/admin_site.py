"""Django's admin in the shell of the product."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from siit_remote.confirming import confirm_asked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import Model
    from django.http import HttpRequest, HttpResponse, HttpResponseBase

# A schedule names a function to call and a queue row carries a pickle: whoever may edit them runs
# code on the server. No role and no superuser gets them in the browser.
CLOSED_APPS = frozenset({"django_q"})
GRAVE = {
    "auth_user": "auth.change_user",
    "auth_group": "auth.change_group",
    "integrations_connection": "integrations.change_connection",
    "people_workspace": "people.change_workspace",
}
"""Pages that are changed only by who has just confirmed who they are, and who would change them."""


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

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """As Django's, but what is grave is asked first: before a form of it is shown, too."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if self.has_permission(request) and _is_grave(request):
                asked = confirm_asked(request, doing="admin", secrets=True)
                if asked is not None:
                    return asked
            answer: HttpResponseBase = inner(request, *args, **kwargs)
            return answer

        return guarded

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


def _is_grave(request: HttpRequest) -> bool:
    """Whether the address may change one of :data:`GRAVE`, and its visitor might do so."""
    match = request.resolver_match
    model, _, page = (match.url_name or "" if match else "").rpartition("_")
    if page == "change" and model.endswith("_password"):
        model = model.removesuffix("_password")
    permission = GRAVE.get(model)
    if permission is None or (request.method != "POST" and page not in {"add", "change"}):
        return False
    return request.method == "POST" or request.user.has_perm(permission)
