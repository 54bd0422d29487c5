"""Fixtures of the tests of pages."""

from __future__ import annotations

import pytest

from siit_remote.tests.people_with_roles import Company, small_company


@pytest.fixture
def company(db: None) -> Company:
    """Accounts of every role and one of everything."""
    return small_company()
