"""Teams and legal entities that a feed names: found or made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from people.models import LegalEntity, Team
from people.plan import RecordPlan


def teams_ensure(names: Iterable[str]) -> dict[str, int]:
    """Name → primary key of each team, made where it is missing."""
    wanted = {name for name in names if name}
    found = dict(Team.objects.filter(name__in=wanted).values_list("name", "pk")) if wanted else {}
    missing = sorted(wanted - found.keys())
    if missing:
        Team.objects.bulk_create([Team(name=name) for name in missing], ignore_conflicts=True)
        found.update(Team.objects.filter(name__in=missing).values_list("name", "pk"))
    return found


def entities_named(names: Iterable[str], records: Iterable[RecordPlan]) -> dict[str, int]:
    """Name → primary key of each legal entity, made where it is missing.

    ``records`` tell the source's id of one that is made.
    """
    wanted = {name for name in names if name}
    if not wanted:
        return {}
    found = dict(LegalEntity.objects.filter(name__in=wanted).values_list("name", "pk"))
    missing = sorted(wanted - found.keys())
    if missing:
        ids = {
            record.legal_entity: record.legal_entity_id
            for record in (plan.record for plan in records)
            if record.legal_entity_id
        }
        LegalEntity.objects.bulk_create(
            [LegalEntity(name=name, external_id=ids.get(name, "")) for name in missing],
            ignore_conflicts=True,
        )
        found.update(LegalEntity.objects.filter(name__in=missing).values_list("name", "pk"))
    return found


def entities_ensure(entities: Sequence[Mapping[str, str]]) -> int:
    """Take over legal entities as a source lists them (``id``, ``name``, ``country`` alpha-3).

    Found by the source's id, so that a renamed entity keeps its row, settings and people. Returns
    how many rows were written.
    """
    known = {row.external_id: row for row in LegalEntity.objects.exclude(external_id="")}
    by_name = {row.name: row for row in LegalEntity.objects.all()}
    written = 0
    for entity in entities:
        external_id, name = entity.get("id", ""), entity.get("name", "")[:200]
        if not name:
            continue
        row = known.get(external_id) or by_name.get(name) or LegalEntity(name=name)
        holder = by_name.get(name)
        before = (row.pk, row.external_id, row.name, row.country)
        row.external_id = external_id[:64] or row.external_id
        row.country = row.country or entity.get("country", "")[:3]
        if holder is None or holder.pk == row.pk:
            row.name = name
        if before != (row.pk, row.external_id, row.name, row.country) or row.pk is None:
            row.save()
            by_name[row.name] = row
            written += 1
    return written
