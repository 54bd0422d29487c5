"""Connect a source of people: authorize, read, review, finish. Left at any point, resumed later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.authorization import trouble_of
from integrations.connectors.base import CONNECTORS
from integrations.errors import ConfigError
from integrations.forms import ConnectionForm, posted_mapping
from integrations.models import Connection
from integrations.people_sources import brings_people
from integrations.services import connection_save, connection_test, connector_of
from integrations.setup_mapping import review_mapping_set
from integrations.setup_page import (
    UNFINISHED,
    field_notes,
    mapped_fields,
    numbers_of,
    skipped_groups,
    stage_of,
    steps_at,
    type_rows,
)
from integrations.setup_review import review_accept, review_of, review_request
from integrations.sync_lease import SyncRefusedError
from people.identity import fields_hidden_from
from siit_remote.access import require
from siit_remote.confirming import confirm_asked
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from integrations.models import SyncRun

_PAGE = 25
_LIVE = ("waiting", "reading", "judging", "finishing")


def _unfinished(key: str) -> Connection:
    return get_object_or_404(Connection, key=key, finished_at__isnull=True)


def _actor(request: HttpRequest) -> AbstractBaseUser:
    return cast("AbstractBaseUser", request.user)


@require_http_methods(["GET", "POST"])
@require("integrations.change_connection")
def setup(request: HttpRequest, key: str) -> HttpResponse:
    """The wizard, where it stands now. A POST tries another token."""
    connection = get_object_or_404(Connection, key=key)
    review = review_of(connection)
    stage = stage_of(connection, review, now=clock.now())
    if CONNECTORS.get(connection.connector) is None or not brings_people(connection):
        raise Http404
    if request.method == "POST" or stage == "token":
        asked = confirm_asked(request, doing="connect", secrets=True)
        if asked is not None:
            return asked
    if request.method == "POST":
        return _authorize(request, connection)
    if request.headers.get("HX-Request") == "true":
        return _progress(request, connection, review, stage)
    context: dict[str, Any] = {
        "connection": connection,
        "connector": connector_of(connection),
        "review": review,
        "stage": stage,
        "steps": steps_at(stage),
        "trouble": trouble_of(connection),
        "twin": _twin(connection),
    }
    if stage == "token":
        context["form"] = _form(connection)
    elif stage == "review" and review is not None:
        context.update(_review_context(request, connection, review))
    return render(request, "integrations/setup/page.html", context)


def _form(connection: Connection, data: Any = None) -> ConnectionForm:
    return ConnectionForm(
        data,
        connector=connector_of(connection),
        config=connection.config,
        stored_secrets=bool(connection.secrets_token),
        initial={"name": connection.name},
    )


def _authorize(request: HttpRequest, connection: Connection) -> HttpResponse:
    """Save what was entered, test it, and begin to read when it works."""
    if connection.finished_at is not None:
        return redirect("connection-settings", key=connection.key)
    form = _form(connection, request.POST)
    if form.is_valid():
        try:
            connection_save(
                key=connection.key,
                connector=connection.connector,
                name=form.cleaned_data["name"],
                config=form.config(),
                secrets=form.secrets(),
                actor=_actor(request),
            )
        except ConfigError as error:
            form.add_error(None, error.message)
        else:
            connection.refresh_from_db()
            authorize_and_read(connection, actor=_actor(request))
            return redirect("connection-review", key=connection.key)
    context = {
        "connection": connection,
        "connector": connector_of(connection),
        "stage": "token",
        "steps": steps_at("token"),
        "form": form,
    }
    return render(request, "integrations/setup/page.html", context)


def authorize_and_read(connection: Connection, *, actor: AbstractBaseUser) -> None:
    """Test the connection; when it works, begin to read everybody for the review."""
    connection_test(connection, actor=actor)
    if connection.status in UNFINISHED:
        review_request(connection, actor=actor)


def _twin(connection: Connection) -> Connection | None:
    """Another connection to the same company, which would deliver everybody twice."""
    company = connection.account.get("company_id")
    if not company:
        return None
    others = Connection.objects.exclude(pk=connection.pk).filter(connector=connection.connector)
    others = others.exclude(status=Connection.Status.DISCONNECTED)
    return next((row for row in others if row.account.get("company_id") == company), None)


def _progress(
    request: HttpRequest, connection: Connection, review: SyncRun | None, stage: str
) -> HttpResponse:
    if stage not in _LIVE:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = {"connection": connection, "review": review, "stage": stage}
    return render(request, "integrations/setup/progress.html", context)


def _review_context(
    request: HttpRequest, connection: Connection, review: SyncRun
) -> dict[str, Any]:
    content = review.review
    summary = content["summary"]
    coming, lacking = numbers_of(summary)
    hidden = fields_hidden_from(request.user)
    page = Paginator(summary["people"], _PAGE).get_page(request.GET.get("page"))
    for row in page.object_list:
        row["employment_words"] = content["types"].get(row["employment_type"], "")
    return {
        "content": content,
        "summary": summary,
        "coming": coming,
        "lacking": lacking,
        "skipped": skipped_groups(summary["skipped"]),
        "page": page,
        "types": content["types"],
        "type_rows": type_rows(summary["worker_types"], mapping=content["mapping"]),
        "fields": mapped_fields(
            summary["fields"],
            total=summary["counts"]["people"],
            notes=field_notes(connection),
            hidden=hidden,
        ),
    }


@require_POST
@require("integrations.change_connection")
def read_again(request: HttpRequest, key: str) -> HttpResponse:
    """Read everybody again for the review."""
    connection = _unfinished(key)
    if connection.status not in UNFINISHED:
        messages.error(request, f"{connection.name} is not authorized yet.")
    else:
        review_request(connection, actor=_actor(request))
    return redirect("connection-review", key=key)


@require_POST
@require("integrations.change_connection", "people.change_workertypemapping")
def review_mapping(request: HttpRequest, key: str) -> HttpResponse:
    """Change Worker Type → Employment Type in the review, which is then judged again."""
    connection = _unfinished(key)
    review = review_of(connection)
    if review is None:
        raise Http404
    try:
        done = review_mapping_set(
            review,
            mapping=posted_mapping(request.POST),
            new_type=request.POST.get("new_type", ""),
            now=clock.now(),
        )
    except SyncRefusedError as error:
        messages.error(request, str(error))
    else:
        if done:
            words = "The review follows the mapping now. Nothing is imported yet."
            messages.success(request, words)
    return redirect("connection-review", key=key)


@require_POST
@require("integrations.change_connection")
def finish(request: HttpRequest, key: str) -> HttpResponse:
    """Import exactly what the review shows, in the background."""
    connection = _unfinished(key)
    review = review_of(connection)
    if review is None:
        messages.error(request, "There is nothing to finish yet: people are read first.")
        return redirect("connection-review", key=key)
    try:
        review_accept(
            review,
            fingerprint=request.POST.get("fingerprint", ""),
            actor=_actor(request),
            now=clock.now(),
        )
    except SyncRefusedError as error:
        messages.error(request, str(error))
    return redirect("connection-review", key=key)
