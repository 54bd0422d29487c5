"""Addresses of Settings → Integrations."""

from django.urls import path

from integrations import views

urlpatterns = [
    path("settings/integrations/", views.catalogue, name="integrations"),
    path("settings/integrations/<slug:key>/", views.connection, name="connection"),
    path("settings/integrations/<slug:key>/syncs/<int:pk>/", views.sync_run, name="sync-run"),
]
