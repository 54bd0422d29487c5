"""Texts that admins write: their names, their variants, their values.

Names are checked when a template is saved; a value that is missing renders as nothing. Templates
see scalars, never a model, and a birthday without its year.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from liquid.exceptions import LiquidError

from people.fields_registry import custom_words
from workflows.problems import Problem, did_you_mean
from workflows.templating import TemplateProblemError, filter_names, parsed, render, within_limit

__all__ = [
    "Rendered",
    "TemplateProblemError",
    "message_context",
    "render",
    "render_message",
    "source_problems",
    "template_problems",
    "variant_for",
]

if TYPE_CHECKING:
    from people.models import Person
    from workflows.models import Request, Run

MAX_SOURCE = 20_000
_PERSON = (
    *("full_name", "preferred_name", "work_email", "job_title", "team", "country", "legal_entity"),
    *("worker_type", "employment_type", "start_date", "end_date", "birthday", "custom"),
)
_MADE = (("request", "form"), ("person", "custom"))
"""What has parts that somebody made: request.form.NAME, person.custom.NAME."""
NAMES: dict[str, tuple[str, ...]] = {
    "person": _PERSON,
    "manager": ("full_name", "preferred_name", "work_email", "job_title"),
    "run": ("id", "anchor", "due_at"),
    "request": ("id", "service", "requester", "status", "form"),
    "workflow": ("key", "name", "owner"),
}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One message, ready for its channel."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake in a text, and where it stands; line and column count from 1, 0: not known."""

    message: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        """With its place in front."""
        return (
            f"Line {self.line}, column {self.column}: {self.message}"
            if self.line
            else (self.message)
        )


Own = Mapping[str, tuple[str, ...]]
"""Names that are known at one place only, with their parts."""


def source_problems(source: object, path: str, *, own: Own | None = None) -> list[Problem]:
    """What is wrong with one text: no text, too long, broken, or an unknown name."""
    if not isinstance(source, str):
        return [Problem(path, "Expected text.")]
    if len(source) > MAX_SOURCE:
        return [Problem(path, f"Longer than {MAX_SOURCE} characters.")]
    return [Problem(path, str(fault)) for fault in source_faults(source, own=own)]


def source_faults(source: str, *, own: Own | None = None) -> list[Fault]:
    """Every mistake in a text, in reading order."""
    try:
        found = parsed(source).analyze()
    except (LiquidError, RecursionError) as error:
        return [_unreadable(error)]
    known = filter_names()
    faults = [
        _fault(f"Unknown filter {name}.{did_you_mean(name, known)}", source, span.index)
        for name, spans in found.filters.items()
        if name not in known
        for span in spans
    ]
    for references in found.globals.values():
        for reference in references:
            segments = [str(part) for part in reference.segments]
            known_here = tuple(segments[1:]) in {
                (part,) for part in (own or {}).get(segments[0], ())
            }
            wrong = "" if known_here else _name_problem(segments)
            if wrong:
                faults.append(_fault(wrong, source, reference.span.index))
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def _fault(message: str, source: str, index: int) -> Fault:
    before = source[:index]
    line = before.count("\n") + 1
    return Fault(message=message, line=line, column=index - (before.rfind("\n") + 1) + 1)


def _unreadable(error: Exception) -> Fault:
    words = error.message if isinstance(error, LiquidError) else "it is nested too deep"
    # The parser shows its token where it knows no place.
    words = str(words).partition(" Token(")[0][:200].replace("end of expression", "the end")
    place = error.context() if isinstance(error, LiquidError) else None
    line, column = (place[0], place[1] + 1) if place else (0, 0)
    return Fault(message=f"The placeholder cannot be read: {words}.", line=line, column=column)


def _name_problem(segments: Sequence[str]) -> str:
    root, rest = segments[0], segments[1:]
    shown = ".".join(segments)
    if root not in NAMES:
        return f"Unknown name {shown}.{did_you_mean(root, NAMES)}"
    if not rest:
        return f"{root} is no value; write {root}.{NAMES[root][0]}."
    if rest[0] not in NAMES[root]:
        known = [f"{root}.{name}" for name in NAMES[root]]
        return f"Unknown name {shown}.{did_you_mean(shown, known)}"
    if rest == ["custom"] and root == "person":
        return f"{shown} is no value; write {shown}.KEY of a custom field."
    if len(rest) > 1 and (root, rest[0]) not in _MADE:
        return f"{root}.{rest[0]} has no parts."
    return ""


