"""Whatever is done to the activity log behind our back shows."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from siit_remote.audit.head import head_note, head_trouble
from siit_remote.audit.models import AuditEntry
from siit_remote.audit.services import _hash, record, verify_chain
from siit_remote.diagnosis import check_audit
from siit_remote.tasks import note_audit_end

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
SEED = 20260310


def _entries(count: int) -> list[AuditEntry]:
    for number in range(count):
        record("settings.changed", object_label=f"Setting {number}", detail={"was": number})
    return list(AuditEntry.objects.order_by("pk"))


def _edit(chance: random.Random, rows: list[AuditEntry]) -> None:
    row = chance.choice(rows)
    changes: dict[str, Any] = {
        "at": row.at + timedelta(seconds=1),
        "actor_label": "somebody else",
        "action": "role.changed",
        "object_label": "Something else",
        "detail": {"was": -1},
        "previous_hash": "0" * 64,
        "hash": f"{chance.getrandbits(256):064x}",
    }
    name = chance.choice(sorted(changes))
    AuditEntry.objects.filter(pk=row.pk).update(**{name: changes[name]})


def _delete(chance: random.Random, rows: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=chance.choice(rows[:-1]).pk).delete()


def _insert(chance: random.Random, rows: list[AuditEntry]) -> None:
    """One more, with a hash of its own that fits what stands before it."""
    before = chance.choice(rows)
    made = AuditEntry(
        pk=rows[-1].pk + 1, at=before.at, actor_label="ada", action="role.changed", detail={}
    )
    made.previous_hash = before.hash if before.pk != rows[-1].pk else rows[0].hash
    made.hash = _hash(made)
    made.save(force_insert=True)


def _swap(chance: random.Random, rows: list[AuditEntry]) -> None:
    first, second = chance.sample(rows, 2)
    for row, other in ((first, second), (second, first)):
        AuditEntry.objects.filter(pk=row.pk).update(
            object_label=other.object_label, detail=other.detail
        )


def _truncate(chance: random.Random, rows: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk__gte=chance.choice(rows).pk).delete()


def _rewrite(chance: random.Random, rows: list[AuditEntry]) -> None:
    """Everything from one entry on anew, with hashes that hold."""
    index = chance.randrange(len(rows))
    previous = rows[index - 1].hash if index else ""
    rows[index].object_label = "Never happened"
    for row in rows[index:]:
        row.previous_hash = previous
        row.hash = previous = _hash(row)
        row.save()


TAMPERS: tuple[Callable[[random.Random, list[AuditEntry]], None], ...] = (
    _edit,
    _delete,
    _insert,
    _swap,
    _truncate,
    _rewrite,
)


def _found(count: int, path: Path) -> int:
    chance = random.Random(SEED)
    _entries(12)
    assert head_note(path, now=NOW)
    found = 0
    for number in range(count):
        with transaction.atomic():
            TAMPERS[number % len(TAMPERS)](chance, list(AuditEntry.objects.order_by("pk")))
            found += verify_chain() is not None or head_trouble(path) != ""
            transaction.set_rollback(True)
    assert (verify_chain(), head_trouble(path)) == (None, "")
    return found


def test_every_tamper_is_found(tmp_path: Path) -> None:
    assert _found(30, tmp_path / "head.json") == 30


@pytest.mark.slow
def test_a_thousand_tampers_are_found(tmp_path: Path) -> None:
    assert _found(1000, tmp_path / "head.json") == 1000


def test_an_end_that_was_taken_away_stays_noted(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "head.json"
    assert head_note(path, now=NOW), "an empty log has no end to note"
    rows = _entries(3)
    assert head_note(path, now=NOW)
    kept = path.read_text()
    AuditEntry.objects.filter(pk=rows[-1].pk).delete()
    assert not head_note(path, now=NOW)
    assert path.read_text() == kept
    assert "seen on 10 Mar 2026 09:00 UTC" in head_trouble(path)
    path.write_text("{}")
    assert "makes no sense" in head_trouble(path)
    assert not head_note(path, now=NOW)


def test_doctor_tells_and_the_worker_notes(tmp_path: Path, settings: Any) -> None:
    assert "nothing outside remembers" in check_audit(NOW).detail
    assert note_audit_end() == {"noted": False}
    settings.WITNESS_FOLDER = str(tmp_path)
    rows = _entries(2)
    assert note_audit_end() == {"noted": True}
    assert check_audit(NOW).ok
    AuditEntry.objects.filter(pk=rows[-1].pk).update(actor_label="nobody")
    told = check_audit(NOW)
    assert (told.ok, f"entry {rows[-1].pk}" in told.detail) == (False, True)
    AuditEntry.objects.filter(pk=rows[-1].pk).delete()
    told = check_audit(NOW)
    assert "its end was taken away" in told.detail
    assert str(tmp_path) in told.hint
