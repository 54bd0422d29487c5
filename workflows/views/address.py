"""The private form in which a worker says where to send the equipment. Nobody signs in here."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from siit_remote.lib import clock
from siit_remote.lib.throttle import Throttle
from workflows.shipment_address import address_give, shipment_by_link
from workflows.shipment_states import ShipmentRefusedError
from workflows.views.equipment_forms import AddressForm

OPENED = Throttle(name="address-form", most=60, seconds=3600)
"""Opened or sent so often from one place; a worker needs a handful."""


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def address(request: HttpRequest, token: str) -> HttpResponse:
    """An empty form, and thanks. Opening it changes nothing; what was sent is never shown again."""
    now = clock.now()
    if _too_often(request):
        answer = _answer(request, "often", status=429)
        answer["Retry-After"] = str(OPENED.seconds)
        return answer
    found = shipment_by_link(token, now=now)
    if found is None:
        return _answer(request, "ended", status=404)
    form = AddressForm(request.POST if request.method == "POST" else None)
    if request.method != "POST":
        return _answer(request, "form", form=form, what=found.bundle_name)
    if not form.is_valid():
        return _answer(request, "form", form=form, what=found.bundle_name, status=422)
    try:
        address_give(token, form.cleaned_data, now=now)
    except ShipmentRefusedError:
        return _answer(request, "ended", status=404)
    return _answer(request, "thanks", what=found.bundle_name)


def _answer(
    request: HttpRequest, part: str, *, status: int = 200, **context: object
) -> HttpResponse:
    answer = render(request, "workflows/address.html", {"part": part, **context}, status=status)
    # The address of the form is its key. “no-referrer” would also send no origin, which the check
    # of forged posts needs; other sites learn nothing either way.
    answer["Referrer-Policy"] = "same-origin"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _too_often(request: HttpRequest) -> bool:
    return not OPENED.take(request.META.get("REMOTE_ADDR", ""))
