"""When a trigger's moment is, relative to its date: the params that all triggers share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, cast, get_args
from zoneinfo import available_timezones

from workflows.document.shape import Direction
from workflows.problems import DocumentError, Problem, Reader, did_you_mean, join, shown

Weekend = Literal["keep", "previous_working_day", "next_working_day"]
LatePolicy = Literal["run", "skip", "ask"]

MAX_DAYS = 180
COMMON_PARAMS = ("direction", "days", "at", "timezone", "weekend", "late")
"""Params that any trigger may have; `Timing` reads them, the trigger reads the others."""
_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A local moment: `days` calendar days from the date, at `at` ("HH:MM"), in `timezone`.

    `timezone` is "person", "workspace" or an IANA name. `late_policy` says what happens when the
    moment had passed by up to `late_within_days` days before it became known.
    """

    direction: Direction = "same_day"
    days: int = 0
    at: str = "09:00"
    timezone: str = "person"
    weekend: Weekend = "keep"
    late_policy: LatePolicy = "run"
    late_within_days: int = 3

    @property
    def offset_days(self) -> int:
        """Calendar days from the date to the moment: negative before it."""
        return {"before": -self.days, "same_day": 0, "after": self.days}[self.direction]

    @property
    def hour_minute(self) -> tuple[int, int]:
        """`at` as numbers."""
        hour, minute = self.at.split(":")
        return int(hour), int(minute)

    def sentence(self, anchor: str = "the date") -> str:
        """In words: "3 days before the end date at 18:00 in the person's time zone"."""
        text = f"{offset_words(self.direction, self.days, anchor)} at {self.at} {self._zone()}"
        if self.weekend != "keep":
            side = "before" if self.weekend == "previous_working_day" else "after"
            text += f" (on a weekend or holiday: the working day {side})"
        return text

    def _zone(self) -> str:
        if self.timezone == "person":
            return "in the person's time zone"
        if self.timezone == "workspace":
            return "in the workspace's time zone"
        return f"in the time zone {self.timezone}"

    def to_params(self) -> dict[str, Any]:
        """As a trigger's params."""
        return {
            "direction": self.direction,
            "days": self.days,
            "at": self.at,
            "timezone": self.timezone,
            "weekend": self.weekend,
            "late": {"policy": self.late_policy, "within_days": self.late_within_days},
        }


def offset_words(direction: str, days: int, anchor: str) -> str:
    """`3 days before the end date`, `1 day after …`, `on …`; never a negative number."""
    if direction == "same_day" or days == 0:
        return f"on {anchor}"
    return f"{days} {'day' if days == 1 else 'days'} {direction} {anchor}"


def own_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """A trigger's params without those that all triggers share."""
    return {key: value for key, value in params.items() if key not in COMMON_PARAMS}


def parse_timing(params: Mapping[str, Any], path: str) -> tuple[Timing, list[Problem]]:
    """The common params and every problem with them; what is refused is at its default."""
    reader = Reader()
    direction, days = read_direction_and_days(reader, params, path, high=MAX_DAYS)
    weekend = reader.choice(
        params.get("weekend", "keep"), join(path, "weekend"), get_args(Weekend), default="keep"
    )
    policy, within = _read_late(reader, params.get("late"), join(path, "late"))
    timing = Timing(
        direction=direction,
        days=days,
        at=read_time(reader, params.get("at", "09:00"), join(path, "at")),
        timezone=_read_zone(reader, params.get("timezone", "person"), join(path, "timezone")),
        weekend=cast(Weekend, weekend),
        late_policy=policy,
        late_within_days=within,
    )
    return timing, reader.problems


def timing_of(params: Mapping[str, Any]) -> Timing:
    """The timing of a published trigger. Raises DocumentError if its params are not valid."""
    timing, problems = parse_timing(params, "trigger.params")
    if problems:
        raise DocumentError(problems)
    return timing


def read_direction_and_days(
    reader: Reader, params: Mapping[str, Any], path: str, *, high: int
) -> tuple[Direction, int]:
    """`direction` and `days`, which must agree: the same day is 0 days away."""
    direction = reader.choice(
        params.get("direction", "same_day"),
        join(path, "direction"),
        get_args(Direction),
        default="same_day",
    )
    days_path = join(path, "days")
    days = reader.integer(params.get("days", 0), days_path, low=0, high=high, default=0)
    if direction == "same_day" and days:
        reader.error(days_path, f"The same day is 0 days away, not {days}: say before or after.")
    return cast(Direction, direction), days


def read_time(reader: Reader, data: object, path: str) -> str:
    """A wall-clock time "HH:MM"; names what YAML 1.1 did to a time without quotes."""
    if isinstance(data, str) and _TIME.fullmatch(data):
        return data
    hint = ""
    # 18:00 without quotes is the number 1080 to a YAML 1.1 reader: sixty times eighteen.
    if isinstance(data, int) and not isinstance(data, bool) and 60 <= data < 24 * 60:
        hint = f" If {data} was {data // 60:02}:{data % 60:02}, put it between quotes."
    elif isinstance(data, str) and re.fullmatch(r"\d:[0-5]\d", data):
        hint = f' Did you mean "0{data}"?'
    reader.error(path, f'Expected a time from "00:00" to "23:59", found {shown(data)}.{hint}')
    return "09:00"


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _read_zone(reader: Reader, data: object, path: str) -> str:
    if isinstance(data, str) and (data in ("person", "workspace") or data in _zones()):
        return data
    hint = did_you_mean(data, ["person", "workspace", *_zones()]) if isinstance(data, str) else ""
    reader.error(
        path,
        f"Expected person, workspace or a time zone like Europe/Paris, found {shown(data)}.{hint}",
    )
    return "person"


def _read_late(reader: Reader, data: object, path: str) -> tuple[LatePolicy, int]:
    if data is None:
        return "run", 3
    found = reader.mapping(data, path, allowed=("policy", "within_days"))
    policy = reader.choice(
        found.get("policy", "run"), join(path, "policy"), get_args(LatePolicy), default="run"
    )
    days_path = join(path, "within_days")
    days = reader.integer(found.get("within_days", 3), days_path, low=0, high=180, default=3)
    return cast(LatePolicy, policy), days
