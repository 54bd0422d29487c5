"""Hints in any order, lost, late and repeated, end in the state of the poll alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from integrations.connectors.base import Feed
from integrations.hints import hints_drain
from integrations.models import Connection, WebhookReceipt, WebhookSubscription
from integrations.sync import run_sync
from integrations.tests.people_source import FakeSource, connection
from people.defaults import workspace_get
from people.models import Person, SourceRecord, Team
from people.records import WorkerRecord
from people.tests.build import NOW, boss, day, worker

WORKERS = ("w1", "w2", "w3", "w4")
CHANGES: tuple[dict[str, Any], ...] = (
    {"job_title": "Lead"},
    {"team": "Legal"},
    {"end_date": day(30), "offboarding": True},
    {"end_date": None},
    {"work_email": "changed.{name}@acme.test"},
    {"manager_email": "w1@acme.test"},
    {"contract_status": "ended", "end_date": day(-1)},
)


class Source(FakeSource):
    """Also delivers single workers."""

    def fetch_workers(self, ids: Sequence[str], *, today: date, progress: Any) -> Feed:
        """Those that exist."""
        found = tuple(row for row in self.records if row.external_id in ids)
        return Feed(records=found, skipped=())


def steps() -> Any:
    change = st.tuples(st.sampled_from(WORKERS), st.sampled_from(CHANGES))
    hint = st.sampled_from([*WORKERS, "unknown"])
    return st.lists(
        st.one_of(
            st.tuples(st.just("change"), change),
            st.tuples(st.just("hints"), st.lists(hint, min_size=1, max_size=5)),
        ),
        max_size=10,
    )


def state() -> list[tuple[Any, ...]]:
    """Everybody's values, without keys of rows."""
    return sorted(
        Person.objects.values_list(
            "work_email", "full_name", "job_title", "team__name", "status", "end_date",
            "manager__work_email", "contract_status", "remote_id",
        )
    )  # fmt: skip


class HintsInAnyOrder(TestCase):
    """The directory after hints and one poll is the directory after the poll."""

    def _begin(self) -> tuple[Connection, Source]:
        for model in (SourceRecord, Connection, Person, Team):
            model.objects.all().delete()
        # A poll that is held applies nothing, while a hint before it may: here nothing is held.
        workspace = workspace_get()
        workspace.sync_limit_people, workspace.sync_limit_percent = 1000, 30_000
        workspace.save()
        made = connection()
        source = Source([boss(), *(worker(name) for name in WORKERS)])
        run_sync(made, trigger="setup", now=NOW, client=source)
        return made, source

    def _change(self, source: Source, name: str, values: dict[str, Any]) -> None:
        source.records = [
            _with(row, values) if row.external_id == name else row for row in source.records
        ]

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps())
    def test_s22_state_is_that_of_the_poll(self, wanted: list[tuple[str, Any]]) -> None:
        made, source = self._begin()
        end = NOW + timedelta(hours=4)
        for kind, what in wanted:
            if kind == "change":
                self._change(source, *what)
        for_poll = list(source.records)
        run_sync(made, trigger="schedule", now=end, client=source)
        expected = state()

        made, source = self._begin()
        subscription = WebhookSubscription.objects.create(
            connection=made, path_hash="p", external_id="s", created_at=NOW
        )
        moment = NOW
        for number, (kind, what) in enumerate(wanted):
            moment += timedelta(minutes=1)
            if kind == "change":
                self._change(source, *what)
                continue
            for place, name in enumerate(what):
                WebhookReceipt.objects.create(
                    subscription=subscription, signature_hash=f"{number}.{place}",
                    received_at=moment, external_id=name,
                )  # fmt: skip
            hints_drain(made, now=moment, client=source)
        assert source.records == for_poll
        run_sync(made, trigger="schedule", now=end, client=source)
        assert state() == expected
        assert not SourceRecord.objects.exclude(missing_since=None).exists()


def _with(row: WorkerRecord, values: dict[str, Any]) -> WorkerRecord:
    if not row.is_live:
        # An end without a date is dated by when it was first seen: that does hang on looking.
        return row
    # One address for two is a conflict that the older row wins: no matter of hints.
    if "work_email" in values:
        values = {"work_email": values["work_email"].format(name=row.external_id)}
    return replace(row, **values)
