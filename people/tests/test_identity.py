"""Who is whom, whatever comes in whichever order: one person, the right record, no second leaving.

Each story is told as news, one item after another, in every order in which it can arrive and in
every way of cutting it into feeds: all at once, one by one, and with the rows turned round.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from people.choices import EventKind
from people.models import LifecycleEvent, Person, SourceRecord
from people.records import WorkerRecord
from people.tests.build import NOW, day, feed, worker

pytestmark = pytest.mark.django_db
Feeds = Sequence[Sequence[WorkerRecord]]
ENDED = {"contract_status": "ended"}


def contract(**values: Any) -> WorkerRecord:
    return worker("a-contract", "Ana", **{"worker_type": "contractor", **values})


def job(**values: Any) -> WorkerRecord:
    return worker("b-job", "Ana", **{"start_date": day(1), **values})


def tell(feeds: Feeds) -> None:
    """Feed by feed; after each, nobody has been ended who has a live employment in it."""
    known: dict[str, bool] = {}
    for number, records in enumerate(feeds):
        before = set(LifecycleEvent.objects.values_list("pk", flat=True))
        feed(records, now=NOW + timedelta(minutes=number))
        live = set(
            SourceRecord.objects.filter(is_live=True, missing_since__isnull=True).values_list(
                "person_id", flat=True
            )
        )
        for event in LifecycleEvent.objects.exclude(pk__in=before):
            if event.field == "status" and event.after == "ended":
                assert event.person_id not in live, "ended with a live employment"
        known |= {record.external_id: record.is_live for record in records}
        for person_id in live - {None}:
            assert Person.objects.get(pk=person_id).status != "ended"


def never_twice() -> None:
    """Each newcomer was announced once, and no change of one person twice without a way back."""
    added = LifecycleEvent.objects.filter(kind=EventKind.PERSON_ADDED)
    assert added.count() == len(set(added.values_list("person_id", flat=True)))
    last: dict[tuple[int, str], Any] = {}
    for event in LifecycleEvent.objects.filter(kind=EventKind.PERSON_CHANGED).order_by("pk"):
        key = (event.person_id, event.field)
        assert last.get(key, event.before) == event.before
        assert event.before != event.after
        last[key] = event.after


def cuts(news: Sequence[WorkerRecord]) -> Iterator[list[list[WorkerRecord]]]:
    """Every order that keeps each record's own, told one by one; the first also all at once."""
    own = {
        key: [item for item in news if item.external_id == key]
        for key in {item.external_id for item in news}
    }
    for order in itertools.permutations(range(len(news))):
        told = [news[place] for place in order]
        if any([item for item in told if item.external_id == key] != own[key] for key in own):
            continue
        seen: dict[str, WorkerRecord] = {}
        feeds = []
        for item in told:
            seen[item.external_id] = item
            feeds.append(list(seen.values()))
        yield feeds
        yield [list(reversed(records)) for records in feeds]
    yield [list({item.external_id: item for item in news}.values())]


@dataclass(frozen=True)
class Spell:
    """One employment as it may stand."""

    name: str
    values: dict[str, Any]

    @property
    def live(self) -> bool:
        return self.values.get("contract_status") != "ended"


SPELLS = (
    Spell("active", {"start_date": day(-300)}),
    Spell("active to the 20th day", {"start_date": day(-200), "end_date": day(20)}),
    Spell("upcoming", {"contract_status": "upcoming", "start_date": day(10)}),
    Spell(
        "upcoming with an end",
        {"contract_status": "upcoming", "start_date": day(10), "end_date": day(90)},
    ),
    Spell("ended", {**ENDED, "start_date": day(-500), "end_date": day(-30)}),
    Spell("ended today", {**ENDED, "start_date": day(-400), "end_date": day(0)}),
)


def expected_primary(first: WorkerRecord, second: WorkerRecord) -> str:
    """Live before ended, active before upcoming, the later start."""

    def rank(record: WorkerRecord) -> tuple[bool, bool, int]:
        start = record.start_date
        assert start is not None
        upcoming = record.contract_status == "upcoming"
        return (not record.is_live, upcoming, -start.toordinal())

    return min((first, second), key=rank).external_id


