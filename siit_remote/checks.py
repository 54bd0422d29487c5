"""System checks of the whole installation (ids ``siit.E…`` and ``siit.W…``)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from siit_remote.schedules import SCHEDULES

_NO_SHARED_CACHE = ("locmem", "dummy")
_NO_REAL_MAIL = ("console", "locmem", "dummy", "filebased")
_WIDE_PREFIX = {4: 8, 6: 16}


@register(Tags.security, deploy=True)
def check_public_address(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Links in mails must lead to the real, encrypted address."""
    found: list[CheckMessage] = []
    if not settings.SITE_URL.startswith("https://"):
        found.append(
            Warning(
                "SITE_URL does not start with https://.",
                hint="Set SITE_URL to the address people open, as https://siit.example.com.",
                id="siit.W001",
            )
        )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(
            Warning(
                "ALLOWED_HOSTS accepts every host name.",
                hint="Name the hosts: links in mails are made from the address asked for.",
                id="siit.W002",
            )
        )
    return found


@register(Tags.security, deploy=True)
def check_mail(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Mail that is printed reaches nobody."""
    if any(name in settings.EMAIL_BACKEND for name in _NO_REAL_MAIL):
        return [
            Warning(
                "Mail is not sent: EMAIL_URL names no mail server.",
                hint="Set EMAIL_URL, as smtp+tls://user:password@mail.example.com:587.",
                id="siit.W003",
            )
        ]
    return []


@register(Tags.caches)
def check_shared_cache(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Web and worker meet in the cache (signs of life, the brake on guessing passwords)."""
    backend = settings.CACHES["default"]["BACKEND"]
    if any(name in backend for name in _NO_SHARED_CACHE):
        return [
            Error(
                "The cache is not shared between web and worker.",
                hint="Leave CACHE_URL out (the database serves), or name a shared cache.",
                id="siit.E001",
            )
        ]
    return []


@register(Tags.security, deploy=True)
def check_outbound(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A wide exception makes the guard against calls into the own network useless."""
    wide = [text for text in settings.OUTBOUND_ALLOW_PRIVATE if _is_wide(text)]
    if not wide:
        return []
    return [
        Warning(
            f"OUTBOUND_ALLOW_PRIVATE opens very wide networks: {', '.join(wide)}.",
            hint="Name the hosts that outbound calls must reach, not whole networks.",
            id="siit.W004",
        )
    ]


def _is_wide(text: str) -> bool:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return False
    return not network.is_loopback and network.prefixlen <= _WIDE_PREFIX[network.version]


@register()
def check_queue(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A task's retry clock starts when it is buffered: too short, and it runs twice."""
    queue = settings.Q_CLUSTER
    buffered = queue["queue_limit"] / queue["workers"] + 2
    if queue["retry"] > queue["timeout"] * buffered:
        return []
    return [
        Error(
            "The task queue would start tasks a second time while they still wait or run.",
            hint="Q_CLUSTER: retry must exceed timeout × (queue_limit ÷ workers + 2).",
            id="siit.E002",
        )
    ]


@register()
def check_schedules(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Every function that a schedule names exists. The stored rows are doctor's matter."""
    found: list[CheckMessage] = []
    for planned in SCHEDULES:
        try:
            import_string(planned.func)
        except ImportError:
            found.append(
                Error(
                    f"The schedule “{planned.name}” names {planned.func}, which does not exist.",
                    hint="Mend siit_remote/schedules.py, then run `manage.py setup_schedules`.",
                    id="siit.E003",
                )
            )
    return found
