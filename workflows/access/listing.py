"""The catalogue of applications as pages show it: a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q, QuerySet

from integrations.access_calls import by_hand, is_readable, place_of
from integrations.models import AccessReading, AppAccess, Application
from people.folding import fold
from workflows.access.drift import WORDS
from workflows.access.should import rule_words

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationRow:
    """One line of the catalogue."""

    application: Application
    rule: str
    how: str
    holders: int
    stuck: int
    differs: int
    """Differences when they were last counted; accounts of nobody we know among them."""
    reading: AccessReading | None

    @property
    def counting(self) -> bool:
        """Whether something happened since the differences were counted."""
        return self.reading is not None and self.reading.changed

    @property
    def readable(self) -> bool:
        """Whether a connection can say who has it."""
        return is_readable(self.application)


def how_words(application: Application) -> str:
    """How it is given, in words: “By the group github-users at Okta”."""
    connection = application.connection
    if application.provision_by == Application.Provision.TASK or connection is None:
        return "By hand, as a task"
    if by_hand(application):
        return f"By hand: {connection.name} is not connected"
    if application.provision_by == Application.Provision.GROUP:
        return f"By the group {place_of(application) or '?'} at {connection.name}"
    if application.provision_by == Application.Provision.APP:
        return f"By the application {place_of(application) or '?'} at {connection.name}"
    if application.provision_by == Application.Provision.ACCOUNT:
        return f"By an account at {connection.name}"
    return f"By a signed call to {connection.name}"


def applications_found(
    seen: QuerySet[Application], *, query: str, category: str, retired: bool
) -> QuerySet[Application]:
    """Of ``seen`` by name and category; those out of use only when asked for."""
    rows = seen.select_related("owner", "connection", "reading")
    rows = rows.filter(active=not retired)
    if category:
        rows = rows.filter(category=category)
    for word in query.split():
        rows = rows.filter(Q(name__icontains=word) | Q(key__icontains=fold(word)))
    return rows.order_by("name", "pk")


def categories(seen: QuerySet[Application]) -> list[str]:
    """The categories that are in use among ``seen``."""
    rows = seen.exclude(category="").order_by("category")
    return list(rows.values_list("category", flat=True).distinct())


def application_rows(applications: list[Application]) -> list[ApplicationRow]:
    """The lines of a page; one query for all counts."""
    states = AppAccess.State
    numbers = {
        row["application"]: row
        for row in AppAccess.objects.filter(application__in=applications)
        .order_by()
        .values("application")
        .annotate(
            holders=Count("pk", filter=AppAccess.HELD),
            stuck=Count(
                "pk", filter=Q(state__in=[states.FAILED, states.UNCERTAIN, states.BY_HAND])
            ),
        )
    }
    return [_row(application, numbers.get(application.pk, {})) for application in applications]


def counted_since(rows: Iterable[ApplicationRow]) -> datetime | None:
    """The oldest moment at which differences of these lines were counted."""
    moments = [row.reading.drift_at for row in rows if row.reading is not None]
    return min((moment for moment in moments if moment is not None), default=None)


def _row(application: Application, numbers: Mapping[str, int]) -> ApplicationRow:
    reading = getattr(application, "reading", None)
    return ApplicationRow(
        application=application,
        rule=rule_words(application),
        how=how_words(application),
        holders=numbers.get("holders", 0),
        stuck=numbers.get("stuck", 0),
        differs=sum((reading.drift if reading is not None else {}).values()),
        reading=reading,
    )


def kind_tabs(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """Key, words and number of every kind of difference that occurs."""
    return [(kind, words, counts[kind]) for kind, words in WORDS.items() if counts.get(kind)]
