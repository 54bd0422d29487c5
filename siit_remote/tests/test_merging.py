"""Two people who are one, one who is two; later syncs keep what was decided."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from integrations.models import Account, AppAccess, Application, Connection
from people.history import directory_as_of
from people.merging import (
    MergeError,
    merge_preview,
    person_merge,
    person_split,
    person_unmerge,
)
from people.models import (
    FieldOverride,
    LegalEntity,
    LifecycleEvent,
    Person,
    PersonChange,
    PersonMerge,
    Role,
    SourceRecord,
)
from people.overriding import person_override_set
from people.tests.build import NOW, boss, day, feed, person, picture, worker
from siit_remote.audit.models import AuditEntry
from workflows.models import Run, Workflow, WorkflowVersion

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)
LAST = NOW + timedelta(hours=2)


def pair(**values: Any) -> list[Any]:
    """Ana by two addresses: an ended contract and a live one."""
    return [
        boss(),
        worker("old", "Ana Berg", work_email="ana@acme.test", manager_email="", **values),
        worker("new", "Ana Berg", work_email="ana.b@acme.test"),
        worker("tom", manager_email="ana@acme.test"),
    ]


def run_for(owner: Person) -> Run:
    workflow = Workflow.objects.create(
        key="w", name="W", draft={}, draft_saved_at=NOW, created_at=NOW
    )
    version = WorkflowVersion.objects.create(
        workflow=workflow, number=1, document={}, digest="d", published_at=NOW
    )
    return Run.objects.create(
        workflow=workflow, version=version, person=owner, trigger="end_date", anchor="x",
        key="k", due_at=NOW, created_at=NOW,
    )  # fmt: skip


def merged(**options: Any) -> PersonMerge:
    kept, absorbed = person("ana.b"), person("ana")
    return person_merge(kept, absorbed, reason="Changed her name", now=LATER, **options)


def test_everything_of_the_absorbed_person_moves_and_the_address_still_finds_them() -> None:
    feed(pair(end_date=day(20)))
    run = run_for(person("ana"))
    Role.objects.create(name="it").members.add(person("ana"))
    LegalEntity.objects.update(lead=person("ana"))
    merge = merged(confirmed=True)
    ana = person("ana.b")
    assert not Person.objects.filter(work_email="ana@acme.test").exists()
    assert set(ana.source_records.values_list("external_id", flat=True)) == {"old", "new"}
    assert [alias.email for alias in ana.aliases.all()] == ["ana@acme.test"]
    run.refresh_from_db()
    assert run.person == ana
    assert person("tom").manager == ana
    assert LegalEntity.objects.get().lead == ana
    assert list(Role.objects.get().members.all()) == [ana]
    entry = AuditEntry.objects.get(action="person.merged")
    assert entry.detail["reason"] == merge.reason == "Changed her name"


def test_live_employments_at_one_source_must_be_confirmed() -> None:
    feed(pair())
    before = picture()
    with pytest.raises(MergeError, match="Confirm"):
        merged()
    assert picture() == before
    merged(confirmed=True)
    assert "two_live_employments" in person("ana.b").problems


def test_preview_is_what_happens_and_changes_nothing() -> None:
    feed(pair())
    run_for(person("ana"))
    before = picture()
    preview = merge_preview(person("ana.b"), person("ana"))
    assert picture() == before
    assert preview.refusals == ()
    assert len(preview.doubts) == 1
    merge = merged(confirmed=True)
    assert {one.label: list(one.keys) for one in preview.moved} == merge.moved
    assert merge_preview(person("ana.b"), person("ana.b")).refusals


def test_what_cannot_be_joined_refuses_the_merge_whole() -> None:
    feed(pair())
    slack = Connection.objects.create(key="slack", connector="slack", name="Slack", created_at=NOW)
    for number, name in enumerate(("ana", "ana.b")):
        Account.objects.create(
            connection=slack, person=person(name), external_id=str(number), changed_at=NOW
        )
    application = Application.objects.create(key="figma", name="Figma")
    AppAccess.objects.create(application=application, person=person("ana"), since=NOW)
    before = picture()
    assert "account" in merge_preview(person("ana.b"), person("ana")).refusals[0]
    with pytest.raises(MergeError, match="cannot be joined"):
        merged(confirmed=True)
    assert picture() == before
    assert AppAccess.objects.get().person == person("ana")


def test_merge_needs_a_reason_and_two_people() -> None:
    feed(pair())
    with pytest.raises(MergeError, match="why"):
        person_merge(person("ana.b"), person("ana"), reason=" ", now=LATER)
    with pytest.raises(MergeError, match="same person"):
        person_merge(person("ana"), person("ana"), reason="x", now=LATER)


def test_later_syncs_keep_the_decision_in_any_order() -> None:
    feed(pair())
    merged(confirmed=True)
    feed(reversed(pair()), now=LAST)
    feed([*pair(), worker("zoe")], now=LAST + timedelta(hours=1))
    assert not Person.objects.filter(work_email="ana@acme.test").exists()
    assert person("ana.b").source_records.count() == 2


def test_merge_is_taken_back_with_history_and_values_by_hand() -> None:
    feed(pair())
    feed([*pair(job_title="Lead")], now=NOW + timedelta(minutes=10))
    person_override_set(
        person("ana"), field="seniority", value="Staff", reason="x", now=NOW + timedelta(minutes=20)
    )
    run = run_for(person("ana"))
    key, changes = person("ana").pk, person("ana").changes.count()
    then = {pk: dict(row.values) for pk, row in directory_as_of(NOW).items()}
    merge = merged(confirmed=True)
    assert person("ana.b").seniority == "Staff"
    back = person_unmerge(merge, reason="Two after all", now=LAST)
    assert (back.pk, back.work_email, back.seniority) == (key, "ana@acme.test", "Staff")
    assert back.changes.count() >= changes
    run.refresh_from_db()
    assert run.person == back
    assert person("tom").manager == back
    assert not person("ana.b").aliases.exists()
    assert not FieldOverride.objects.filter(person=person("ana.b")).exists()
    assert person("ana.b").source_records.count() == 1
    assert {pk: dict(row.values) for pk, row in directory_as_of(NOW).items()} == then
    with pytest.raises(MergeError, match="already"):
        person_unmerge(merge, reason="x", now=LAST)
    feed(pair(job_title="Lead"), now=LAST + timedelta(hours=1))
    assert person("ana").source_records.get().external_id == "old"


def test_merge_is_not_taken_back_once_the_address_is_somebody_elses() -> None:
    feed(pair())
    merge = merged(confirmed=True)
    person("ana.b").aliases.all().delete()
    Person.objects.create(work_email="ana@acme.test", created_at=NOW, updated_at=NOW)
    with pytest.raises(MergeError, match="present address"):
        person_unmerge(merge, reason="x", now=LAST)
    merge.refresh_from_db()
    assert merge.undone_at is None


def one_of_two() -> Person:
    """Two human beings whom the source tells under one address."""
    feed(
        [
            boss(),
            worker("a", "Kim Lee", work_email="kim@acme.test", contract_status="ended",
                   end_date=day(-30)),
            worker("b", "Kim Park", work_email="kim@acme.test", job_title="Writer"),
        ]
    )  # fmt: skip
    feed([boss(), worker("a", "Kim Lee", work_email="kim@acme.test"),
          worker("b", "Kim Park", work_email="kim@acme.test", job_title="Writer")],
         now=NOW + timedelta(minutes=5))  # fmt: skip
    return person("kim")


def test_split_makes_a_person_of_their_own_and_later_syncs_keep_it() -> None:
    kim = one_of_two()
    record = kim.source_records.get(external_id="a")
    new = person_split(
        kim, records=[record.pk], work_email="kim.lee@acme.test", reason="Two people", now=LATER
    )
    assert new.full_name == "Kim Lee"
    assert person("kim").full_name == "Kim Park"
    feed([boss(), worker("a", "Kim Lee", work_email="kim@acme.test"),
          worker("b", "Kim Park", work_email="kim@acme.test", job_title="Writer")],
         now=LAST)  # fmt: skip
    assert person("kim.lee").source_records.get().external_id == "a"
    assert person("kim").source_records.get().external_id == "b"
    assert AuditEntry.objects.get(action="person.split").detail["into"] == "kim.lee@acme.test"


def test_nothing_of_the_past_starts_for_who_came_by_a_split() -> None:
    kim = one_of_two()
    record = kim.source_records.get(external_id="a")
    new = person_split(
        kim, records=[record.pk], work_email="kim.lee@acme.test", reason="Two people", now=LATER
    )
    assert new.baseline_at == LATER
    assert not LifecycleEvent.objects.filter(person=new, baseline=False).exists()
    assert PersonChange.objects.filter(person=new).exists()


@pytest.mark.parametrize(
    ("chosen", "email", "said"),
    [
        ([], "kim.lee@acme.test", "some of the records"),
        (["a", "b"], "kim.lee@acme.test", "some of the records"),
        (["a"], "boss@acme.test", "somebody"),
        (["a"], "kim@acme.test", "somebody"),
        (["a"], "nonsense", "work email"),
    ],
)
def test_split_that_cannot_be_writes_nothing(chosen: list[str], email: str, said: str) -> None:
    kim = one_of_two()
    keys = SourceRecord.objects.filter(external_id__in=chosen).values_list("pk", flat=True)
    before = picture()
    with pytest.raises(MergeError, match=said):
        person_split(kim, records=list(keys), work_email=email, reason="x", now=LATER)
    assert picture() == before


def test_pages_ask_before_they_merge_split_and_take_back(client: Client) -> None:
    feed(pair())
    client.force_login(User.objects.create_superuser("owner"))
    ana, other = person("ana.b"), person("ana")
    url = reverse("person-merge", args=[ana.pk])
    assert "ana@acme.test" in client.get(url).content.decode()
    page = client.get(url, {"with": other.pk}).content.decode()
    assert "1 record at a source" in page
    assert "live employment" in page
    assert client.post(url, {"with": other.pk, "reason": "Same"}).status_code == 422
    client.post(url, {"with": other.pk, "reason": "Same", "confirmed": "1"})
    merge = PersonMerge.objects.get()
    assert "Take it back" in client.get(f"/people/{ana.pk}/?tab=sources").content.decode()
    client.post(reverse("person-unmerge", args=[merge.pk]), {"reason": "Two"})
    assert person("ana").source_records.get().external_id == "old"
    split = reverse("person-split", args=[ana.pk])
    assert "nothing to split" in client.get(split).content.decode()
    kim = one_of_two()
    split = reverse("person-split", args=[kim.pk])
    record = kim.source_records.get(external_id="a")
    data = {"record": [record.pk], "work_email": "lee@acme.test", "reason": "Two"}
    assert "Kim Lee" in client.get(split).content.decode()
    client.post(split, data)
    assert person("lee").full_name == "Kim Lee"
