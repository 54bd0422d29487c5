"""Addresses of Settings → Integrations."""

from django.urls import path

from integrations import connect_views, views

_ROOT = "settings/integrations/"

urlpatterns = [
    path(_ROOT, views.catalogue, name="integrations"),
    path(f"{_ROOT}connect/<slug:connector>/", connect_views.connect, name="connect"),
    path(f"{_ROOT}<slug:key>/", views.connection, name="connection"),
    path(
        f"{_ROOT}<slug:key>/settings/",
        connect_views.connection_settings,
        name="connection-settings",
    ),
    path(f"{_ROOT}<slug:key>/test/", connect_views.connection_test_now, name="connection-test"),
    path(f"{_ROOT}<slug:key>/disconnect/", connect_views.disconnect, name="connection-disconnect"),
    path(f"{_ROOT}<slug:key>/syncs/<int:pk>/", views.sync_run, name="sync-run"),
]
