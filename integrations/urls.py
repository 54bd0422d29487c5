"""Addresses of Settings → Integrations."""

from django.urls import path

from integrations import (
    call_views,
    connect_views,
    mail_hooks,
    mapping_views,
    setup_views,
    sync_views,
    views,
    webhook_views,
)

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
    path(f"{_ROOT}<slug:key>/calls/", call_views.calls, name="connection-calls"),
    path(f"{_ROOT}<slug:key>/test/", connect_views.connection_test_now, name="connection-test"),
    path(f"{_ROOT}<slug:key>/disconnect/", connect_views.disconnect, name="connection-disconnect"),
    path(f"{_ROOT}<slug:key>/mapping/", mapping_views.mapping, name="connection-mapping"),
    path(
        f"{_ROOT}<slug:key>/mapping/apply/",
        mapping_views.mapping_apply_now,
        name="connection-mapping-apply",
    ),
    path("hooks/mail/<slug:key>/", mail_hooks.mail_hook, name="mail-hook"),
    path("hooks/<str:token>/", webhook_views.hook, name="hook"),
    path(f"{_ROOT}<slug:key>/webhooks/", webhook_views.webhooks, name="connection-webhooks"),
    path(
        f"{_ROOT}<slug:key>/webhooks/subscribe/",
        webhook_views.subscribe,
        name="webhook-subscribe",
    ),
    path(f"{_ROOT}<slug:key>/webhooks/rotate/", webhook_views.rotate, name="webhook-rotate"),
    path(f"{_ROOT}<slug:key>/webhooks/remove/", webhook_views.remove, name="webhook-remove"),
    path(f"{_ROOT}<slug:key>/webhooks/replay/", webhook_views.replay, name="webhook-replay"),
    path(f"{_ROOT}<slug:key>/frequency/", sync_views.frequency, name="sync-frequency"),
    path(f"{_ROOT}<slug:key>/sync/", sync_views.sync_now, name="sync-now"),
    path(f"{_ROOT}<slug:key>/review/", setup_views.setup, name="connection-review"),
    path(f"{_ROOT}<slug:key>/review/read/", setup_views.read_again, name="connection-read"),
    path(
        f"{_ROOT}<slug:key>/review/mapping/",
        setup_views.review_mapping,
        name="connection-review-mapping",
    ),
    path(f"{_ROOT}<slug:key>/finish/", setup_views.finish, name="connection-finish"),
    path(f"{_ROOT}<slug:key>/syncs/<int:pk>/apply/", sync_views.held_release, name="held-apply"),
    path(f"{_ROOT}<slug:key>/syncs/<int:pk>/discard/", sync_views.held_drop, name="held-discard"),
    path(f"{_ROOT}<slug:key>/syncs/<int:pk>/", views.sync_run, name="sync-run"),
]
