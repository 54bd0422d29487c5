"""By what people may sign in here: a password, an identity provider, or both."""

from __future__ import annotations

from django.conf import settings


def provider_configured() -> bool:
    """Whether an identity provider is set."""
    return bool(settings.OIDC_DISCOVERY_URL and settings.OIDC_CLIENT_ID)


def password_allowed() -> bool:
    """Whether local accounts sign in with their password."""
    return bool(settings.PASSWORD_SIGN_IN)
