"""The contract of everything an admin can put into a workflow.

A trigger, action or approver is a class in a file of its own below ``triggers/``, ``actions/`` or
``approvers/``. Its ``Params`` form is the schema, the user interface and the validator at once:
``clean_params`` takes the document's params, returns the cleaned ones, and names every problem.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from siit_remote.lib.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from people.models import Person
    from workflows.models import Request, Run, StepRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The sentence of the step is now true. ``detail`` is JSON for the run's page."""

    summary: str
    detail: dict[str, Any] = attribute(default_factory=dict)
    reason: str = ""
    """Why it was done another way than the sentence says (a task instead of a call)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nothing had to be done, and why."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Goes on at ``until``, or when somebody acts (a decision, a finished task) and wakes it."""

    reason: str
    until: datetime | None = None
    detail: dict[str, Any] = attribute(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Not yet: try again, after ``after`` where the target said so.

    ``awaits`` names a connection that may not be called now: it is tried as soon as it may.
    """

    reason: str
    after: timedelta | None = None
    awaits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Trying the same again changes nothing. ``hold`` parks the run until the cause is mended.

    ``awaits`` names the connection whose mending lets it go on at once.
    """

    reason: str
    hold: bool = False
    awaits: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """It may have happened; nobody can know without looking. Shown to a person."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Ends the run here, as decided (``flow.stop``, a rejected approval)."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Go on in this lane (branch lanes, outcomes of an approval): indices or outcome names."""

    lanes: tuple[str, ...]
    summary: str
    detail: dict[str, Any] = attribute(default_factory=dict)


Outcome = Done | Skipped | Wait | Retry | Failed | Uncertain | Stop | Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """What one execution of one action knows. ``person`` was read afresh."""

    run: Run
    step: StepRun
    person: Person
    facts: Mapping[str, Any]
    request: Request | None
    now: datetime
    before_effect: Callable[[], None]
    """Call right before an effect that cannot be repeated nor read back."""
    interrupted: bool = False
    """An earlier attempt ended without an outcome (crash, kill)."""
    effect_begun: bool = False
    """… and it had passed ``before_effect``: the effect may have happened."""

    @property
    def protection_released(self) -> bool:
        """Whether a second person named this protected person and let this run go on."""
        return bool(self.run.protection_released_by)

    @property
    def idempotency_key(self) -> str:
        """Stable over retries, workers and restored backups."""
        return self.step.idempotency_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """How what an action did is taken back, and for how long that makes sense."""

    by: str
    """Key of the action that takes it back."""
    words: str
    """In words for people: “Reactivate the account.”"""
    days: int
    """So many days after it was done; later a person decides."""

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoContext:
    """What one execution left behind, for whoever wants to take it back."""

    run: Run
    step: StepRun
    person: Person
    params: Mapping[str, Any]

    @property
    def done(self) -> Mapping[str, Any]:
        """What the step wrote down."""
        outcome: Mapping[str, Any] = self.step.outcome
        return outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Compensation:
    """One step that takes something back. ``words``: what of it, for this very person."""

    action: str
    params: dict[str, Any]
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingToUndo:
    """There is nothing to take back, and why."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """No action can take it back; a person gets a task with these words."""

    words: str


Undoing = Compensation | NothingToUndo | ByHand


class Action:
    """Base of all actions. Subclasses set the class attributes and ``run``.

    An action says structurally what becomes of it: ``reversible`` (by what, for how long),
    ``harmless`` (nothing outside changes), or neither: then it is final.
    """

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""
    icon: ClassVar[str] = "play"
    category: ClassVar[str] = "Other"
    Params: ClassVar[Any]
    """A :class:`workflows.params.ParamsForm` subclass."""
    destructive: ClassVar[bool] = False
    reversible: ClassVar[Reversal | None] = None
    """How it is taken back; ``None`` when it is final (or harmless)."""
    harmless: ClassVar[bool] = False
    """It changes nothing outside this product, so that there is nothing to take back."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """What the step does, in words, lower-case verb first: “revoke all app access”."""
        raise NotImplementedError

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """What would happen for this very person now. Has no effect of any kind."""
        return self.sentence(params)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Do it. May be called again after a crash; must then not do it twice."""
        raise NotImplementedError

    def undo(self, ctx: UndoContext) -> Undoing:
        """What takes back that very execution. Has no effect of any kind.

        Reversible actions say how; what is left to this default needs a person.
        """
        if self.harmless:
            return NothingToUndo(why="It changed nothing outside.")
        summary = str(ctx.done.get("summary") or self.label)
        return ByHand(words=f"{self.label}: {summary}")

    @property
    def final(self) -> bool:
        """Whether it changes something that no action can take back."""
        return self.reversible is None and not self.harmless


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedPerson:
    """One person as the planner sees everybody: loaded in bulk, no model instance."""

    id: int
    label: str
    work_email: str
    facts: Mapping[str, Any]
    timezone: str
    """Resolved: person, else country with one zone, else entity, else workspace."""
    country: str
    known_at: Mapping[str, datetime]
    baseline_at: datetime | None
    first_seen_at: datetime
    protected: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event or request the planner may react to: an outbox row, without the ORM."""

    id: int
    kind: str
    person_id: int
    at: datetime
    field: str = ""
    before: Any = None
    after: Any = None
    service: str = ""
    baseline: bool = False
    facts: Mapping[str, Any] = attribute(default_factory=dict)
    """Further facts for conditions, as ``request.form.model``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A trigger applies to a person: the anchor it hangs on and the moment it is due (UTC)."""

    person_id: int
    anchor: str
    due_at: datetime
    timezone: str
    known_at: datetime
    """When it became known that this would be due."""
    change: Mapping[str, Any] = attribute(default_factory=dict)
    """Facts of what set it off, by full name: ``change.field``, ``request.form.model`` …"""
    request_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A half-open interval of moments in UTC: ``start < due_at <= end``."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanningWorld:
    """Everything a trigger may look at; the same for live, preview and forecast."""

    people: Mapping[int, PlannedPerson]
    happenings: tuple[Happening, ...]
    workspace_timezone: str
    only: Callable[[PlannedPerson], bool] | None = None
    """Leaves out of :meth:`everybody` and :meth:`dated` whom nothing can be said for anyway."""
    _sorted: dict[str, tuple[Any, list[date], list[PlannedPerson]]] = attribute(
        default_factory=dict, repr=False, compare=False
    )

    def everybody(self) -> Iterable[PlannedPerson]:
        """All people, without those whom ``only`` leaves out."""
        return filter(self.only, self.people.values()) if self.only else self.people.values()

    def dated(self, field: str, first: date, last: date) -> Iterable[PlannedPerson]:
        """Those whose date ``field`` lies from ``first`` to ``last``; found without asking all."""
        kept = self._sorted.get(field)
        if kept is None or kept[0] is not self.people:
            pairs = [
                (value, person.id, person)
                for person in self.people.values()
                if isinstance(value := person.facts.get(f"person.{field}"), date)
            ]
            pairs.sort(key=lambda pair: pair[:2])
            kept = (self.people, [pair[0] for pair in pairs], [pair[2] for pair in pairs])
            self._sorted[field] = kept
        _, dates, people = kept
        found = people[bisect_left(dates, first) : bisect_right(dates, last)]
        return filter(self.only, found) if self.only else found


class Trigger:
    """Base of all triggers. Pure: never touches the database nor asks the time."""

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""
    icon: ClassVar[str] = "zap"
    category: ClassVar[str] = "Lifecycle"
    Params: ClassVar[Any]
    forecastable: ClassVar[bool] = True
    """Its moments can be known in advance."""
    offset: ClassVar[str] = ""
    """``after`` where it may be due days after what happened although nobody knows it before."""
    field: ClassVar[str] = ""
    """The date of the person it fires on, as the directory calls it; blank for other triggers."""
    includes_ended: ClassVar[bool] = False
    """Whether it may start for a person who has left by then."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """When it fires, in words: “on the end date at 18:00 in the person's time zone”."""
        raise NotImplementedError

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """Every occurrence with a moment inside ``window``, for everybody in ``world``."""
        raise NotImplementedError

    def current_anchor(self, params: Mapping[str, Any], person: PlannedPerson) -> str | None:
        """The anchor the person has now for triggers on one date, ``None`` where there is none.

        The engine compares it with a run's anchor to see that a date has moved.
        """
        return None

    @property
    def follows_date(self) -> bool:
        """Whether a run is bound to a date of the person that can move."""
        return type(self).current_anchor is not Trigger.current_anchor


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """Who is to be asked, or the reason why nobody."""

    people: tuple[Person, ...] = ()
    reason: str = ""
    how: str = ""
    """In words, for the approver: “manager of Ana Lopez”."""


class Approver:
    """Base of all approver types."""

    key: ClassVar[str]
    label: ClassVar[str]
    Params: ClassVar[Any]

    def sentence(self, params: Mapping[str, Any]) -> str:
        """Who, in words: “the manager”."""
        raise NotImplementedError

    def resolve(
        self, params: Mapping[str, Any], *, subject: Person, facts: Mapping[str, Any], now: datetime
    ) -> Resolution:
        """People to ask about ``subject``; never the subject, only people who are still here."""
        raise NotImplementedError


ACTIONS: Registry[Action] = Registry("action")
TRIGGERS: Registry[Trigger] = Registry("trigger")
APPROVERS: Registry[Approver] = Registry("approver")
