"""Numbers that no row can have: refused in words, never an error of the server."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from siit_remote.lib.numbers import row_numbers
from siit_remote.tests.people_with_roles import small_company

HUGE = ("9" * 20, "9" * 400, "9" * 5000)


def test_row_numbers_takes_what_can_be_one() -> None:
    sent = ["1", "x", "²", "١٢", "-1", "1e3", "", str(2**63), str(2**63 - 1), *HUGE, "7"]
    assert row_numbers(sent, most=9) == [1, 2**63 - 1, 7]
    assert row_numbers(["1", "2", "3"], most=2) == [1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize("number", [*HUGE, "x"], ids=len)
def test_number_that_no_row_has_is_a_bad_request(number: str) -> None:
    company, client = small_company(), Client()
    client.force_login(company.users["owner"])
    bulk = client.post("/runs/selection/", {"runs": number, "act": "retry"})
    assert bulk.status_code in (302, 400)
    asked = client.post("/approvals/approve/", {"approval": number})
    assert asked.status_code in (302, 404)
    User.objects.filter(pk=company.users["owner"].pk).update(is_superuser=True, is_staff=True)
    role = client.post("/admin/people/role/add/", {"name": "x", "members": number})
    assert role.status_code in (200, 400)
    action = {"action": "delete_selected", "_selected_action": number}
    assert client.post("/admin/people/role/", action).status_code in (200, 302, 400)
