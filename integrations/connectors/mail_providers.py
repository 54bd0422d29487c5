"""What differs between the senders whose API we speak through django-anymail.

The addresses below are read by a connection test only, and have no effect.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from anymail.backends import brevo, mailersend, mailgun, mailjet, postmark, resend, sparkpost
from anymail.signals import EventType
from anymail.webhooks import brevo as brevo_hooks
from anymail.webhooks import mailersend as mailersend_hooks
from anymail.webhooks import mailgun as mailgun_hooks
from anymail.webhooks import mailjet as mailjet_hooks
from anymail.webhooks import postmark as postmark_hooks
from anymail.webhooks import resend as resend_hooks
from anymail.webhooks import sparkpost as sparkpost_hooks

if TYPE_CHECKING:
    from collections.abc import Callable


def _basic(key: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(f'{key}:{secret}'.encode()).decode()}"}


class _ResendHook(resend_hooks.ResendTrackingWebhookView):  # type: ignore[misc]
    """Knows the refusals that Resend has begun to tell of since.

    https://resend.com/docs/webhooks/event-types
    """

    event_types: ClassVar = {
        **resend_hooks.ResendTrackingWebhookView.event_types,
        "email.failed": EventType.FAILED,
        "email.suppressed": EventType.REJECTED,
    }


def _bearer(key: str, secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One sender. ``signs`` names how its calls to us are proven; empty: by name and password."""

    label: str
    backend: type[Any]
    hook: type[Any]
    base_url: str
    key: str
    """What anymail calls the API key."""
    test_path: str
    headers: Callable[[str, str], dict[str, str]] = field(default=_bearer)
    signs: str = ""
    own: dict[str, str] = field(default_factory=dict)
    """Further arguments of anymail's, by the setting each is taken from."""
    keyed: bool = False
    """Whether it recognises a repeat by ``Idempotency-Key``."""


PROVIDERS: dict[str, Provider] = {
    # https://developers.brevo.com/reference/getaccount
    "brevo": Provider(
        label="Brevo",
        backend=brevo.EmailBackend,
        hook=brevo_hooks.BrevoTrackingWebhookView,
        base_url="https://api.brevo.com/v3/",
        key="api_key",
        test_path="account",
        headers=lambda key, _: {"api-key": key},
    ),
    # https://developers.mailersend.com/api/v1/domains.html
    "mailersend": Provider(
        label="MailerSend",
        backend=mailersend.EmailBackend,
        hook=mailersend_hooks.MailerSendTrackingWebhookView,
        base_url="https://api.mailersend.com/v1/",
        key="api_token",
        test_path="domains",
        signs="signing_secret",
    ),
    # https://documentation.mailgun.com/docs/mailgun/api-reference/openapi-final/tag/Domains/
    "mailgun": Provider(
        label="Mailgun",
        backend=mailgun.EmailBackend,
        hook=mailgun_hooks.MailgunTrackingWebhookView,
        base_url="https://api.mailgun.net/v3/",
        key="api_key",
        test_path="domains/{domain}",
        headers=lambda key, _: _basic("api", key),
        signs="webhook_signing_key",
        own={"sender_domain": "domain"},
    ),
    # https://dev.mailjet.com/email/reference/overview/authentication/
    "mailjet": Provider(
        label="Mailjet",
        backend=mailjet.EmailBackend,
        hook=mailjet_hooks.MailjetTrackingWebhookView,
        base_url="https://api.mailjet.com/v3.1/",
        key="api_key",
        test_path="../v3/REST/apikey",
        headers=_basic,
        own={"secret_key": "api_secret"},
    ),
    # https://postmarkapp.com/developer/api/server-api
    "postmark": Provider(
        label="Postmark",
        backend=postmark.EmailBackend,
        hook=postmark_hooks.PostmarkTrackingWebhookView,
        base_url="https://api.postmarkapp.com/",
        key="server_token",
        test_path="server",
        headers=lambda key, _: {"X-Postmark-Server-Token": key},
    ),
    # https://resend.com/docs/api-reference/domains/list-domains
    "resend": Provider(
        label="Resend",
        backend=resend.EmailBackend,
        hook=_ResendHook,
        base_url="https://api.resend.com/",
        key="api_key",
        test_path="domains",
        signs="svix",
        keyed=True,
    ),
    # https://developers.sparkpost.com/api/account/
    "sparkpost": Provider(
        label="SparkPost",
        backend=sparkpost.EmailBackend,
        hook=sparkpost_hooks.SparkPostTrackingWebhookView,
        base_url="https://api.sparkpost.com/api/v1/",
        key="api_key",
        test_path="account",
        headers=lambda key, _: {"Authorization": key},
    ),
}
