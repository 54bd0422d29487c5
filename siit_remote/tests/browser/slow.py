"""A slow line and a slow machine, for what goes well only as long as everything is quick.

``BROWSER_SLOW_MS=800`` answers every request of a script up to so many milliseconds late, part of
it before the server begins and part after it has done its work, hands out scripts late as well, and
lets pages think at a quarter of the speed. The server waits, not Playwright: the test goes on as a
hasty person would, and a page whose clock is put forward waits as long as any other.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.http import HttpRequest, HttpResponseBase
from django.test.utils import override_settings
from playwright.sync_api import BrowserContext, Page

SLOW_MS = int(os.environ.get("BROWSER_SLOW_MS") or 0)
"""Milliseconds; 0 leaves everything as quick as it is."""
THROTTLE = 4
"""How many times slower a page's own thread runs."""


class LateAnswers:
    """Waits around what scripts ask for; a page that is opened comes as quickly as ever."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.headers.get("Sec-Fetch-Dest") != "empty":
            return self._get_response(request)
        _wait()
        answer = self._get_response(request)
        _wait()
        return answer


def _wait() -> None:
    time.sleep(random.uniform(0, SLOW_MS / 2) / 1000)


@contextmanager
def slow_line() -> Iterator[None]:
    """Servers that start within it answer late, if this run is a slow one."""
    if not SLOW_MS:
        yield
        return
    serve = StaticFilesHandler.serve

    def late(handler: StaticFilesHandler, request: HttpRequest) -> HttpResponseBase:
        if request.path.endswith(".js"):
            _wait()
        return serve(handler, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StaticFilesHandler, "serve", late)
        with override_settings(MIDDLEWARE=[f"{__name__}.LateAnswers", *settings.MIDDLEWARE]):
            yield


def slow_page(context: BrowserContext, page: Page) -> None:
    """The page's own thread takes its time, if this run is a slow one."""
    if SLOW_MS:
        context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": THROTTLE})