def template_problems(variants: Sequence[Any]) -> list[Problem]:
    """Everything wrong with the variants of a template, by place."""
    problems: list[Problem] = []
    if not variants:
        return [Problem("variants", "A template needs at least one variant.")]
    allowed = ("language", "country", "default", "subject", "body")
    for index, variant in enumerate(variants):
        path = f"variants[{index}]"
        if not isinstance(variant, Mapping):
            problems.append(Problem(path, "Expected subject and body."))
            continue
        problems += [
            Problem(f"{path}.{key}", f'Unknown key "{key}".{did_you_mean(str(key), allowed)}')
            for key in variant
            if key not in allowed
        ]
        problems += source_problems(variant.get("subject", ""), f"{path}.subject")
        problems += source_problems(variant.get("body"), f"{path}.body")
    if not any(isinstance(item, Mapping) and item.get("default") for item in variants):
        problems.append(Problem("variants", "One variant must be the default.", "warning"))
    return problems


def variant_for(variants: Sequence[Mapping[str, Any]], person: Person) -> Mapping[str, Any]:
    """By language, then country, then the default, then the first.

    Of several in one language, the one of the person's country wins, then one for any country.
    """
    language = person.language or (person.legal_entity.language if person.legal_entity else "")
    country = person.country
    spoken = _in_language(variants, language) or _in_language(variants, language.partition("-")[0])
    if spoken:
        ranked = sorted(spoken, key=lambda item: _distance(item, country))
        return ranked[0]
    for item in variants:
        if country and item.get("country") == country:
            return item
    return next((item for item in variants if item.get("default")), variants[0])


def _in_language(variants: Sequence[Mapping[str, Any]], language: str) -> list[Mapping[str, Any]]:
    wanted = language.casefold()
    return [
        item for item in variants if wanted and str(item.get("language") or "").casefold() == wanted
    ]


def _distance(variant: Mapping[str, Any], country: str) -> int:
    own = variant.get("country")
    return 0 if own and own == country else 1 if not own else 2


def render_message(subject: str, body: str, context: Mapping[str, Any]) -> Rendered:
    """Subject, plain text and HTML of one message. Slack escapes the plain text itself."""
    as_html = within_limit(render(body, context, "html").replace("\n", "<br>\n"))
    return Rendered(
        subject=render(subject, context, "header"),
        text=render(body, context, "text"),
        html=f"<p>{as_html}</p>",
    )


def _date_words(day: date | None) -> str:
    return f"{day:%-d %B %Y}" if day else ""


def message_context(
    person: Person, *, run: Run | None = None, request: Request | None = None
) -> dict[str, Any]:
    """Scalars only; a birthday comes without its year."""
    manager = person.manager
    birth = person.date_of_birth
    context: dict[str, Any] = {
        "person": {
            "full_name": person.full_name,
            "preferred_name": person.display_name,
            "work_email": person.work_email,
            "job_title": person.job_title,
            "team": person.team.name if person.team else "",
            "country": person.country,
            "legal_entity": person.legal_entity.name if person.legal_entity else "",
            "worker_type": person.get_worker_type_display(),
            "employment_type": person.employment_type,
            "start_date": _date_words(person.start_date),
            "end_date": _date_words(person.end_date),
            "birthday": f"{birth:%-d %B}" if birth else "",
            "custom": custom_words(person) if person.custom else {},
        },
        "manager": {
            "full_name": manager.full_name if manager else "",
            "preferred_name": manager.display_name if manager else "",
            "work_email": manager.work_email if manager else "",
            "job_title": manager.job_title if manager else "",
        },
        "run": {"id": "", "anchor": "", "due_at": ""},
        "workflow": {"key": "", "name": "", "owner": ""},
        "request": {"id": "", "service": "", "requester": "", "status": "", "form": {}},
    }
    if run is not None:
        context["run"] = {
            "id": run.pk,
            "anchor": run.anchor,
            "due_at": f"{run.due_at:%-d %B %Y %H:%M} UTC",
        }
        workflow = run.workflow
        context["workflow"] = {"key": workflow.key, "name": workflow.name, "owner": workflow.owner}
    if request is not None:
        context["request"] = {
            "id": request.pk,
            "service": request.service.name,
            "requester": str(request.requester),
            "status": request.status,
            "form": request.form,
        }
    return context
