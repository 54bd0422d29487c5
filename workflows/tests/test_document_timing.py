from __future__ import annotations

from typing import Any

import pytest

from workflows.document import DocumentError, Timing, parse_timing, timing_of


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "on the end date at 09:00 in the person's time zone"),
        (
            {"direction": "before", "days": 3, "at": "18:00"},
            "3 days before the end date at 18:00 in the person's time zone",
        ),
        (
            {"direction": "after", "days": 1, "timezone": "workspace"},
            "1 day after the end date at 09:00 in the workspace's time zone",
        ),
        (
            {"timezone": "Europe/Paris", "weekend": "previous_working_day"},
            "on the end date at 09:00 in the time zone Europe/Paris "
            "(on a weekend or holiday: the working day before)",
        ),
    ],
)
def test_timing_is_told_in_words(params: dict[str, Any], words: str) -> None:
    timing = timing_of(params)
    assert timing.sentence("the end date") == words
    assert timing_of(timing.to_params()) == timing


def test_timing_defaults() -> None:
    assert timing_of({"field": "person.team"}) == Timing(
        direction="same_day",
        days=0,
        at="09:00",
        timezone="person",
        weekend="keep",
        late_policy="run",
        late_within_days=3,
    )
    assert timing_of({"direction": "before", "days": 7}).offset_days == -7
    assert timing_of({"direction": "after", "days": 7}).offset_days == 7
    assert timing_of({"at": "18:30"}).hour_minute == (18, 30)


@pytest.mark.parametrize(
    ("params", "path", "words"),
    [
        ({"direction": "on"}, "direction", "before, same_day, after"),
        ({"direction": True}, "direction", "quotes"),
        ({"days": 181, "direction": "after"}, "days", "0 to 180"),
        ({"days": -3, "direction": "before"}, "days", "0 to 180"),
        ({"days": "3"}, "days", "whole number"),
        ({"days": True}, "days", "whole number"),
        ({"days": 3}, "days", "before or after"),
        ({"at": 1080}, "at", "18:00"),
        ({"at": 900}, "at", "15:00"),
        ({"at": 18}, "at", "found 18"),
        ({"at": "9:00"}, "at", 'Did you mean "09:00"?'),
        ({"at": "24:00"}, "at", "23:59"),
        ({"at": "09:00\n"}, "at", "23:59"),
        ({"timezone": "Europe/Pari"}, "timezone", 'Did you mean "Europe/Paris"?'),
        ({"timezone": "../etc/passwd"}, "timezone", "time zone"),
        ({"weekend": "skip"}, "weekend", "keep"),
        ({"late": "run"}, "late", "mapping"),
        ({"late": {"policy": "now"}}, "late.policy", "run, skip, ask"),
        ({"late": {"within_days": 999}}, "late.within_days", "0 to 180"),
        ({"late": {"witin_days": 1}}, "late.witin_days", 'Did you mean "within_days"?'),
    ],
)
def test_bad_timing_is_named(params: dict[str, Any], path: str, words: str) -> None:
    timing, problems = parse_timing(params, "trigger.params")
    assert [problem.path for problem in problems] == [f"trigger.params.{path}"]
    assert words in problems[0].message
    assert isinstance(timing, Timing)
    with pytest.raises(DocumentError):
        timing_of(params)
