"""Mapping of a connected source: see it, rehearse a change, apply it to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from integrations.forms import posted_mapping
from integrations.mapping_page import connection_fields, connection_types
from integrations.models import Connection
from people.identity import fields_hidden_from
from people.models import EmploymentType
from people.type_mapping import (
    MappingPreview,
    MappingRefusedError,
    mapping_apply,
    mapping_now,
    mapping_preview,
)
from siit_remote.access import may, require
from siit_remote.lib import clock

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

_NAMES_SHOWN = 200


@require_http_methods(["GET", "POST"])
@require("integrations.view_connection", "people.view_workertypemapping")
def mapping(request: HttpRequest, key: str) -> HttpResponse:
    """How fields and worker types are mapped; a POST shows whom another mapping would change."""
    found = get_object_or_404(Connection, key=key, finished_at__isnull=False)
    preview = None
    if request.method == "POST" and may(request.user, "people.change_workertypemapping"):
        preview = mapping_preview(
            posted_mapping(request.POST),
            new_type=request.POST.get("new_type", ""),
            now=clock.now(),
        )
    return render(request, "integrations/mapping.html", _context(request, found, preview))


def _context(
    request: HttpRequest, connection: Connection, preview: MappingPreview | None
) -> dict[str, object]:
    types = dict(EmploymentType.objects.values_list("key", "name"))
    chosen = preview.mapping if preview else mapping_now()
    return {
        "connection": connection,
        "tab": "mapping",
        "type_rows": connection_types(connection, mapping=chosen),
        "types": preview.types if preview else types,
        "fields": connection_fields(connection, hidden=fields_hidden_from(request.user)),
        "preview": preview,
        "new_type": request.POST.get("new_type", "") if preview else "",
        "shown": preview.changes[:_NAMES_SHOWN] if preview else (),
    }


@require_POST
@require("integrations.view_connection", "people.change_workertypemapping")
def mapping_apply_now(request: HttpRequest, key: str) -> HttpResponse:
    """Apply the mapping to exactly the people of the preview."""
    found = get_object_or_404(Connection, key=key, finished_at__isnull=False)
    try:
        done = mapping_apply(
            posted_mapping(request.POST),
            new_type=request.POST.get("new_type", ""),
            fingerprint=request.POST.get("fingerprint", ""),
            actor=cast("AbstractBaseUser", request.user),
            now=clock.now(),
        )
    except MappingRefusedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The mapping is saved. It changed {len(done.changes)} people.")
    return redirect("connection-mapping", key=found.key)
