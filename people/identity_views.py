"""Merge and split by hand, each with what would move and a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from people.identity import fields_hidden_from
from people.merging import (
    MergeError,
    merge_preview,
    person_merge,
    person_split,
    person_unmerge,
)
from people.models import Person, PersonMerge
from people.searching import search
from people.sources import source_names, source_words
from siit_remote.access import require
from siit_remote.lib import clock
from siit_remote.lib.numbers import row_numbers

if TYPE_CHECKING:
    from django.db.models import QuerySet

_FOUND = 20
_RECORDS = 1_000


@require_http_methods(["GET", "POST"])
@require("people.change_person")
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Find the other one, see what moves, give a reason."""
    person = get_object_or_404(Person, pk=pk)
    key = request.POST.get("with") or request.GET.get("with", "")
    others = Person.objects.exclude(pk=person.pk).select_related("team")
    other = others.filter(pk=key).first() if key.isdecimal() else None
    status = 200
    if request.method == "POST" and other is not None:
        try:
            person_merge(
                person,
                other,
                reason=request.POST.get("reason", ""),
                confirmed="confirmed" in request.POST,
                now=clock.now(),
                actor=request.user,
            )
        except MergeError as error:
            messages.error(request, str(error))
            status = 422
        else:
            messages.success(request, f"{other} is {person} now.")
            return redirect("person", pk=person.pk)
    q = request.GET.get("q", "")
    context = {
        "person": person,
        "other": other,
        "preview": merge_preview(person, other) if other is not None else None,
        "reason": request.POST.get("reason", ""),
        "q": q,
        "candidates": _candidates(request, others, person, q) if other is None else [],
    }
    return render(request, "people/merge.html", context, status=status)


def _candidates(
    request: HttpRequest, others: QuerySet[Person], person: Person, q: str
) -> list[Person]:
    """Those who are searched for; at first those with the same name."""
    text = q or person.full_name
    if not text:
        return []
    return list(search(others, text, hidden=fields_hidden_from(request.user))[:_FOUND])


@require_http_methods(["GET", "POST"])
@require("people.change_person")
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the records of the other one, give them an address and a reason."""
    person = get_object_or_404(Person, pk=pk)
    chosen = set(row_numbers(request.POST.getlist("record"), most=_RECORDS))
    status = 200
    if request.method == "POST":
        try:
            new = person_split(
                person,
                records=chosen,
                work_email=request.POST.get("work_email", ""),
                reason=request.POST.get("reason", ""),
                now=clock.now(),
                actor=request.user,
            )
        except MergeError as error:
            messages.error(request, str(error))
            status = 422
        else:
            messages.success(request, f"{new} is a person of their own now.")
            return redirect("person", pk=new.pk)
    names = source_names()
    records: list[dict[str, Any]] = [
        {
            "record": row,
            "source": source_words(row.source, names),
            "name": row.values.get("full_name", ""),
            "email": row.values.get("work_email", ""),
            "start": row.values.get("start_date"),
            "end": row.values.get("end_date"),
            "chosen": row.pk in chosen,
        }
        for row in person.source_records.all()
    ]
    context = {
        "person": person,
        "records": records,
        "work_email": request.POST.get("work_email", ""),
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "people/split.html", context, status=status)


@require_POST
@require("people.change_person")
def unmerge(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a merge back."""
    done = get_object_or_404(PersonMerge.objects.select_related("kept"), pk=pk)
    try:
        back = person_unmerge(
            done, reason=request.POST.get("reason", ""), now=clock.now(), actor=request.user
        )
    except MergeError as error:
        messages.error(request, str(error))
        return redirect("person", pk=done.kept_id)
    messages.success(request, f"{back} is a person of their own again.")
    return redirect("person", pk=back.pk)
