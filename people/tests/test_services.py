"""What admins and the calendar do to people."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from people.models import (
    EmploymentType,
    FieldOverride,
    FieldPolicy,
    LifecycleEvent,
    Person,
    PersonChange,
    WorkerTypeMapping,
)
from people.overriding import OverrideError, person_override_remove, person_override_set
from people.services import people_resolve_all, person_protect_set
from people.tests.build import NOW, boss, day, feed, person, picture, worker
from people.turning import statuses_refresh
from people.zones import zone_info, zones_of
from siit_remote.audit.models import AuditEntry
from siit_remote.schedules import SCHEDULES

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def override(email: str, field: str, value: object) -> None:
    person_override_set(person(email), field=field, value=value, reason="Known here", now=LATER)


def test_override_wins_over_the_source_until_it_is_removed() -> None:
    feed([boss(), worker("w1", end_date=day(30))])
    user = User.objects.create(username="hana")
    person_override_set(
        person("w1"), field="end_date", value=day(10), reason="Agreed", now=LATER, actor=user
    )
    found = person("w1")
    assert (found.end_date, found.value_sources["end_date"]) == (day(10), "manual")
    assert found.known_at["end_date"] == LATER.isoformat()
    assert PersonChange.objects.get(field="end_date").source == "manual"
    feed([boss(), worker("w1", end_date=day(31))], now=LATER)
    assert person("w1").end_date == day(10)
    assert person_override_remove(person("w1"), field="end_date", now=LATER, actor=user)
    assert person("w1").end_date == day(31)
    assert not person_override_remove(person("w1"), field="end_date", now=LATER)
    assert AuditEntry.objects.filter(action="person.overridden", actor=user).count() == 1


def test_override_may_say_that_there_is_nothing() -> None:
    feed([boss(), worker("w1", end_date=day(30))])
    override("w1", "end_date", None)
    assert (person("w1").end_date, person("w1").status) == (None, "active")


def test_override_of_the_manager_takes_a_work_email() -> None:
    feed([boss(), worker("w1"), worker("w2")])
    override("w1", "manager", "W2@acme.test")
    assert person("w1").manager == person("w2")
    override("w1", "manager", None)
    assert person("w1").manager is None
    assert person("w1").problems == []


def test_taking_back_a_manager_resolves_whom_it_concerns_and_nobody_else() -> None:
    """The sources name each other's managers in a ring; a third word by hand had opened it."""
    ring = [
        worker("w1", manager_email="w2@acme.test"),
        worker("w2", manager_email="w3@acme.test"),
        worker("w3", manager_email="w1@acme.test"),
    ]
    feed([boss(), *ring, worker("w4")])
    override("w1", "manager", "boss@acme.test")
    assert [person(name).problems for name in ("w1", "w2", "w3")] == [[], [], []]
    Person.objects.filter(work_email="w4@acme.test").update(job_title="Stale")
    assert person_override_remove(person("w1"), field="manager", now=LATER)
    assert person("w1").manager == person("w2")
    assert [person(name).problems for name in ("w1", "w2", "w3")] == [["manager_cycle"]] * 3
    assert person("w4").job_title == "Stale"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", "ended"),
        ("work_email", "x@acme.test"),
        ("end_date", "soon"),
        ("country", "France"),
        ("timezone", "Mars/Base"),
        ("worker_type", "employee"),
        ("employment_type", "robot"),
        ("manager", "nobody@acme.test"),
        ("manager", "w1@acme.test"),
        ("job_title", "x" * 301),
        ("no_such_field", "x"),
    ],
)
def test_override_that_cannot_be_is_refused_in_words(field: str, value: str) -> None:
    feed([worker("w1")])
    with pytest.raises(OverrideError):
        override("w1", field, value)
    assert not FieldOverride.objects.exists()


def test_changed_mapping_reaches_everybody_once_resolved() -> None:
    feed([worker("w1", worker_type="contractor")])
    WorkerTypeMapping.objects.filter(worker_type="contractor").update(
        employment_type=EmploymentType.objects.get(key="employee")
    )
    result = people_resolve_all(now=LATER, correlation="test")
    assert (result.updated, person("w1").employment_type) == (1, "employee")
    assert LifecycleEvent.objects.filter(field="employment_type").count() == 1
    before = picture()
    assert people_resolve_all(now=LATER, correlation="again").updated == 0
    assert picture() == before


