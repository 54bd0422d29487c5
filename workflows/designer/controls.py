"""What a card shows for each setting: one input, with its words, its value and its errors."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.designer.picks import PICKS, Option, few
from workflows.designer.posted import as_param
from workflows.nodes import APPROVERS
from workflows.params import Param, ParamsForm, in_plain_words, listed
from workflows.problems import Problem


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose."""

    key: str
    label: str
    selected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """One input. `kind` names the template's branch that draws it."""

    kind: str
    name: str
    label: str
    value: str = ""
    choices: tuple[Choice, ...] = ()
    picks: str = ""
    help: str = ""
    errors: tuple[Problem, ...] = ()
    required: bool = False
    inner: tuple[Control, ...] = ()
    redraws: bool = False
    """Whether a new value changes which other inputs there are."""
    free: bool = False
    prefix: str = ""

    @property
    def id(self) -> str:
        """Its id on the page: unique, for `prefix` names the card."""
        return f"{self.prefix}-{self.name}".replace(".", "-").replace("/", "-")


@dataclass(frozen=True, slots=True)
class Link:
    """A problem, the element it leads to, and its words with what it is about."""

    problem: Problem
    element: str
    words: str


@dataclass
class Findings:
    """Problems of a draft by their path, and the element on the page that each leads to."""

    problems: Sequence[Problem] = ()
    places: dict[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)

    def at(self, path: str, element: str) -> tuple[Problem, ...]:
        """Problems of exactly this place."""
        self.places.setdefault(path, element)
        return tuple(item for item in self.problems if item.path == path)

    def under(self, path: str, element: str) -> tuple[Problem, ...]:
        """Problems of this place and all inside it."""
        self.places.setdefault(path, element)
        inside = (f"{path}.", f"{path}[")
        return tuple(
            item for item in self.problems if item.path == path or item.path.startswith(inside)
        )

    def links(self) -> Iterator[Link]:
        """Each problem with the id of the nearest element around its place, and its names."""
        for problem in self.problems:
            element = ""
            words: list[str] = []
            path = problem.path
            while path:
                element = element or self.places.get(path, "")
                if path in self.names:
                    words.insert(0, self.names[path])
                path = path[: max(path.rfind("."), path.rfind("["), 0)]
            where = ", ".join(words)
            text = f"{where}: {problem.message}" if where else problem.message
            yield Link(problem, element or "designer-start", text)


