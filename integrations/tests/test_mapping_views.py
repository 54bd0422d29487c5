"""Mapping of a connected source, and the replacing of its token."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_q.models import OrmQ

from integrations.models import Connection, SyncRun
from integrations.services import connection_save, connection_test
from integrations.simulator.company import build_company
from integrations.simulator.server import Simulator
from integrations.sync import setup_finish
from integrations.tasks import sync_connections
from integrations.tests.worker import work
from people.models import EmploymentType, LifecycleEvent, Person, PersonChange, WorkerTypeMapping
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company

BASE = "/settings/integrations/hr/"
TOKEN = "ra_test_first"


def simulated(seed: int = 1, token: str = TOKEN) -> Simulator:
    company = build_company(30, seed, clock.now().date(), "acme.example")
    return Simulator(company, token=token)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with simulated() as running:
        yield running


@pytest.fixture
def company(db: None) -> Company:
    made = small_company()
    Connection.objects.all().delete()
    return made


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


@pytest.fixture
def connection(company: Company, simulator: Simulator) -> Connection:
    made = connection_save(
        key="hr",
        connector="remote",
        name="Remote",
        config={"base_url": simulator.base_url},
        secrets={"api_token": TOKEN},
    )
    connection_test(made)
    setup_finish(made, actor=None, now=clock.now())
    OrmQ.objects.all().delete()
    made.refresh_from_db()
    return made


def chosen(**types: str) -> dict[str, str]:
    kept = {"eor_employee": "employee", "direct_employee": "employee", "contractor": "contractor"}
    return {f"type_{kind}": key for kind, key in {**kept, **types}.items()}


def test_mapping_shows_values_counts_fields_and_the_workflows_that_ask(
    hr: Client, connection: Connection, company: Company
) -> None:
    rule = {"field": "person.worker_type", "operator": "is", "value": "contractor"}
    document = {"conditions": {"combinator": "and", "rules": [rule]}}
    company.objects["workflow"].versions.update(document=document)
    html = hr.get(f"{BASE}mapping/").content.decode()
    assert "contractor/contractor" in html
    assert "talent_pool_member" in html
    assert "not Remote’s local employer" in html
    row = html[html.index("chip-contractor") :]
    assert "Offboarding" in row[: row.index("</tr>")]


def test_preview_names_who_changes_and_writes_nothing(hr: Client, connection: Connection) -> None:
    contractors = Person.objects.filter(worker_type="contractor", remote_id__gt="")
    html = hr.post(f"{BASE}mapping/", {**chosen(contractor=""), "new_type": "Freelancer"})
    assert f"{contractors.count()} people would change" in html.content.decode()
    assert contractors.first().full_name in html.content.decode()
    assert not EmploymentType.objects.filter(key="freelancer").exists()
    assert WorkerTypeMapping.objects.get(worker_type="contractor").employment_type.key == (
        "contractor"
    )
    assert set(contractors.values_list("employment_type", flat=True)) == {"contractor"}


def test_apply_changes_exactly_the_previewed_and_tells_the_engine(
    hr: Client, connection: Connection
) -> None:
    wanted = {**chosen(contractor="freelancer"), "new_type": "Freelancer"}
    html = hr.post(f"{BASE}mapping/", wanted).content.decode()
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', html)[1]
    hr.post(f"{BASE}mapping/apply/", {**wanted, "fingerprint": fingerprint})
    changed = Person.objects.filter(worker_type="contractor", remote_id__gt="")
    assert set(changed.values_list("employment_type", flat=True)) == {"freelancer"}
    assert PersonChange.objects.filter(field="employment_type").count() == changed.count()
    assert LifecycleEvent.objects.filter(field="employment_type", baseline=False).exists()
    assert AuditEntry.objects.filter(action="mapping.changed").count() == 1
    assert OrmQ.objects.count() == 1


def test_apply_of_an_old_preview_is_refused_whole(hr: Client, connection: Connection) -> None:
    wanted = chosen(contractor="employee")
    html = hr.post(f"{BASE}mapping/", wanted).content.decode()
    fingerprint = re.search(r'name="fingerprint" value="(\w+)"', html)[1]
    Person.objects.filter(worker_type="contractor").update(employment_type="employee")
    answer = hr.post(f"{BASE}mapping/apply/", {**wanted, "fingerprint": fingerprint}, follow=True)
    assert b"Nothing was changed" in answer.content
    assert WorkerTypeMapping.objects.get(worker_type="contractor").employment_type.key == (
        "contractor"
    )


def test_it_sees_the_mapping_and_cannot_change_it(company: Company, connection: Connection) -> None:
    client = Client()
    client.force_login(company.users["it"])
    html = client.post(f"{BASE}mapping/", chosen(contractor="employee")).content.decode()
    assert "would change" not in html
    assert "<select" not in html


def test_another_companys_token_is_refused_with_nothing_written(
    hr: Client, connection: Connection
) -> None:
    before = (connection.secrets_token, connection.config, AuditEntry.objects.count())
    with simulated(seed=7, token="ra_test_other") as other:
        form = {
            "name": "Changed",
            "setting_api_token": "ra_test_other",
            "setting_base_url": other.base_url,
        }
        html = hr.post(f"{BASE}settings/", form).content.decode()
    assert "another company" in html
    connection.refresh_from_db()
    assert (connection.secrets_token, connection.config, AuditEntry.objects.count()) == before
    assert (connection.name, connection.status) == ("Remote", "ready")


def test_a_token_that_does_not_work_does_not_replace_the_one_that_does(
    hr: Client, connection: Connection, simulator: Simulator
) -> None:
    form = {
        "name": "Remote",
        "setting_api_token": "ra_test_typo",
        "setting_base_url": simulator.base_url,
    }
    assert b"Unauthorized" in hr.post(f"{BASE}settings/", form).content
    connection.refresh_from_db()
    assert connection.get_secrets()["api_token"] == TOKEN
    simulator.set_token("ra_test_typo")
    assert hr.post(f"{BASE}settings/", form).status_code == 302
    connection.refresh_from_db()
    assert (connection.status, connection.get_secrets()["api_token"]) == ("ready", "ra_test_typo")


def test_a_revoked_token_is_probed_once_per_interval_and_heals_by_itself(
    connection: Connection, simulator: Simulator
) -> None:
    simulator.revoke_token()
    begin = clock.now() + timedelta(hours=5)
    simulator.clear_requests()
    for minutes in range(0, 480, 5):
        with clock.fixed(begin + timedelta(minutes=minutes)):
            sync_connections()
    connection.refresh_from_db()
    assert connection.status == Connection.Status.NEEDS_ATTENTION
    assert len(simulator.requests) == 2
    assert connection.syncs.filter(status=SyncRun.Status.FAILED).count() == 2
    simulator.set_token(TOKEN)
    with clock.fixed(begin + timedelta(hours=9)):
        sync_connections()
    connection.refresh_from_db()
    assert (connection.status, connection.last_error) == ("ready", "")


def test_sync_now_over_real_http_ends_in_the_log(
    hr: Client, connection: Connection, simulator: Simulator
) -> None:
    person = Person.objects.filter(remote_id__gt="", status="active").first()
    simulator.update(person.remote_id, job_title="Chief Tester")
    hr.post(f"{BASE}sync/")
    work(only="integrations")
    run = connection.syncs.first()
    assert (run.trigger, run.requested_by) == ("manual", User.objects.get(username="hr"))
    html = hr.get(f"{BASE}syncs/{run.pk}/").content.decode()
    assert "Chief Tester" in html
    assert person.full_name in html