def test_field_policy_chooses_the_source_and_blank_falls_through() -> None:
    feed([worker("w1", job_title="From Remote", seniority="Senior")])
    other = worker("x1", "w1", source="idp", job_title="From IdP", manager_email="")
    feed([other], now=LATER)
    assert person("w1").job_title == "From Remote"
    FieldPolicy.objects.create(field="job_title", sources=["idp"])
    FieldPolicy.objects.create(field="seniority", sources=["idp"])
    people_resolve_all(now=LATER, correlation="test")
    found = person("w1")
    assert (found.job_title, found.value_sources["job_title"]) == ("From IdP", "idp")
    assert (found.seniority, found.value_sources["seniority"]) == ("Senior", "remote")


def test_statuses_follow_the_date_where_the_person_is() -> None:
    feed(
        [
            worker("paris", start_date=day(1), contract_status="upcoming"),
            worker("tokyo", country="JPN", start_date=day(1), contract_status="upcoming"),
            worker("leaver", end_date=day(0)),
            worker("samoa", country="ASM", end_date=day(0)),
        ]
    )
    LifecycleEvent.objects.all().delete()
    evening = datetime(2026, 11, 24, 15, 30, tzinfo=UTC)
    assert statuses_refresh(now=evening) == 1
    assert (person("tokyo").status, person("paris").status) == ("active", "hired")
    midnight = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)
    assert statuses_refresh(now=midnight) == 2
    assert (person("paris").status, person("leaver").status) == ("active", "ended")
    # In Pago Pago it is still the 24th.
    assert person("samoa").status == "offboarding"
    assert LifecycleEvent.objects.filter(field="status").count() == 3
    assert statuses_refresh(now=midnight) == 0
    assert OrmQ.objects.count() == 2


_EVERY = next(
    planned.minutes for planned in SCHEDULES if planned.func == "people.tasks.refresh_statuses"
)


@pytest.mark.parametrize(
    "country", ["FRA", "JPN", "IND", "NPL", "ASM", "KIR", "NZL"], ids=lambda code: code
)
def test_status_turns_within_a_quarter_of_an_hour_of_local_midnight(country: str) -> None:
    feed(
        [
            worker("joiner", country=country, timezone=zones_of(country)[0], start_date=day(2),
                   contract_status="upcoming"),
            worker("leaver", country=country, timezone=zones_of(country)[0], end_date=day(1)),
        ]
    )  # fmt: skip
    zone = zone_info(person("joiner").timezone)
    midnight = datetime.combine(day(2), time.min, tzinfo=zone)
    turned: dict[str, datetime] = {}
    moment = midnight - timedelta(minutes=3 * _EVERY + 7)
    while moment < midnight + timedelta(minutes=2 * _EVERY):
        statuses_refresh(now=moment.astimezone(UTC))
        for name, status in (("joiner", "active"), ("leaver", "ended")):
            if person(name).status == status:
                turned.setdefault(name, moment)
        moment += timedelta(minutes=_EVERY)
    assert set(turned) == {"joiner", "leaver"}
    for at in turned.values():
        assert timedelta(0) <= at - midnight <= timedelta(minutes=15)


def test_nothing_is_written_while_nobodys_status_turns() -> None:
    feed([worker("w1"), worker("leaver", end_date=day(1)), worker("gone", end_date=day(-9))])
    statuses_refresh(now=LATER)
    before, bells = picture(), OrmQ.objects.count()
    with CaptureQueriesContext(connection) as seen:
        assert statuses_refresh(now=LATER + timedelta(minutes=_EVERY)) == 0
    # PostgreSQL reads through a server-side cursor, which it declares first.
    reading = ("SELECT", "DECLARE")
    assert [query["sql"] for query in seen if not query["sql"].startswith(reading)] == []
    assert (picture(), OrmQ.objects.count()) == (before, bells)


def test_protection_is_set_once_and_audited() -> None:
    feed([worker("w1")])
    assert person_protect_set(person("w1"), protected=True, now=LATER)
    assert not person_protect_set(person("w1"), protected=True, now=LATER)
    assert AuditEntry.objects.filter(action="person.protected").count() == 1
