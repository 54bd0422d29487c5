"""Connect an outside system, change its settings, test it, disconnect it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.connectors.base import CONNECTORS
from integrations.erasing import connection_erase, disconnect_consequences
from integrations.errors import IntegrationError
from integrations.forms import ConnectionForm, DisconnectForm
from integrations.models import Connection
from integrations.people_sources import brings_people
from integrations.replacing import connection_replace
from integrations.services import connection_disconnect, connection_save, connection_test
from integrations.setup_views import authorize_and_read
from integrations.subscriptions import webhook_remove
from siit_remote.access import require
from siit_remote.confirming import confirm_asked, confirm_first

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from integrations.connectors.base import Connector


SOURCES = "HRIS"
"""Category of connectors that people come from: their set-up has a review."""


def _free_key(wanted: str) -> str:
    """The connector's own key, else with the first free number."""
    taken = set(Connection.objects.values_list("key", flat=True))
    number = 2
    key = wanted
    while key in taken:
        key, number = f"{wanted}-{number}", number + 1
    return key


def _say(request: HttpRequest, connection: Connection, problems: tuple[str, ...]) -> None:
    """How the test went, in words."""
    if connection.status == Connection.Status.NEEDS_ATTENTION:
        messages.error(request, f"{connection.name} does not work: {connection.last_error}")
        return
    messages.success(request, f"{connection.name} works.")
    for problem in problems:
        messages.warning(request, problem)


def _edit(
    request: HttpRequest, *, connector: Connector, key: str, connection: Connection | None
) -> HttpResponse:
    form = ConnectionForm(
        request.POST if request.method == "POST" else None,
        connector=connector,
        config=connection.config if connection else {},
        stored_secrets=bool(connection and connection.secrets_token),
        initial={"name": connection.name if connection else connector.label},
    )
    if request.method == "POST" and form.is_valid():
        actor = cast("AbstractBaseUser", request.user)
        try:
            if connection is not None and connection.finished_at and brings_people(connection):
                return _replace(request, form, connection)
            saved = connection_save(
                key=key,
                connector=connector.key,
                name=form.cleaned_data["name"],
                config=form.config(),
                secrets=form.secrets(),
                actor=actor,
            )
        except IntegrationError as error:
            form.add_error(None, error.message)
        else:
            if brings_people(saved) and saved.finished_at is None:
                authorize_and_read(saved, actor=actor)
                return redirect("connection-review", key=saved.key)
            _say(request, saved, connection_test(saved, actor=actor).problems)
            return redirect("connection", key=saved.key)
    context: dict[str, Any] = {"form": form, "connector": connector, "connection": connection}
    context["tab"] = "settings"
    return render(request, "integrations/settings.html", context)


def _replace(request: HttpRequest, form: ConnectionForm, connection: Connection) -> HttpResponse:
    """Change a source in use: what does not work, or is another company's, is not stored."""
    result = connection_replace(
        connection,
        name=form.cleaned_data["name"],
        config=form.config(),
        secrets=form.secrets(),
        actor=cast("AbstractBaseUser", request.user),
    )
    connection.refresh_from_db()
    _say(request, connection, result.problems)
    return redirect("connection", key=connection.key)


@require_http_methods(["GET", "POST"])
@require("integrations.add_connection")
def connect(request: HttpRequest, connector: str) -> HttpResponse:
    """Make a connection from a connector of the catalogue, and test it."""
    kind = CONNECTORS.get(connector)
    if kind is None:
        raise Http404
    if kind.category == SOURCES and request.method == "GET" and (begun := _begun(kind.key)):
        return redirect("connection-review", key=begun.key)
    if asked := confirm_asked(request, doing="connect", secrets=True):
        return asked
    return _edit(request, connector=kind, key=_free_key(kind.key), connection=None)


def _begun(connector: str) -> Connection | None:
    """A set-up that was begun and left: it is resumed rather than begun twice."""
    rows = Connection.objects.filter(connector=connector, finished_at__isnull=True)
    return rows.exclude(status=Connection.Status.DISCONNECTED).first()


@require_http_methods(["GET", "POST"])
@require("integrations.change_connection")
@confirm_first("secret", secrets=True)
def connection_settings(request: HttpRequest, key: str) -> HttpResponse:
    """Change a connection's settings or secret, and test it."""
    found = get_object_or_404(Connection, key=key)
    kind = CONNECTORS.get(found.connector)
    if kind is None:
        raise Http404
    return _edit(request, connector=kind, key=key, connection=found)


@require_POST
@require("integrations.change_connection")
def connection_test_now(request: HttpRequest, key: str) -> HttpResponse:
    """Test now."""
    found = get_object_or_404(Connection, key=key)
    result = connection_test(found, actor=cast("AbstractBaseUser", request.user))
    _say(request, found, result.problems)
    return redirect("connection", key=key)


@require_http_methods(["GET", "POST"])
@require("integrations.change_connection")
@confirm_first("disconnect")
def disconnect(request: HttpRequest, key: str) -> HttpResponse:
    """Say what happens, then forget the secrets and stop using it; erase only by choice."""
    found = get_object_or_404(Connection, key=key)
    actor = cast("AbstractBaseUser", request.user)
    form = DisconnectForm(request.POST or None, wanted=found.name)
    if request.method == "POST" and form.is_valid():
        if problem := webhook_remove(found, actor=actor):
            messages.warning(request, problem)
        if form.cleaned_data["records"] == DisconnectForm.ERASE:
            erased = connection_erase(found, actor=actor)
            done = f"{found.name} is disconnected, and {erased} records it sent were erased."
        else:
            connection_disconnect(found, actor=actor)
            done = f"{found.name} is disconnected. Its secrets were deleted here."
        messages.success(request, done)
        return redirect("connection", key=key)
    context = {
        "connection": found,
        "form": form,
        "consequences": disconnect_consequences(found),
        "tab": "settings",
    }
    return render(request, "integrations/disconnect.html", context)
