"""Bundles of equipment: what is in them, and for whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction

from integrations.models import Bundle, Connection
from siit_remote.audit.services import record


class BundleRefusedError(Exception):
    """The bundle was not saved; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleData:
    """Everything an admin sets of a bundle."""

    key: str
    name: str
    items: Sequence[str]
    countries: Sequence[str]
    employment_types: Sequence[str]
    connection: Connection | None
    active: bool


def bundle_save(bundle: Bundle | None, data: BundleData, *, actor: Any) -> Bundle:
    """Make or change a bundle. What was shipped keeps what it held then.

    Raises :class:`BundleRefusedError` when a new key is taken.
    """
    row = bundle or Bundle(key=data.key)
    row.name, row.connection, row.active = data.name, data.connection, data.active
    row.items, row.countries = list(data.items), list(data.countries)
    row.employment_types = list(data.employment_types)
    try:
        with transaction.atomic():
            row.save()
            record(
                "bundle.saved",
                actor=actor,
                object_type="bundle",
                object_key=row.key,
                object_label=row.name,
            )
    except IntegrityError as error:
        raise BundleRefusedError(f"There is a bundle “{data.key}” already.") from error
    return row
