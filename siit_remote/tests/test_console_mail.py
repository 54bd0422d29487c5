"""Printed mail never mixes with what a command prints."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.mail import send_mail

from workflows.mail import site_mail_leaves

BACKEND = "siit_remote.lib.console.EmailBackend"


def test_printed_mail_stays_off_stdout(capsys: pytest.CaptureFixture[str], settings: Any) -> None:
    settings.EMAIL_BACKEND = BACKEND
    send_mail("Welcome", "Hello", None, ["ana@acme.test"])
    said = capsys.readouterr()
    assert said.out == ""
    assert "Subject: Welcome" in said.err


def test_printed_mail_does_not_count_as_sent_in_production(settings: Any) -> None:
    settings.EMAIL_BACKEND = BACKEND
    settings.PRODUCTION = True
    assert not site_mail_leaves()
