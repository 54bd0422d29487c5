"""Equipment and shipments for IT, and the bundles they are made of."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.models import Bundle
from people.identity import person_of
from people.models import EmploymentType, Person
from siit_remote.access import may, require
from siit_remote.audit.services import record
from siit_remote.lib import clock
from siit_remote.lib.crypto import DecryptionError
from workflows.bundles import BundleRefusedError, bundle_save
from workflows.equipment_seen import ADDRESS, CHANGE, SEE, TABS, bundle_words, shipments_shown
from workflows.models import Shipment, Task
from workflows.reaching import reachable_address_of
from workflows.shipment_address import link_send
from workflows.shipment_states import NEXT, ShipmentRefusedError, shipment_move
from workflows.tasks_seen import tasks_open_to
from workflows.views.equipment_forms import BundleForm, LinkForm, MoveForm, countries
from workflows.views.rights import run_opens

_PAGE = 50


@require_GET
@require(SEE)
def equipment(request: HttpRequest) -> HttpResponse:
    """Every shipment: on the way, in trouble, with people, coming back."""
    chosen = request.GET.get("show", "open")
    chosen = chosen if chosen in {key for key, _, _ in TABS} else "open"
    text, bundle = request.GET.get("q", "").strip()[:100], request.GET.get("bundle", "")[:60]
    about = request.GET.get("person", "")
    person = Person.objects.filter(pk=int(about)).first() if about.isdigit() else None
    if person is not None:
        chosen = request.GET.get("show", "all")
    pk = person.pk if person else None
    keep = f"&person={pk}" if pk else ""
    rows = shipments_shown(tab=chosen, text=text, bundle=bundle, person=pk)
    return render(
        request,
        "workflows/equipment.html",
        {
            "page": Paginator(rows, _PAGE).get_page(request.GET.get("page")),
            "tabs": [
                {"label": label, "url": f"?show={key}{keep}", "current": key == chosen}
                | {"count": shipments_shown(tab=key, person=pk).count()}
                for key, label, _ in TABS
            ],
            "chosen": chosen,
            "text": text,
            "bundle": bundle,
            "bundles": Bundle.objects.values_list("key", "name"),
            "person": person,
        },
    )


@require_GET
@require(SEE)
def shipment(request: HttpRequest, pk: int) -> HttpResponse:
    """One shipment: what, where it is, everything that happened, and what comes next."""
    found = get_object_or_404(_rows(), pk=pk)
    return _page(request, found)


def _rows() -> Any:
    return Shipment.objects.select_related("person__team", "connection", "step__run__workflow")


def _page(
    request: HttpRequest, found: Shipment, *, status: int = 200, **more: object
) -> HttpResponse:
    changes = may(request.user, CHANGE)
    asks = found.wants_address and found.state in ("asked", "return_asked")
    context: dict[str, object] = {
        "found": found,
        "events": found.events.all(),
        "tasks": tasks_open_to(request.user).filter(
            settles__shipment=found.pk, status=Task.Status.OPEN
        ),
        "move": MoveForm(shipment=found, auto_id="id_move_%s")
        if changes and NEXT[found.state]
        else None,
        "link": LinkForm(auto_id="id_link_%s", label_suffix="") if changes and asks else None,
        "opens_run": found.step is not None and run_opens(request.user, found.step.run),
        "may_see_address": may(request.user, ADDRESS) and bool(found.address_token),
    }
    return render(request, "workflows/shipment.html", context | more, status=status)


def _label(request: HttpRequest) -> str:
    me = person_of(request.user)
    return me.work_email if me else request.user.get_username()


@require_POST
@require(CHANGE)
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down where it is now."""
    found = get_object_or_404(_rows(), pk=pk)
    form = MoveForm(request.POST, shipment=found, auto_id="id_move_%s")
    if not form.is_valid():
        return _page(request, found, status=422, move=form)
    try:
        shipment_move(
            pk, form.cleaned_data["to"], text=form.cleaned_data["text"],
            tracking=form.cleaned_data["tracking"], by_label=_label(request), now=clock.now(),
            actor=request.user,
        )  # fmt: skip
    except ShipmentRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "Noted.")
    return redirect("shipment", pk=pk)


@require_POST
@require(CHANGE)
def ask_address(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail the private form; for a return an address is asked for from now on."""
    found = get_object_or_404(_rows(), pk=pk)
    form = LinkForm(request.POST, auto_id="id_link_%s", label_suffix="")
    if not form.is_valid():
        return _page(request, found, status=422, link=form)
    reached = reachable_address_of(found.person, now=clock.now())
    to = form.cleaned_data["to"] or (reached.to if reached else "")
    if not to:
        form.add_error("to", "No address of theirs is known: enter one.")
        return _page(request, found, status=422, link=form)
    try:
        sent = link_send(
            found, to=to, by_label=_label(request), now=clock.now(),
            actor=request.user,
        )  # fmt: skip
    except ShipmentRefusedError as error:
        messages.error(request, str(error))
    else:
        if sent:
            messages.success(request, "The form is on its way.")
        else:
            messages.error(request, "The mail could not be sent; see Integrations and try again.")
    return redirect("shipment", pk=pk)


@require_POST
@require(SEE, ADDRESS)
def show_address(request: HttpRequest, pk: int) -> HttpResponse:
    """The delivery address, once per press; who looked is kept in the activity log."""
    found = get_object_or_404(_rows(), pk=pk)
    try:
        address = found.get_address()
    except DecryptionError as error:
        messages.error(request, str(error))
        return redirect("shipment", pk=pk)
    if not address:
        messages.error(request, "The address has been erased, or was never given.")
        return redirect("shipment", pk=pk)
    record(
        "shipment.address_seen",
        actor=request.user,
        object_type="shipment",
        object_key=str(pk),
        object_label=found.bundle_name,
    )
    names = dict(countries())
    lines = [
        address.get("name", ""),
        address.get("line1", ""),
        address.get("line2", ""),
        f"{address.get('postcode', '')} {address.get('city', '')}".strip(),
        address.get("region", ""),
        names.get(address.get("country", ""), address.get("country", "")),
        address.get("phone", ""),
    ]
    answer = _page(request, found, address=[line for line in lines if line])
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_GET
@require("integrations.view_bundle", SEE)
def bundles(request: HttpRequest) -> HttpResponse:
    """Every bundle, for whom it is and how it is shipped."""
    types = dict(EmploymentType.objects.values_list("key", "name"))
    places = dict(countries())
    rows = [
        {"bundle": item, "words": bundle_words(item, types, places)}
        for item in Bundle.objects.select_related("connection")
    ]
    return render(request, "workflows/bundles.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require("integrations.add_bundle")
def bundle_new(request: HttpRequest) -> HttpResponse:
    """A new bundle."""
    return _bundle(request, None)


@require_http_methods(["GET", "POST"])
@require("integrations.change_bundle")
def bundle_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a bundle; what is on its way keeps what it holds."""
    return _bundle(request, get_object_or_404(Bundle, key=key))


def _bundle(request: HttpRequest, bundle: Bundle | None) -> HttpResponse:
    form = BundleForm(request.POST if request.method == "POST" else None, bundle=bundle)
    if request.method == "POST" and form.is_valid():
        try:
            saved = bundle_save(bundle, form.data_of(bundle), actor=request.user)
        except BundleRefusedError as error:
            form.add_error("key", str(error))
        else:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("bundles")
    status = 422 if form.errors else 200
    context = {"form": form, "bundle": bundle}
    return render(request, "workflows/bundle_edit.html", context, status=status)
