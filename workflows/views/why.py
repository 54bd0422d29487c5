"""Why a workflow ran for somebody, or why not: one address to share for any moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from people.history import sources_as_of
from people.identity import fields_hidden_from
from people.models import Person
from people.selectors import people_visible_to, person_by_email, search, timezone_of
from siit_remote.lib import clock
from workflows.conditions.masking import data_with_sources
from workflows.engine.why import Why, why
from workflows.models import Workflow
from workflows.problems import DocumentError
from workflows.timing import zone_of
from workflows.views.rights import right_on

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

_FOUND = 20
TONES = {
    "ran": ("circle-check", "success"),
    "running": ("circle-play", "success"),
    "will_run": ("calendar-check", "success"),
    "due": ("clock", "success"),
    "held": ("hand", "warning"),
    "cannot_tell": ("circle-help", "warning"),
}
"""Icon and colour of an answer; everything else is a plain no."""
VERDICTS = {
    "not_matched": "Did not match",
    "cannot_tell": "Could not be told",
    "left": "The person had left",
    "judged": "Too late",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What was asked: about whom, and which moment (UTC); ``problem`` where it cannot be read."""

    person: Person | None
    at: datetime
    day: date | None = None
    problem: str = ""


def person_asked(user: AbstractBaseUser | AnonymousUser, text: str) -> Person | None:
    """The person of that id or work e-mail, if ``user`` may see them."""
    visible = people_visible_to(user).select_related("legal_entity", "team")
    if text.isascii() and text.isdigit() and len(text) < 12:
        return visible.filter(pk=int(text)).first()
    found = person_by_email(text) if "@" in text else None
    return visible.filter(pk=found.pk).first() if found else None


def moment_asked(text: str, zone: str, *, now: datetime) -> tuple[datetime, date | None] | None:
    """A day (its end in ``zone``; today is now) or a moment, in UTC; ``None`` for anything else."""
    try:
        day = parse_date(text)
        # A plus sign that was not escaped arrives as a space.
        moment = None if day else parse_datetime(text) or parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    here = zone_of(zone)
    if day is not None:
        if day == now.astimezone(here).date():
            return now, day
        end = datetime.combine(day, time(23, 59, 59), tzinfo=here)
        return _within_years(end.astimezone(UTC), now=now, day=day)
    if moment is None:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=here)
    return _within_years(aware.astimezone(UTC), now=now, day=aware.astimezone(here).date())


def _within_years(
    moment: datetime, *, now: datetime, day: date
) -> tuple[datetime, date | None] | None:
    """Nobody plans further than ten years, and dates near the calendar's ends cannot be counted."""
    return (moment, day) if abs(moment - now) < timedelta(days=3660) else None


def _question(request: HttpRequest, *, now: datetime) -> Question:
    person = None
    if text := request.GET.get("person", "").strip():
        person = person_asked(request.user, text)
        if person is None and ("@" in text or text.isdigit()):
            raise Http404
    asked = request.GET.get("at", "").strip()
    if not asked or person is None:
        return Question(person=person, at=now)
    found = moment_asked(asked, timezone_of(person), now=now)
    if found is None:
        words = "That is no date within ten years. Write it as 2026-05-03."
        return Question(person=person, at=now, problem=words)
    return Question(person=person, at=found[0], day=found[1])


def why_address(workflow: Workflow, person: Person, at: datetime | date | None = None) -> str:
    """The path of the page that answers for this person (and moment)."""
    query = {"person": person.work_email}
    if at is not None:
        query["at"] = at.isoformat()
    return f"{reverse('workflow-why', args=[workflow.key])}?{urlencode(query)}"


@require_GET
@right_on("view", "workflows.view_run")
def why_page(request: HttpRequest, key: str) -> HttpResponse:
    """The whole ladder for one person and moment; without a person, whom to ask about."""
    workflow = get_object_or_404(Workflow.objects.select_related("live_version"), key=key)
    now = clock.now()
    question = _question(request, now=now)
    context: dict[str, Any] = {"workflow": workflow, "question": question, "now": now}
    hidden = fields_hidden_from(request.user)
    if question.person is None:
        text = request.GET.get("person", "").strip()
        people = people_visible_to(request.user).select_related("team")
        context |= {
            "query": text,
            "people": search(people, text, hidden=hidden)[: _FOUND + 1] if text else [],
            "most": _FOUND,
        }
        return render(request, "workflows/why_whom.html", context)
    try:
        answer = why(workflow, question.person, at=question.at, now=now, hidden=hidden)
    except DocumentError:
        return render(request, "workflows/why_unreadable.html", context)
    return render(
        request, "workflows/why.html", context | _answer(request, workflow, answer, question)
    )


def _answer(
    request: HttpRequest, workflow: Workflow, answer: Why, question: Question
) -> dict[str, Any]:
    assert question.person is not None  # noqa: S101 - the caller has looked
    person = question.person
    icon, tone = TONES.get(answer.result, ("circle-x", "plain"))
    sources = sources_as_of(person.pk, moment=question.at, present=person.value_sources)
    trace = data_with_sources(answer.trace.to_data(), sources) if answer.trace else {}
    path = why_address(workflow, person, question.day)
    return {
        "person": person,
        "why": answer,
        "trace": trace,
        "icon": icon,
        "tone": tone,
        "refusals": [
            (VERDICTS.get(row.verdict, row.verdict), "" if answer.veiled else row.reason, row)
            for row in answer.refusals
        ],
        "address": request.build_absolute_uri(path),
        "zone": answer.judged.occurrence.timezone if answer.judged else timezone_of(person),
    }
