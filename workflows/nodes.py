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
    """Not yet: try again, after ``after`` where the target said so."""

    reason: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Trying the same again changes nothing. ``hold`` parks the run until the cause is mended."""

    reason: str
    hold: bool = False


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
    def idempotency_key(self) -> str:
        """Stable over retries, workers and restored backups."""
        return self.step.idempotency_key


class Action:
    """Base of all actions. Subclasses set the class attributes and ``run``."""

    key: ClassVar[str]
    label: ClassVar[str]
    help: ClassVar[str] = ""
    icon: ClassVar[str] = "play"
    category: ClassVar[str] = "Other"
    Params: ClassVar[Any]
    """A :class:`workflows.params.ParamsForm` subclass."""
    destructive: ClassVar[bool] = False
    reversible: ClassVar[str] = ""
    """How it can be undone, in words; empty when it is final."""

    def sentence(self, params: Mapping[str, Any]) -> str:
        """What the step does, in words, lower-case verb first: “revoke all app access”."""
        raise NotImplementedError

    def describe(self, ctx: ActionContext, params: Mapping[str, Any]) -> str:
        """What would happen for this very person now. Has no effect of any kind."""
        return self.sentence(params)

    def run(self, ctx: ActionContext, params: Mapping[str, Any]) -> Outcome:
        """Do it. May be called again after a crash; must then not do it twice."""
        raise NotImplementedError


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
