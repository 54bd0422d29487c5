"""Keys made from names."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.models import Application, Bundle
from siit_remote.lib.keys import LONGEST, key_from
from siit_remote.tests.people_with_roles import small_company
from workflows.models import ApproverPolicy, Service


def test_name_becomes_a_readable_key() -> None:
    assert key_from("Laptop, Europe", kind="bundle") == "laptop-europe"
    assert key_from("  ", kind="bundle") == ""
    assert re.fullmatch(r"bundle-[0-9a-f]{6}", key_from("ノート", kind="bundle"))
    assert key_from("ノート", kind="bundle") != key_from("椅子", kind="bundle")


@settings(max_examples=50)
@given(st.text(min_size=1))
def test_key_of_any_name_can_stand_in_an_address(name: str) -> None:
    key = key_from(name, kind="app")
    assert key == key_from(name, kind="app")
    assert bool(key) == bool(name.strip())
    assert re.fullmatch(rf"[-a-zA-Z0-9_]{{0,{LONGEST}}}", key)


@pytest.mark.django_db
def test_things_with_names_in_any_letters_have_pages() -> None:
    company, client = small_company(), Client()
    client.force_login(company.users["hr"])
    form = {"name": "ノート", "items": "PC", "provision_by": "task", "baseline.type": "manager",
            "baseline-asked": "{}", "do": "save", "category": "x"}  # fmt: skip
    for url, model in (
        ("/equipment/bundles/new/", Bundle),
        ("/new-application/", Application),
        ("/policies/new/", ApproverPolicy),
        ("/services/new/", Service),
    ):
        answer = client.post(url, form)
        assert answer.status_code == 302, (url, answer.content.decode()[:4000])
        made = model.objects.get(name="ノート")
        assert made.key
        assert client.get(answer["Location"]).status_code == 200
