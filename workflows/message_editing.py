"""What the editor of message templates shows: placeholders, a preview per person, who uses them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf.locale import LANG_INFO

from people.countries import country_name
from people.models import CustomField, Person
from workflows.document.parse import parse_document
from workflows.document.shape import ActionStep
from workflows.fields import FIELDS
from workflows.messages import (
    NAMES,
    Rendered,
    TemplateProblemError,
    message_context,
    render_message,
    variant_for,
)
from workflows.models import MessageTemplate, Workflow
from workflows.problems import DocumentError
from workflows.templating import parsed

HIDDEN = "(hidden from you)"
_ROOTS = {
    "person": "The person",
    "manager": "Their manager",
    "workflow": "The workflow",
    "run": "The run",
    "request": "The request",
}
_LABELS = {
    "person.birthday": "Birthday, without the year",
    "person.preferred_name": "Name they go by",
    "manager.preferred_name": "Name they go by",
    "run.anchor": "The date it is about",
    "run.due_at": "When it was due",
    "run.id": "Number of the run",
    "request.id": "Number of the request",
    "request.requester": "Who asks",
}


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One name that a text may hold, and what people call it."""

    name: str
    label: str

    @property
    def source(self) -> str:
        """As it stands in a text."""
        return f"{{{{ {self.name} }}}}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A message as one person would get it."""

    variant: str
    chosen: bool
    rendered: Rendered | None
    problem: str = ""
    empty: tuple[str, ...] = ()


def languages() -> list[tuple[str, str]]:
    """(code, name) of every language, by name."""
    pairs = [(code, str(info["name"])) for code, info in LANG_INFO.items() if info.get("name")]
    return sorted(pairs, key=lambda pair: pair[1])


def language_name(code: str) -> str:
    """What people call a language; the code itself where it is not known."""
    info = LANG_INFO.get(code.casefold(), {})
    return str(info.get("name") or code)


def variant_name(variant: Mapping[str, Any]) -> str:
    """As “French, France” or “Everybody else”."""
    parts = []
    if variant.get("language"):
        parts.append(language_name(str(variant["language"])))
    if variant.get("country"):
        parts.append(country_name(str(variant["country"])))
    if variant.get("default"):
        parts.append("everybody else")
    return ", ".join(parts) or "for nobody in particular"


def placeholders() -> list[tuple[str, list[Placeholder]]]:
    """Every name a text may hold, by what it is about; custom fields by their own names."""
    found = []
    for root, words in _ROOTS.items():
        names = [name for name in NAMES[root] if name not in ("custom", "form")]
        items = [Placeholder(f"{root}.{name}", _label(root, name)) for name in names]
        if root == "person":
            rows = CustomField.objects.filter(enabled=True).values_list("key", "label")
            items += [Placeholder(f"person.custom.{key}", label or key) for key, label in rows]
        found.append((words, items))
    return found


def _label(root: str, name: str) -> str:
    known = _LABELS.get(f"{root}.{name}")
    if known:
        return known
    spec = FIELDS.get(f"person.{name}") if root in ("person", "manager") else None
    return spec.label if spec else name.replace("_", " ").capitalize()


def message_shown(
    variants: Sequence[Mapping[str, Any]],
    person: Person,
    *,
    which: int | None,
    hidden: frozenset[str],
    now: datetime,
) -> Shown | None:
    """The message for one person: their own variant, or number ``which``. None without a variant.

    ``hidden`` fields of the person are named as hidden instead of shown.
    """
    if not variants:
        return None
    own = variant_for(variants, person)
    variant = variants[which] if which is not None and which < len(variants) else own
    context = _veiled(message_context(person), hidden) | _samples(now)
    subject, body = str(variant.get("subject") or ""), str(variant.get("body") or "")
    name = variant_name(variant)
    try:
        rendered = render_message(subject, body, context)
    except TemplateProblemError as error:
        return Shown(variant=name, chosen=variant is own, rendered=None, problem=str(error))
    empty = tuple(dict.fromkeys(_empty([subject, body], context)))
    return Shown(variant=name, chosen=variant is own, rendered=rendered, empty=empty)


def _samples(now: datetime) -> dict[str, Any]:
    """What only a run knows, in words that say so."""
    return {
        "run": {"id": "1", "anchor": "", "due_at": f"{now:%-d %B %Y %H:%M} UTC"},
        "workflow": {"key": "", "name": "(name of the workflow)", "owner": "(its owner)"},
        "request": {
            "id": "1",
            "service": "(the service asked for)",
            "requester": "(who asks)",
            "status": "(its status)",
            "form": {},
        },
    }


_FROM_FIELD = {"birthday": "date_of_birth"}


def _veiled(context: dict[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    person = {
        name: HIDDEN if _FROM_FIELD.get(name, name) in hidden and value else value
        for name, value in context["person"].items()
    }
    custom = person["custom"] if isinstance(person["custom"], Mapping) else {}
    person["custom"] = {
        name: HIDDEN if f"custom.{name}" in hidden else value for name, value in custom.items()
    }
    return context | {"person": person}


def _empty(sources: Sequence[str], context: Mapping[str, Any]) -> Iterator[str]:
    """Names in the texts that have no value for this person."""
    for source in sources:
        for references in parsed(source).analyze().globals.values():
            for reference in references:
                value: Any = context
                for part in reference.segments:
                    value = value.get(str(part), "") if isinstance(value, Mapping) else ""
                if value == "":
                    yield ".".join(str(part) for part in reference.segments)


def message_template_uses(key: str) -> list[Workflow]:
    """Workflows, live or in a draft, of which a step sends the template."""
    rows = Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).select_related("live_version")
    return [row for row in rows if key in _named(row)]


def _named(workflow: Workflow) -> set[str]:
    live = workflow.live_version
    return {
        key
        for data in ([live.document] if live else []) + [workflow.draft]
        for key in _templates(data)
    }


def _templates(data: Any) -> Iterator[str]:
    try:
        document = parse_document(data)
    except DocumentError:
        return
    for _, step in document.walk():
        if isinstance(step, ActionStep) and step.params.get("template"):
            yield str(step.params["template"])


def uses_by_template() -> dict[str, list[Workflow]]:
    """Key of a template → the workflows that send it."""
    found: dict[str, list[Workflow]] = {}
    rows = Workflow.objects.exclude(status=Workflow.Status.ARCHIVED).select_related("live_version")
    for row in rows:
        for key in _named(row):
            found.setdefault(key, []).append(row)
    return found


def template_key_unused(base: str) -> str:
    """``base``, or with a number where a template has that key already."""
    key, number = base or "message", 1
    # The words that stand in addresses of their own are no keys.
    while key in ("new", "preview") or MessageTemplate.objects.filter(key=key).exists():
        number += 1
        key = f"{(base or 'message')[:55]}-{number}"
    return key