@dataclass(frozen=True, slots=True)
class Drawer:
    """Draws the inputs of one card: `prefix` makes their ids unique on the page."""

    prefix: str
    findings: Findings

    def params(
        self, form: type[ParamsForm], params: Mapping[str, Any], *, name: str, path: str
    ) -> tuple[Control, ...]:
        """An input for every setting of a node."""
        return tuple(
            self.one(
                as_param(form.base_fields[field_name]),
                params.get(key),
                name=f"{name}.{key}",
                path=f"{path}.{key}",
                key=key,
            )
            for key, field_name in form.names().items()
        )

    def one(self, param: Param, value: Any, *, name: str, path: str, key: str = "") -> Control:
        """The input of one setting."""
        base: dict[str, Any] = {
            "name": name,
            "prefix": self.prefix,
            "label": str(param.label or in_plain_words(key)),
            "help": str(param.help_text or ""),
            "required": param.required,
        }
        element = Control(kind="", **base).id
        self.findings.names.setdefault(path, base["label"])
        kind = param.control
        if kind == "parts":
            return self._parts(param, value, base, path, element)
        if kind == "approver":
            return self.approver(value, base, path, element)
        if kind == "stages":
            return self._stages(value, base, path, element)
        base["errors"] = self.findings.under(path, element)
        shown = param.shown(value)
        if kind in ("keys", "checks"):
            return _several(param, shown, base)
        if kind == "checkbox":
            return Control(kind=kind, value="true" if shown else "", **base)
        text = shown[0] if shown else ""
        if kind == "select":
            options = [Option(*pair) for pair in param.options()]
            default = getattr(param, "default", "")
            return Control(kind=kind, choices=_chosen(options, text, blank=not default), **base)
        if param.picks:
            return _picked(param, text, base)
        return Control(kind=kind, value=text, **base)

    def _parts(
        self, param: Param, value: Any, base: dict[str, Any], path: str, element: str
    ) -> Control:
        stored = value if isinstance(value, Mapping) else {}
        inner = tuple(
            self.one(
                part, stored.get(key), name=f"{base['name']}.{key}", path=f"{path}.{key}", key=key
            )
            for key, part in param.parts.items()  # type: ignore[attr-defined]
        )
        return Control(kind="parts", inner=inner, errors=self.findings.at(path, element), **base)

    def approver(self, value: Any, base: dict[str, Any], path: str, element: str) -> Control:
        """Who is asked: the type, and what that type has to be told."""
        spec = value if isinstance(value, Mapping) else {}
        kind = str(spec.get("type") or "")
        approver = APPROVERS.get(kind)
        inner: tuple[Control, ...] = ()
        if approver is not None:
            own = {key: item for key, item in spec.items() if key != "type"}
            inner = self.params(approver.Params, own, name=base["name"], path=path)
        options = [Option(item.key, item.label) for item in APPROVERS]
        errors = (
            *self.findings.at(path, f"{element}-type"),
            *self.findings.at(f"{path}.type", f"{element}-type"),
        )
        return Control(
            kind="approver",
            choices=_chosen(options, kind, blank=True),
            inner=inner,
            errors=errors,
            redraws=True,
            **base,
        )

    def _stages(self, value: Any, base: dict[str, Any], path: str, element: str) -> Control:
        inner = []
        for index, stage in enumerate(listed(value)):
            nested = isinstance(stage, Mapping) and "approver" in stage
            here = f"{path}[{index}]"
            names = base | {
                "name": f"{base['name']}.{index}",
                "label": f"Then also {index + 2}",
                "required": False,
                "help": "",
            }
            inner.append(
                self.approver(
                    stage["approver"] if nested else stage,
                    names,
                    f"{here}.approver" if nested else here,
                    f"{element}-{index}",
                )
            )
        errors = self.findings.at(path, element)
        return Control(kind="stages", inner=tuple(inner), errors=errors, **base)


def _chosen(options: Iterable[Option], text: str, *, blank: bool) -> tuple[Choice, ...]:
    """Options with the chosen one marked; an unknown value stays to be seen."""
    choices = [Choice(item.key, item.label, item.key == text) for item in options]
    if text and not any(item.selected for item in choices):
        choices.insert(0, Choice(text, f"{text} (not known here)", True))
    return (Choice("", "Choose …", not text), *choices) if blank else tuple(choices)


def _picked(param: Param, text: str, base: dict[str, Any]) -> Control:
    """A thing chosen by name: a plain choice where there are few, else a search."""
    options = few(param.picks)
    if options is not None:
        choices = _chosen(options, text, blank=True)
        if not param.required:
            choices = (Choice("", "None named", not text), *choices[1:])
        return Control(kind="select", choices=choices, picks=param.picks, **base)
    label = PICKS[param.picks].labels([text]).get(text, text) if text else ""
    return Control(
        kind="pick", value=label, picks=param.picks, free=PICKS[param.picks].free, **base
    )


def _several(param: Param, shown: list[str], base: dict[str, Any]) -> Control:
    """Several keys: some to tick, or those chosen and one more to add."""
    word = getattr(param, "word", "")
    known = [Option(*pair) for pair in param.options()]
    if param.picks and not known:
        known = few(param.picks) or []
    if known and len(known) <= _TICKED:
        keys = {item.key for item in known}
        strangers = [
            Option(key, f"{key} (not known here)")
            for key in shown
            if key not in keys and key != word
        ]
        choices = tuple(
            Choice(item.key, item.label, item.key in shown) for item in [*known, *strangers]
        )
        kind = "checks"
    else:
        labels = PICKS[param.picks].labels(shown) if param.picks else {}
        choices = tuple(Choice(key, labels.get(key, key), True) for key in shown if key != word)
        kind = "keys"
    return Control(
        kind=kind,
        choices=choices,
        value=word if word and shown == [word] else "",
        free=bool(word),
        picks=param.picks,
        redraws=kind == "keys",
        **base,
    )


_TICKED = 12
