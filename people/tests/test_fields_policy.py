"""Source of truth and visibility: what is shown is what happens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User

from people.fields_policy import (
    ProposalStaleError,
    Terms,
    proposal_apply,
    proposal_create,
    proposal_preview,
    proposal_renew,
    terms_now,
)
from people.fields_registry import directory_field, directory_fields
from people.fields_stats import competing_values, fields_coverage
from people.models import (
    CustomField,
    FieldPolicy,
    FieldProposal,
    LifecycleEvent,
    PersonChange,
)
from people.overriding import person_override_set
from people.records import WorkerRecord
from people.tests.build import NOW, boss, day, feed, person, picture, worker
from siit_remote.audit.models import AuditEntry

pytestmark = pytest.mark.django_db
LATER = NOW + timedelta(hours=1)


def from_idp(external_id: str, name: str, **values: object) -> WorkerRecord:
    """What a second source says of the same person."""
    values.setdefault("manager_email", "")
    return replace(worker(external_id, name), source="idp", **values)  # type: ignore[arg-type]


@pytest.fixture
def two_sources() -> None:
    feed([boss(), worker("w1", job_title="Engineer"), worker("w2", job_title="Clerk")])
    feed(
        [
            from_idp("x1", "w1", job_title="Developer", team=""),
            from_idp("x2", "w2", job_title="CLERK ", country="DEU"),
        ],
        now=LATER,
    )


def idp_first(*names: str) -> FieldProposal:
    wanted = {name: Terms(sources=("idp",)) for name in names}
    found = proposal_create(wanted, now=LATER, actor=None)
    assert found is not None
    return found


@pytest.mark.usefixtures("two_sources")
def test_preview_names_who_would_change_and_changes_nothing() -> None:
    before = picture()
    preview = proposal_preview(idp_first("job_title", "team"), now=LATER)
    changing = [plan.values["work_email"] for plan in preview.changing]
    assert changing == ["w1@acme.test", "w2@acme.test"]
    lines = {change.field: (change.before, change.after) for change in preview.changing[0].changes}
    # The provider has no team for w1: the blank falls through.
    assert lines == {"job_title": ("Engineer", "Developer")}
    assert picture() == before
    assert not preview.differing


@pytest.mark.usefixtures("two_sources")
def test_applied_is_what_was_shown_in_one_transaction_and_audited() -> None:
    user = User.objects.create(username="hana")
    proposal = idp_first("country")
    result = proposal_apply(proposal, now=LATER, actor=user)
    assert result.updated == 1
    assert (person("w2").country, person("w2").value_sources["country"]) == ("DEU", "idp")
    assert terms_now() == {"country": Terms(sources=("idp",))}
    assert PersonChange.objects.filter(correlation=f"fields:{proposal.pk}").count() >= 1
    assert LifecycleEvent.objects.filter(field="country").count() == 1
    entry = AuditEntry.objects.get(action="field_policy.changed")
    assert entry.detail == {"before": [], "after": ["idp"], "people_changed": 1}
    with pytest.raises(FieldProposal.DoesNotExist):
        proposal_apply(proposal, now=LATER)


@pytest.mark.usefixtures("two_sources")
def test_nothing_is_applied_when_somebody_changed_meanwhile_until_looked_at_again() -> None:
    proposal = idp_first("job_title")
    feed([from_idp("x1", "w1", job_title="Architect"), from_idp("x2", "w2")], now=LATER)
    with pytest.raises(ProposalStaleError) as stale:
        proposal_apply(proposal, now=LATER)
    assert stale.value.preview.differing == {str(person("w1").pk), str(person("w2").pk)}
    assert person("w1").job_title == "Engineer"
    assert not FieldPolicy.objects.exists()
    proposal_renew(proposal, now=LATER)
    proposal_apply(proposal, now=LATER)
    assert person("w1").job_title == "Architect"


@pytest.mark.usefixtures("two_sources")
def test_a_proposal_says_when_somebody_else_changed_the_same_field() -> None:
    proposal = idp_first("seniority")
    FieldPolicy.objects.create(field="seniority", sources=["remote"])
    with pytest.raises(ProposalStaleError) as stale:
        proposal_apply(proposal, now=LATER)
    assert stale.value.fields == ("seniority",)


@pytest.mark.usefixtures("two_sources")
def test_visibility_is_proposed_and_audited_on_its_own() -> None:
    wanted = {"seniority": Terms(visible_to=("Owner",))}
    proposal = proposal_create(wanted, now=LATER, actor=None)
    assert proposal is not None
    assert proposal_apply(proposal, now=LATER).updated == 0
    assert FieldPolicy.objects.get().visible_to == ["Owner"]
    entry = AuditEntry.objects.get(action="field_policy.visibility_changed")
    assert entry.detail == {"before": [], "after": ["Owner"]}
    back = proposal_create({"seniority": Terms()}, now=LATER, actor=None)
    assert back is not None
    proposal_apply(back, now=LATER)
    assert not FieldPolicy.objects.exists()


def test_the_same_as_now_is_no_proposal() -> None:
    assert proposal_create({"country": Terms()}, now=NOW, actor=None) is None


def test_coverage_counts_current_people_with_a_value() -> None:
    feed([boss(), worker("w1", end_date=day(20)), worker("w2", job_title="Clerk")])
    feed([boss(), worker("w1", end_date=day(-9), contract_status="ended"), worker("w2")])
    covered = fields_coverage(directory_fields())
    assert (covered["country"].have, covered["country"].people) == (2, 2)
    assert (covered["manager"].have, covered["manager"].percent) == (1, 50)
    assert (covered["job_title"].have, covered["end_date"].have) == (0, 0)


@pytest.mark.usefixtures("two_sources")
def test_competing_values_leave_out_blanks_and_mere_spelling() -> None:
    names = ("job_title", "country", "team", "manager")
    fields = [found for name in names if (found := directory_field(name)) is not None]
    found = competing_values(fields)
    assert {name: [row.person_id for row in rows] for name, rows in found.items()} == {
        "job_title": [person("w1").pk],
        "country": [person("w2").pk],
        "team": [],
        "manager": [],
    }
    assert found["job_title"][0].values == (("idp", "Developer"), ("remote", "Engineer"))


def test_one_manager_named_in_two_ways_is_no_competition() -> None:
    feed([boss(), worker("w1", manager_external_id="boss", manager_email="")])
    feed([from_idp("x1", "w1", manager_email="Boss@acme.test")], now=LATER)
    manager = directory_field("manager")
    assert manager is not None
    assert competing_values([manager]) == {"manager": []}


def test_an_ended_employment_does_not_compete_with_a_live_one() -> None:
    feed([worker("w1", job_title="Engineer")])
    ended = from_idp("x1", "w1", job_title="Intern", contract_status="ended")
    feed([ended], now=LATER)
    title = directory_field("job_title")
    assert title is not None
    assert competing_values([title]) == {"job_title": []}


def test_coverage_of_a_custom_field_leaves_out_nothing_on_purpose() -> None:
    CustomField.objects.create(
        key="level", label="Level", type="number", enabled=True, created_at=NOW
    )
    feed([worker(f"w{number}", custom={"level": 0} if number else {}) for number in range(3)])
    person_override_set(person("w1"), field="custom.level", value=None, reason="Unknown", now=LATER)
    covered = fields_coverage(directory_fields())["custom.level"]
    assert (covered.have, covered.people, covered.percent) == (1, 3, 33)