@pytest.mark.slow
@pytest.mark.parametrize("one", SPELLS, ids=lambda spell: spell.name)
@pytest.mark.parametrize("other", SPELLS, ids=lambda spell: spell.name)
@pytest.mark.parametrize("order", ["contract first", "job first", "together", "together reversed"])
def test_two_employments_on_one_address_are_one_person(
    one: Spell, other: Spell, order: str
) -> None:
    first, second = contract(**one.values), job(**other.values)
    feeds = {
        "contract first": [[first], [first, second]],
        "job first": [[second], [first, second]],
        "together": [[first, second]],
        "together reversed": [[second, first]],
    }[order]
    tell(feeds)
    if not (one.live or other.live):
        assert not Person.objects.exists()
        return
    ana = Person.objects.get()
    assert set(ana.source_records.values_list("external_id", flat=True)) == {"a-contract", "b-job"}
    assert ana.remote_id == expected_primary(first, second)
    assert ana.source_records.get(is_primary=True).external_id == ana.remote_id
    live_ends = [spell.values.get("end_date") for spell in (one, other) if spell.live]
    if None in live_ends:
        assert (ana.end_date, ana.status in ("active", "hired")) == (None, True)
    else:
        assert ana.end_date == max(live_ends)
    never_twice()


STORIES: dict[str, tuple[list[WorkerRecord], str, str, Any]] = {
    "contractor becomes employee": (
        [
            contract(),
            contract(**ENDED, end_date=day(-1)),
            job(contract_status="upcoming"),
        ],
        "b-job",
        "hired",
        None,
    ),
    "contractor became employee the same day": (
        [contract(), contract(**ENDED, end_date=day(0)), job(start_date=day(0))],
        "b-job",
        "active",
        None,
    ),
    "rehired after a gap": (
        [
            contract(),
            contract(**ENDED, end_date=day(-60)),
            job(contract_status="upcoming", start_date=day(30)),
        ],
        "b-job",
        "hired",
        None,
    ),
    "transferred to another entity": (
        [
            contract(worker_type="eor_employee"),
            contract(worker_type="eor_employee", **ENDED, end_date=day(-1)),
            job(start_date=day(0), legal_entity="Acme Inc", legal_entity_id="ent-2"),
        ],
        "b-job",
        "active",
        None,
    ),
    "leaves both": (
        [
            contract(),
            contract(**ENDED, end_date=day(-2)),
            job(start_date=day(-20)),
            job(start_date=day(-20), **ENDED, end_date=day(-1)),
        ],
        "b-job",
        "ended",
        day(-1),
    ),
}


@pytest.mark.parametrize("name", STORIES)
def test_story_ends_the_same_in_whatever_order_it_is_told(name: str) -> None:
    news, primary, status, end = STORIES[name]
    told = 0
    for feeds in cuts(news):
        Person.objects.all().delete()
        SourceRecord.objects.all().delete()
        tell(feeds)
        if not Person.objects.exists():
            # Everything was over before anything was seen: nobody to know.
            assert len(feeds) == 1
            continue
        told += 1
        ana = Person.objects.get()
        assert (ana.remote_id, ana.status, ana.end_date) == (primary, status, end)
        never_twice()
    assert told >= 4


@pytest.mark.parametrize("with_job", [False, True])
def test_cancelled_onboarding_is_no_leaving_in_any_order(with_job: bool) -> None:
    called_off = contract(**ENDED, never_started=True, start_date=day(20))
    news = [contract(contract_status="upcoming", start_date=day(20)), called_off]
    news += [job(start_date=day(-5))] if with_job else []
    for feeds in cuts(news):
        Person.objects.all().delete()
        SourceRecord.objects.all().delete()
        tell(feeds)
        assert not LifecycleEvent.objects.filter(field="status", after="ended").exists()
        assert not LifecycleEvent.objects.filter(field="end_date").exclude(after=None).exists()
        if with_job:
            assert Person.objects.get().status == "active"


@pytest.mark.parametrize("again", [False, True], ids=["for good", "and back"])
@pytest.mark.parametrize("both", [False, True], ids=["only one", "of two"])
def test_hard_deleted_employment_ends_nobody(again: bool, both: bool) -> None:
    other = worker("w-other")
    mine = [contract(), *([job(start_date=day(-3))] if both else [])]
    feeds: list[list[WorkerRecord]] = [[*mine, other], [*mine[1:], other], [*mine[1:], other]]
    if again:
        feeds.append([*mine, other])
    tell(feeds)
    ana = Person.objects.get(work_email="ana@acme.test")
    assert (ana.status, ana.end_date) == ("active", None)
    gone = SourceRecord.objects.get(external_id="a-contract")
    assert (gone.missing_since is None) is again
    assert not LifecycleEvent.objects.filter(field__in=("status", "end_date")).exists()
    never_twice()


