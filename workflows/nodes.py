"""The contract of everything an admin can put into a workflow.

A trigger, action or approver is a class in a file of its own below ``triggers/``, ``actions/`` or
``approvers/``. Its ``Params`` form is the schema, the user interface and the validator at once:
``clean_params`` takes the document's params, returns the cleaned ones, and names every problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import Q

from siit_remote.lib.registry import Registry
from workflows.planned import Cohort as Cohort
from workflows.planned import Happening as Happening
from workflows.planned import Moment as Moment
from workflows.planned import Occurrence as Occurrence
from workflows.planned import PlannedPerson as PlannedPerson
from workflows.planned import PlanningWorld as PlanningWorld
from workflows.planned import Window as Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from people.models import Person
    from workflows.models import Request, Run, StepRun
    from workflows.places import Places


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


NOBODY = Q(pk__in=[])
"""The filter that lets nobody through."""


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
    reads: ClassVar[tuple[str, ...] | None] = None
    """Dates of the person that it looks at, as the directory calls them; ``None``: anything."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """When it fires, in words: “on the end date at 18:00 in the person's time zone”."""
        raise NotImplementedError

    def occurrences(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Occurrence]:
        """Every occurrence with a moment inside ``window``, for everybody in ``world``."""
        raise NotImplementedError

    def moments(
        self, params: Mapping[str, Any], *, window: Window, world: PlanningWorld
    ) -> Iterable[Moment]:
        """:meth:`occurrences`, together for those who share one: what the planner asks for."""
        for found in self.occurrences(params, window=window, world=world):
            person = world.people.get(found.person_id)
            if person is not None:
                yield Moment(
                    anchor=found.anchor,
                    due_at=found.due_at,
                    timezone=found.timezone,
                    people=(person,),
                    known_at=found.known_at,
                    change=found.change,
                    request_id=found.request_id,
                )

    def reach(self, params: Mapping[str, Any], *, window: Window) -> Q | None:
        """Whom it may apply to inside ``window``, as a filter over people; ``None``: anybody.

        It spares loading the others, so it must let through everybody whom ``occurrences`` names;
        people of happenings are loaded in any case.
        """
        return None

    def near(self, params: Mapping[str, Any], *, window: Window, places: Places) -> Q | None:
        """:meth:`reach` for a window of minutes, as close as it can be said; asked every minute."""
        return self.reach(params, window=window)

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
