"""Fixtures for every test."""

from __future__ import annotations

import gc
import os

import pytest
from django.conf import settings as django_settings
from hypothesis import settings as hypothesis_settings

# The gate draws the same examples each time, so that a red gate is never luck; everywhere else
# new ones are drawn, and a failing one is printed with its seed.
hypothesis_settings.register_profile("gate", derandomize=True, print_blob=True)
hypothesis_settings.register_profile("search", print_blob=True)
hypothesis_settings.load_profile("gate" if os.environ.get("CI") else "search")

# Installations that tests start as processes leave nothing beside the code.
os.environ.setdefault("WITNESS_FOLDER", "")


def pytest_configure() -> None:
    """Static files are looked up when asked for: every test client would read all of them first."""
    django_settings.WHITENOISE_AUTOREFRESH = True


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: nobody need look through it again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_real_mail(settings: object) -> None:
    """Mail of tests stays in memory unless a test names a server."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"  # type: ignore[attr-defined]
