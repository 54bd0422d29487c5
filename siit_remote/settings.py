"""One settings file, read from the environment and ``.env`` (django-environ).

Development is the default; production is ``DEBUG=false`` and refuses to start without its secrets.
Every name is described in ``.env.example``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.FileAwareEnv()
environ.Env.read_env(BASE_DIR / ".env")

TESTING = "pytest" in sys.modules
DEBUG = env.bool("DEBUG", default=True)
PRODUCTION = not DEBUG and not TESTING


def _required_in_production(name: str, development: str) -> str:
    """A secret that development may leave out and production may not."""
    value: str = env.str(name, default="")
    if value:
        return value
    if PRODUCTION:
        raise ImproperlyConfigured(
            f"{name} is not set. Production (DEBUG=false) refuses to start without it: set {name} "
            f"or {name}_FILE; `python -c 'import secrets; print(secrets.token_urlsafe(48))'` "
            "makes a good value."
        )
    return development


SECRET_KEY = _required_in_production("SECRET_KEY", "development-only-key-" + "x" * 40)
FIELD_ENCRYPTION_KEYS: list[str] = [
    key.strip()
    for key in _required_in_production(
        "FIELD_ENCRYPTION_KEYS", "development-only-encryption-key"
    ).split(",")
    if key.strip()
]
if PRODUCTION and min(map(len, FIELD_ENCRYPTION_KEYS)) < 32:
    raise ImproperlyConfigured(
        "FIELD_ENCRYPTION_KEYS: each key needs at least 32 characters of randomness."
    )
ALLOW_TIME_TRAVEL = env.bool("ALLOW_TIME_TRAVEL", default=DEBUG or TESTING)
if PRODUCTION and ALLOW_TIME_TRAVEL:
    raise ImproperlyConfigured("ALLOW_TIME_TRAVEL must not be true in production.")

ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[] if PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
)
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
SITE_URL: str = env.str("SITE_URL", default="http://127.0.0.1:8000").rstrip("/")

INSTALLED_APPS = [
    "siit_remote",
    "siit_remote.admin_config.SiitAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "csp",
    "django_q",
    "siit_remote.audit",
    "people",
    "integrations",
    "workflows",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    # Before the files: a picture opened by itself is a document as well.
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "siit_remote.sessions.KeptSessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "siit_remote.middleware.PrivatePagesMiddleware",
    "siit_remote.middleware.ImpossibleNumberMiddleware",
    "siit_remote.sessions.SessionLimitsMiddleware",
    "siit_remote.leaving.SignOutWhoLeftMiddleware",
]

ROOT_URLCONF = "siit_remote.urls"
WSGI_APPLICATION = "siit_remote.wsgi.application"
TEMPLATES: list[dict[str, Any]] = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "siit_remote.context.shell",
            ],
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

DATABASES: dict[str, Any] = {
    "default": env.db_url("DATABASE_URL", default=f"sqlite:///{BASE_DIR / 'siit.sqlite3'}")
}
if "sqlite3" in DATABASES["default"]["ENGINE"]:
    # Writers queue instead of failing: IMMEDIATE locks at BEGIN; in WAL mode readers go on.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        transaction_mode="IMMEDIATE",
        timeout=20,
        init_command="PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
    )
else:
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)

_cache_url = env.str("CACHE_URL", default="")
CACHES: dict[str, Any] = {
    "default": env.cache_url("CACHE_URL")
    if _cache_url
    else {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "siit_cache",
        # The default of 300 would push out heartbeats and locks that are still needed.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
}

AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
if TESTING:
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Sign-in by an identity provider; without these only local accounts sign in.
OIDC_DISCOVERY_URL: str = env.str("OIDC_DISCOVERY_URL", default="")
OIDC_CLIENT_ID: str = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET: str = env.str("OIDC_CLIENT_SECRET", default="")
OIDC_NAME: str = env.str("OIDC_NAME", default="your company account")
if OIDC_DISCOVERY_URL and not OIDC_DISCOVERY_URL.endswith("/.well-known/openid-configuration"):
    raise ImproperlyConfigured(
        "OIDC_DISCOVERY_URL must be the full discovery address, ending in "
        "/.well-known/openid-configuration."
    )
# Off: people come in by the provider alone, with its second factor.
PASSWORD_SIGN_IN: bool = env.bool("PASSWORD_SIGN_IN", default=True)
if not PASSWORD_SIGN_IN and not (OIDC_DISCOVERY_URL and OIDC_CLIENT_ID):
    raise ImproperlyConfigured(
        "PASSWORD_SIGN_IN=false needs OIDC_DISCOVERY_URL and OIDC_CLIENT_ID: nobody could sign in."
    )
if PRODUCTION and OIDC_DISCOVERY_URL and not OIDC_DISCOVERY_URL.startswith("https://"):
    raise ImproperlyConfigured("OIDC_DISCOVERY_URL must begin with https:// in production.")
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
WORKSPACE_TIMEZONE: str = env.str("WORKSPACE_TIMEZONE", default="UTC")
USE_I18N = True
USE_TZ = True
DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
FORMAT_MODULE_PATH = ["siit_remote.formats"]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "siit_remote" / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not PRODUCTION
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
if vars()["EMAIL_BACKEND"] == "django.core.mail.backends.console.EmailBackend":
    EMAIL_BACKEND = "siit_remote.lib.console.EmailBackend"
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", default="siit@localhost")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "img-src": [SELF, "data:"],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# A working day, and a lunch break: whoever leaves an unlocked machine leaves people's data open.
SESSION_HOURS: int = env.int("SESSION_HOURS", default=12)
SESSION_IDLE_MINUTES: int = env.int("SESSION_IDLE_MINUTES", default=30)
if not 1 <= SESSION_HOURS <= 24 * 7:
    raise ImproperlyConfigured("SESSION_HOURS must lie between 1 and 168 (a week).")
if SESSION_IDLE_MINUTES and not 5 <= SESSION_IDLE_MINUTES <= SESSION_HOURS * 60:
    raise ImproperlyConfigured(
        "SESSION_IDLE_MINUTES must be 0 (never) or lie between 5 and SESSION_HOURS."
    )
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 63072000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"

# django-q2 is only the bell; what must happen once is decided in our own ledger. A small queue
# limit matters: a task's retry clock starts when it enters the cluster's buffer, not when it runs.
Q_CLUSTER: dict[str, Any] = {
    "name": "siit",
    "workers": env.int("WORKERS", default=2),
    "queue_limit": 2,
    "bulk": 1,
    "poll": 1,
    "timeout": 600,
    "retry": 3000,
    "max_attempts": 1,
    "ack_failures": True,
    "orm": "default",
    "catch_up": False,
    "save_limit": 2000,
    "recycle": 200,
    "cached": False,
    "guard_cycle": 1,
    "label": "Background work",
}

# Remembers outside the database how far it had come; empty: nothing does.
WITNESS_FOLDER: str = env.str("WITNESS_FOLDER", default="" if TESTING else str(BASE_DIR / "var"))
REMOTE_BASE_URL: str = env.str("REMOTE_BASE_URL", default="").rstrip("/")
SYNC_EVERY_HOURS: int = env.int("SYNC_EVERY_HOURS", default=4)
if not 1 <= SYNC_EVERY_HOURS <= 168:
    raise ImproperlyConfigured("SYNC_EVERY_HOURS must lie between 1 and 168.")
# Hosts or networks that outbound calls may reach although their address is private.
OUTBOUND_ALLOW_PRIVATE: list[str] = env.list(
    "OUTBOUND_ALLOW_PRIVATE", default=[] if PRODUCTION else ["127.0.0.0/8", "::1/128"]
)

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "siit_remote.lib.secret_addresses.SecretAddressFilter"}},
    "formatters": {"plain": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "plain",
            "filters": ["secrets"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    # Django gives these two handlers of their own otherwise, past the filter.
    "loggers": {
        "django": {"handlers": [], "level": "INFO"},
        "django.server": {"handlers": ["console"], "level": "INFO", "propagate": False},
    },
}
