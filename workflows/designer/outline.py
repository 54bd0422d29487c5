"""The draft as the page shows it: cards with their inputs, their errors and their sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from workflows.designer.cards import LIMITS
from workflows.designer.conditions import conditions_card
from workflows.designer.controls import Choice, Control, Drawer, Findings
from workflows.designer.forms import (
    AboutForm,
    BranchForm,
    LaneForm,
    StepForm,
    TimingForm,
    WaitForForm,
    WaitForm,
    WaitUntilForm,
)
from workflows.designer.posted import as_param
from workflows.designer.shown import LaneCard, Outline, StepCard
from workflows.designer.steps import LANE_WORDS
from workflows.designer.subjects import subjects_for
from workflows.document.describe import describe_step, describe_trigger
from workflows.document.shape import (
    OUTCOMES_OF,
    ActionStep,
    BranchStep,
    Step,
    WaitFor,
    WaitStep,
    WorkflowDocument,
    inner_steps,
)
from workflows.document.timing import COMMON_PARAMS, own_params
from workflows.document.validate import Vocabulary
from workflows.nodes import ACTIONS, TRIGGERS
from workflows.problems import Problem


def outline(
    document: WorkflowDocument, problems: Sequence[Problem], vocabulary: Vocabulary
) -> Outline:
    """Everything the page shows of a draft."""
    return _Builder(document, Findings(problems), vocabulary).build()


class _Builder:
    def __init__(
        self, document: WorkflowDocument, findings: Findings, vocabulary: Vocabulary
    ) -> None:
        self.document, self.findings, self.vocabulary = document, findings, vocabulary
        self.subjects = subjects_for(document)
        self.places = list(_places(document))

    def build(self) -> Outline:
        """All cards, then the problems with the elements they lead to."""
        document, findings = self.document, self.findings
        values = {name: getattr(document, name) for name in AboutForm.names()}
        about = Drawer("about", findings)
        limits = document.limits.to_data() if document.limits else {}
        parts: dict[str, Any] = {
            "about": tuple(
                about.one(
                    as_param(field), values[name] or None, name=f"about.{name}", path=name, key=name
                )
                for name, field in AboutForm.base_fields.items()
            ),
            "limits": tuple(
                control
                for name, form, prefix in LIMITS
                for control in about.params(
                    form, limits.get(name, {}), name=prefix, path=f"limits.{name}"
                )
            ),
            "conditions": conditions_card(
                document.conditions,
                "conditions",
                "conditions",
                self.subjects,
                findings,
                types=self.vocabulary.field_types,
            ),
            "steps": self._steps(document.steps, "steps", place="", prefix=""),
            "steps_errors": findings.at("steps", "add-step"),
        }
        return Outline(
            **self._trigger(),
            **parts,
            problems=tuple(findings.links()),
        )

    def _trigger(self) -> dict[str, Any]:
        spec = self.document.trigger
        trigger = TRIGGERS.get(spec.type)
        drawer = Drawer("trigger", self.findings)
        params: tuple[Control, ...] = ()
        timing: dict[str, Control] = {}
        if trigger is not None:
            own = own_params(spec.params)
            params = drawer.params(trigger.Params, own, name="trigger", path="trigger.params")
        if trigger is not None and (trigger.forecastable or trigger.offset):
            common = {name: spec.params[name] for name in COMMON_PARAMS if name in spec.params}
            found = drawer.params(TimingForm, common, name="timing", path="trigger.params")
            timing = {control.name.partition(".")[2]: control for control in found}
        errors = (
            *self.findings.at("trigger", "trigger-type"),
            *self.findings.at("trigger.type", "trigger-type"),
            *self.findings.at("trigger.params", "trigger-type"),
        )
        return {
            "triggers": _by_category(spec.type),
            # The card says “When” already.
            "trigger_sentence": describe_trigger(spec, self.vocabulary).removeprefix("when "),
            "trigger_params": params,
            "timing": timing,
            "trigger_errors": errors,
        }

    def _steps(
        self, steps: tuple[Step, ...], path: str, *, place: str, prefix: str
    ) -> tuple[StepCard, ...]:
        return tuple(
            self._step(
                step,
                f"{path}[{index}]",
                place=place,
                number=f"{prefix}{index + 1}",
                index=index,
                count=len(steps),
            )
            for index, step in enumerate(steps)
        )

    def _step(
        self, step: Step, path: str, *, place: str, number: str, index: int, count: int
    ) -> StepCard:
        card_id = f"step-{step.key}"
        self.findings.names[path] = f"Step {number}"
        drawer = Drawer(card_id, self.findings)
        parts = self._kind(step, path, drawer)
        errors = (
            *self.findings.at(path, card_id),
            *self.findings.at(f"{path}.params", card_id),
            *self.findings.at(f"{path}.action", card_id),
            *self.findings.at(f"{path}.outcomes", card_id),
            *self.findings.at(f"{path}.branch.lanes", card_id),
        )
        wrong = sum(
            item.level == "error" and (item.path == path or item.path.startswith(f"{path}."))
            for item in self.findings.problems
        )
        lanes = self._lanes(step, path, number)
        return StepCard(
            key=step.key,
            place=place,
            number=number,
            index=index,
            count=count,
            disabled=step.disabled,
            errors=errors,
            wrong=wrong,
            lanes=lanes,
            places=tuple(
                Choice(where, label, where == place)
                for where, label, around in self.places
                if step.key not in around
            ),
            **parts,
        )

    def _kind(self, step: Step, path: str, drawer: Drawer) -> dict[str, Any]:
        if isinstance(step, WaitStep):
            return self._wait(step, path, drawer)
        if isinstance(step, BranchStep):
            control = drawer.params(
                BranchForm, {"mode": step.mode}, name="branch", path=f"{path}.branch"
            )
            return {
                "kind": "branch",
                "icon": "split",
                "title": "Branch",
                "sentence": "Different people take different lanes",
                "controls": control,
            }
        return self._action(step, path, drawer)

    def _action(self, step: ActionStep, path: str, drawer: Drawer) -> dict[str, Any]:
        action = ACTIONS.get(step.action)
        options = {"on_error": step.on_error, "on_date_change": step.on_date_change}
        parts: dict[str, Any] = {
            "kind": "action" if action else "unknown",
            "options": drawer.params(StepForm, options, name="option", path=path),
            "when": conditions_card(
                step.when,
                f"{step.key}/when",
                f"{path}.when",
                self.subjects,
                self.findings,
                types=self.vocabulary.field_types,
            ),
        }
        if action is None:
            title = f"{step.action} (not supported here)"
            return parts | {"icon": "circle-help", "title": title, "sentence": ""}
        names = action.Params.names()
        entry = self.vocabulary.action(step.action)
        sentence = entry.sentence(dict(step.params)) if entry else ""
        chosen = entry.chosen(dict(step.params)).items() if entry else ()
        more = [f"{name}: {words}" for name, words in chosen if words not in sentence]
        return parts | {
            "icon": action.icon,
            "title": action.label,
            "sentence": _unless_said(sentence, action.label),
            "detail": " · ".join(item for item in more if not item.startswith("To: ")),
            "destructive": action.destructive,
            "reversible": action.reversible,
            "controls": drawer.params(
                action.Params, step.params, name="params", path=f"{path}.params"
            ),
            "strange": tuple(name for name in step.params if name not in names),
            "outcomes_left": tuple(
                Choice(name, LANE_WORDS[name])
                for name in OUTCOMES_OF.get(step.action, ())
                if name not in step.outcomes
            ),
        }

    def _wait(self, step: WaitStep, path: str, drawer: Drawer) -> dict[str, Any]:
        wait = step.wait
        kind = "for" if isinstance(wait, WaitFor) else "until"
        form = WaitForForm if kind == "for" else WaitUntilForm
        inner = wait.to_data()[kind]
        controls = (
            *drawer.params(WaitForm, {"kind": kind}, name="wait", path=f"{path}.wait"),
            *drawer.params(form, inner, name="wait", path=f"{path}.wait.{kind}"),
        )
        option = StepForm.base_fields["on_date_change"]
        moved = drawer.one(
            as_param(option),
            step.on_date_change,
            name="option.on_date_change",
            path=f"{path}.on_date_change",
        )
        words = describe_step(step, self.vocabulary)
        return {
            "kind": "wait",
            "icon": "hourglass",
            "title": "Wait",
            "sentence": words,
            "controls": controls,
            "options": (moved,),
        }

    def _lanes(self, step: Step, path: str, number: str) -> tuple[LaneCard, ...]:
        if isinstance(step, BranchStep):
            return self._branch_lanes(step, path, number)
        if not isinstance(step, ActionStep):
            return ()
        return tuple(
            LaneCard(
                place=f"{step.key}/{name}",
                label=LANE_WORDS[name],
                kind="outcome",
                steps=self._steps(
                    steps,
                    f"{path}.outcomes.{name}",
                    place=f"{step.key}/{name}",
                    prefix=f"{number}.",
                ),
            )
            for name, steps in step.outcomes.items()
        )

    def _branch_lanes(self, step: BranchStep, path: str, number: str) -> tuple[LaneCard, ...]:
        lanes = []
        for index, lane in enumerate(step.lanes):
            here, place = f"{path}.branch.lanes[{index}]", f"{step.key}/lane/{index}"
            card_id = f"lane-{step.key}-lane-{index}"
            drawer = Drawer(card_id, self.findings)
            (name,) = drawer.params(LaneForm, {"name": lane.name}, name="lane", path=here)
            when = conditions_card(
                lane.when,
                place,
                f"{here}.when",
                self.subjects,
                self.findings,
                types=self.vocabulary.field_types,
            )
            lanes.append(
                LaneCard(
                    place=place,
                    label=lane.name or f"Lane {index + 1}",
                    kind="lane",
                    name=name,
                    when=when,
                    errors=(
                        *self.findings.at(here, card_id),
                        *self.findings.at(f"{here}.when", card_id),
                    ),
                    steps=self._steps(
                        lane.steps,
                        f"{here}.steps",
                        place=place,
                        prefix=f"{number}{'abcdefghijklmnop'[index % 16]}.",
                    ),
                    index=index,
                    last=index == len(step.lanes) - 1,
                )
            )
        place = f"{step.key}/otherwise"
        steps = self._steps(
            step.otherwise, f"{path}.branch.otherwise", place=place, prefix=f"{number}z."
        )
        lanes.append(LaneCard(place=place, label="Otherwise", kind="otherwise", steps=steps))
        return tuple(lanes)


def _places(document: WorkflowDocument) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Every list of steps: its place, its words, and the keys of the steps around it."""
    yield "", "The main steps", frozenset()

    def inside(steps: tuple[Step, ...], around: frozenset[str], prefix: str) -> Iterator[Any]:
        for index, step in enumerate(steps):
            number, within = f"{prefix}{index + 1}", around | {step.key}
            for path, inner in inner_steps(step, step.key):
                place, words = _place_of(step, path)
                yield place, f"Step {number}: {words}", within
                yield from inside(inner, within, f"{number}.")

    yield from inside(document.steps, frozenset(), "")


def _place_of(step: Step, path: str) -> tuple[str, str]:
    if isinstance(step, BranchStep):
        number = path.partition("[")[2].partition("]")[0]
        if not number:
            return f"{step.key}/otherwise", "otherwise"
        name = step.lanes[int(number)].name or f"lane {int(number) + 1}"
        return f"{step.key}/lane/{number}", name
    name = path.rpartition(".")[2]
    return f"{step.key}/{name}", LANE_WORDS[name].lower()


def _unless_said(sentence: str, title: str) -> str:
    """Nothing where the sentence only repeats the title above it."""
    return "" if sentence.casefold() == title.casefold() else sentence


def _by_category(chosen: str) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    groups: dict[str, list[Choice]] = {}
    for trigger in TRIGGERS:
        choice = Choice(trigger.key, trigger.label, trigger.key == chosen)
        groups.setdefault(trigger.category, []).append(choice)
    if chosen and TRIGGERS.get(chosen) is None:
        groups["Not supported here"] = [Choice(chosen, chosen, True)]
    return tuple((name, tuple(choices)) for name, choices in groups.items())