@pytest.mark.parametrize("reverse", [False, True])
def test_changed_address_keeps_the_person(reverse: bool) -> None:
    ana, bo = worker("a", "Ana"), worker("b", "Bo")
    renamed = replace(ana, work_email="ana.maria@acme.test")
    feeds = [[ana, bo], [renamed, bo], [renamed, bo], [ana, bo]]
    tell([list(reversed(records)) if reverse else records for records in feeds])
    assert Person.objects.count() == 2
    found = Person.objects.get(work_email="ana@acme.test")
    assert found.remote_id == "a"
    assert set(found.aliases.values_list("email", flat=True)) == {"ana.maria@acme.test"}
    never_twice()


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
def test_swapped_addresses_swap_no_people(one_by_one: bool, reverse: bool) -> None:
    ana, bo = worker("a", "Ana"), worker("b", "Bo")
    now_bo = replace(ana, work_email="bo@acme.test")
    now_ana = replace(bo, work_email="ana@acme.test")
    feeds = [[ana, bo], *([[now_bo, bo]] if one_by_one else []), [now_bo, now_ana]]
    feeds.append(feeds[-1])
    tell([list(reversed(records)) if reverse else records for records in feeds])
    assert Person.objects.count() == 2
    by_id = dict(Person.objects.values_list("remote_id", "full_name"))
    assert by_id == {"a": "Ana", "b": "Bo"}
    assert len(set(Person.objects.values_list("work_email", flat=True))) == 2
    assert not LifecycleEvent.objects.filter(field="status").exists()
    never_twice()


@pytest.mark.parametrize("in_one_feed", [False, True])
@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("left", [False, True], ids=["renamed", "left"])
def test_address_taken_over_by_a_stranger_joins_nobody(
    in_one_feed: bool, reverse: bool, left: bool
) -> None:
    ana = worker("a", "Ana Lopez", work_email="al@acme.test")
    moved = (
        replace(ana, contract_status="ended", end_date=day(-1))
        if left
        else replace(ana, work_email="ana.lopez@acme.test")
    )
    stranger = worker("s", "Albert Lund", work_email="al@acme.test")
    feeds = [[ana], *([] if in_one_feed else [[moved]]), [moved, stranger], [moved, stranger]]
    tell([list(reversed(records)) if reverse else records for records in feeds])
    found = Person.objects.get(pk=SourceRecord.objects.get(external_id="a").person_id)
    assert found.full_name == "Ana Lopez"
    owner = SourceRecord.objects.get(external_id="s").person_id
    assert owner is None
    reason = SourceRecord.objects.get(external_id="s").skip_reason
    assert "formerly belonged to Ana Lopez, who seems to be somebody else" in reason
    assert found.status == ("ended" if left else "active")
    never_twice()


_NEWS = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(SPELLS), st.booleans()),
    min_size=1,
    max_size=5,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(news=_NEWS)
def test_any_history_of_three_employments_is_one_person(
    news: list[tuple[str, Spell, bool]],
) -> None:
    Person.objects.all().delete()
    SourceRecord.objects.all().delete()
    seen: dict[str, WorkerRecord] = {}
    feeds = []
    for key, spell, with_next in news:
        seen[key] = worker(key, "Ana", **spell.values)
        if not with_next:
            feeds.append(list(seen.values()))
    feeds.append(list(seen.values()))
    tell(feeds)
    assert Person.objects.count() <= 1
    if any(record.is_live for record in seen.values()):
        assert Person.objects.get().status != "ended"
    never_twice()


def test_claim_on_one_address_is_kept_by_whoever_came_first() -> None:
    first, crowd, last = worker("zz"), [worker(f"w{n}") for n in range(12)], worker("aa")
    feed([first])
    feed([first, *crowd], now=NOW + timedelta(minutes=1))
    feed([first, *crowd, last], now=NOW + timedelta(minutes=2))
    both = [replace(one, work_email="one@acme.test") for one in (last, first)]
    feed([*both, *crowd], now=NOW + timedelta(minutes=3))
    assert Person.objects.get(work_email="one@acme.test").remote_id == "zz"
    assert Person.objects.get(remote_id="aa").work_email == "aa@acme.test"
