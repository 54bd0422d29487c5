"""Change which source is right for a field and who may see it: proposed, looked at, then applied.

What a proposal would do is worked out by the very resolution that applies it, so that what the
preview shows is what happens. If anything differs by then, nothing is applied.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction

from people.applying import ApplyResult, plan_apply
from people.fields_registry import field_labels
from people.loading import directory_load, directory_lock, policy_load
from people.models import FieldPolicy, FieldProposal
from people.plan import PersonPlan, Plan
from people.reconcile import reconcile
from people.services import ENGINE
from siit_remote.audit.services import record
from siit_remote.lib.bell import ring

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    Actor = AbstractBaseUser | AnonymousUser | None

_DIGEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """For one field: its sources, most trusted first, and the roles that may see it.

    No sources means the connections in the order in which they were made; no roles, everybody who
    may see the person.
    """

    sources: tuple[str, ...] = ()
    visible_to: tuple[str, ...] = ()

    def to_data(self) -> dict[str, list[str]]:
        """JSON shape."""
        return {"sources": list(self.sources), "visible_to": list(self.visible_to)}

    @classmethod
    def from_data(cls, data: Mapping[str, Sequence[str]]) -> Terms:
        """Inverse of :meth:`to_data`."""
        return cls(sources=tuple(data["sources"]), visible_to=tuple(data["visible_to"]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a proposal would do, now."""

    plan: Plan
    digests: Mapping[str, str]
    """Person → digest of what would be written for them."""
    differing: frozenset[str]
    """Those for whom it is no longer what was shown."""

    @property
    def changing(self) -> list[PersonPlan]:
        """People with a changed value, by name."""
        return sorted(
            self.plan.updated, key=lambda plan: (plan.values["full_name"].casefold(), str(plan.ref))
        )

    @property
    def only_elsewhere(self) -> int:
        """How many keep every value, of which some then come from another source."""
        return sum(
            1
            for plan in self.plan.people
            if plan.before is not None
            and not plan.changes
            and dict(plan.value_sources) != dict(plan.before.value_sources)
        )


class ProposalStaleError(Exception):
    """Something differs from what was shown; nothing was applied. ``fields`` changed meanwhile."""

    def __init__(self, preview: Preview, fields: Sequence[str] = ()) -> None:
        super().__init__("The preview is out of date.")
        self.preview = preview
        self.fields = tuple(fields)


def terms_now() -> dict[str, Terms]:
    """What is in force, for the fields that have terms of their own."""
    return {
        row.field: Terms(sources=tuple(row.sources), visible_to=tuple(row.visible_to))
        for row in FieldPolicy.objects.all()
    }


def proposal_create(
    wanted: Mapping[str, Terms], *, now: datetime, actor: Actor
) -> FieldProposal | None:
    """Keep what somebody wants to change, with a mark of what it would do.

    ``None`` when it is all so already. Replaces the account's earlier proposals that were never
    applied.
    """
    present = terms_now()
    changes = {name: terms for name, terms in wanted.items() if terms != present.get(name, Terms())}
    if not changes:
        return None
    author = actor.pk if actor is not None and actor.is_authenticated else None
    with transaction.atomic():
        FieldProposal.objects.filter(created_by_id=author, applied_at=None).delete()
        row = FieldProposal(
            changes={name: terms.to_data() for name, terms in changes.items()},
            before={name: present.get(name, Terms()).to_data() for name in changes},
            created_by_id=author,
            created_at=now,
        )
        row.shown = dict(proposal_preview(row, now=now).digests)
        row.save()
    return row


def proposal_renew(proposal: FieldProposal, *, now: datetime) -> None:
    """Make the preview anew after something differed: what it shows now is what counts."""
    with transaction.atomic():
        directory_lock()
        present = terms_now()
        proposal.before = {name: present.get(name, Terms()).to_data() for name in proposal.changes}
        proposal.shown = dict(proposal_preview(proposal, now=now).digests)
        proposal.save(update_fields=["before", "shown"])


def proposal_preview(proposal: FieldProposal, *, now: datetime) -> Preview:
    """What applying the proposal would write now, by the resolution that would write it."""
    policy = policy_load()
    sources = {name: tuple(data["sources"]) for name, data in proposal.changes.items()}
    plan = reconcile(
        (),
        directory=directory_load(),
        policy=replace(policy, field_sources={**policy.field_sources, **sources}),
        now=now,
        everyone=True,
    )
    digests = {str(person.ref): _digest(person) for person in plan.people}
    shown: Mapping[str, str] = proposal.shown
    differing = {
        ref for ref in {*digests, *shown} if proposal.pk and digests.get(ref) != shown.get(ref)
    }
    return Preview(plan=plan, digests=digests, differing=frozenset(differing))


def _digest(person: PersonPlan) -> str:
    body = [
        [[change.field, change.before, change.after, change.source] for change in person.changes],
        sorted(person.value_sources.items()),
    ]
    text = json.dumps(body, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]


def proposal_apply(proposal: FieldProposal, *, now: datetime, actor: Actor = None) -> ApplyResult:
    """Put the proposal into force and resolve everybody, in one transaction.

    Raises :class:`ProposalStaleError` when it would do anything else than was shown, and
    ``FieldProposal.DoesNotExist`` when it was applied already.
    """
    with transaction.atomic():
        directory_lock()
        row = FieldProposal.objects.select_for_update().get(pk=proposal.pk, applied_at=None)
        preview = proposal_preview(row, now=now)
        present = terms_now()
        moved = [
            name
            for name, data in row.before.items()
            if present.get(name, Terms()) != Terms.from_data(data)
        ]
        if moved or preview.differing:
            raise ProposalStaleError(preview, moved)
        _policies_write(row, people=len(preview.plan.updated), actor=actor)
        result = plan_apply(preview.plan, now=now, correlation=f"fields:{row.pk}")
        FieldProposal.objects.filter(pk=row.pk).update(applied_at=now, shown={})
        if result.changed_anything:
            ring(ENGINE)
    return result


def _policies_write(proposal: FieldProposal, *, people: int, actor: Actor) -> None:
    labels = field_labels()
    for name, data in sorted(proposal.changes.items()):
        before, after = Terms.from_data(proposal.before[name]), Terms.from_data(data)
        if after == Terms():
            FieldPolicy.objects.filter(field=name).delete()
        else:
            FieldPolicy.objects.update_or_create(field=name, defaults=after.to_data())
        if before.sources != after.sources:
            detail: dict[str, Any] = {
                "before": list(before.sources),
                "after": list(after.sources),
                "people_changed": people,
            }
            _audit("field_policy.changed", name, labels.get(name, name), proposal, actor, detail)
        if before.visible_to != after.visible_to:
            detail = {"before": list(before.visible_to), "after": list(after.visible_to)}
            action = "field_policy.visibility_changed"
            _audit(action, name, labels.get(name, name), proposal, actor, detail)


def _audit(
    action: str,
    name: str,
    label: str,
    proposal: FieldProposal,
    actor: Actor,
    detail: dict[str, Any],
) -> None:
    record(
        action,
        actor=actor,
        object_type="field",
        object_key=name,
        object_label=label,
        detail=detail,
        correlation=f"fields:{proposal.pk}",
    )
