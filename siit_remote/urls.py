"""The whole URL map on one screen."""

from django.contrib import admin
from django.urls import include, path

from siit_remote import confirm_views, guide, provider_sign_in, sign_in, views

urlpatterns = [
    path("", views.home, name="home"),
    path("sign-in/", sign_in.SignInView.as_view(), name="sign-in"),
    path("sign-in/provider/", provider_sign_in.provider_start, name="provider-start"),
    path("sign-in/provider/back/", provider_sign_in.provider_back, name="provider-back"),
    path("sign-in/confirm/", confirm_views.confirm, name="confirm"),
    path("sign-out/", sign_in.SignOutView.as_view(), name="sign-out"),
    path("account/password/", sign_in.PasswordView.as_view(), name="password"),
    path("theme/", views.theme_set, name="theme"),
    path("activity/", views.activity, name="activity"),
    path("guide/", guide.guide, name="guide"),
    path("guide/<slug:slug>/", guide.guide_page, name="guide-page"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("", include("people.urls")),
    path("", include("integrations.urls")),
    path("", include("workflows.urls")),
    path("admin/", admin.site.urls),
]
