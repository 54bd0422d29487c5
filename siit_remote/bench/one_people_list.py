"""Measured by :mod:`siit_remote.bench.people_list` in its own process: prints one JSON line."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.models import Q, QuerySet

django.setup()

from django.contrib import admin  # noqa: E402 - models need the set-up above
from django.contrib.auth.models import User  # noqa: E402
from django.test import RequestFactory, override_settings  # noqa: E402

from people.folding import search_text  # noqa: E402
from people.models import LegalEntity, Person, Team  # noqa: E402
from people.person_admin import PersonAdmin  # noqa: E402
from people.searching import plain, search, words_of  # noqa: E402
from people.tabs import BY_KEY, CURRENT  # noqa: E402
from siit_remote.bench.stopwatch import alternate  # noqa: E402

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SEED = 11
_FIRST = ("Ana", "Bo", "Carla", "Dai", "Emil", "Fátima", "Grace", "Hana", "Ife", "Jörg", "Kim")
_LAST = ("Nguyen", "Lopez", "Berg", "Okoye", "Silva", "Kowalczyk", "Müller", "Tanaka", "Rossi")
_TITLES = ("Engineer", "Designer", "Accountant", "Recruiter", "Analyst", "Writer")
_COUNTRIES = ("FRA", "DEU", "ESP", "GBR", "USA", "JPN")
_TYPES = ("contractor", "eor_employee", "direct_employee")
_STATUSES = ("active",) * 8 + ("hired", "ended")
ASKED, NOBODY = "nguyen 7712", "zzzq"
QUERY = {"q": ASKED, "type": "contractor", "tab": "all"}


class PlainAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # Django's class takes none at run time
    """The peer: the same columns, filters and search as a stock changelist has them."""

    list_display = ("full_name", "worker_type", "status", "country", "legal_entity", "manager",
                    "start_date", "end_date")  # fmt: skip
    list_filter = ("worker_type", "employment_type", "country", "legal_entity", "team")
    list_select_related = ("team", "manager", "legal_entity")
    list_per_page = 25
    change_list_template = "admin/change_list.html"
    search_fields = ("full_name", "work_email", "job_title", "remote_id")
    ordering = ("full_name", "pk")


def people_make(count: int) -> None:
    """Made-up people from a fixed seed."""
    draw = random.Random(SEED)  # noqa: S311 - a repeatable benchmark, not a secret
    teams = Team.objects.bulk_create(Team(name=f"Team {number}") for number in range(30))
    entities = LegalEntity.objects.bulk_create(
        LegalEntity(name=f"Acme {number}") for number in range(8)
    )
    rows = []
    for number in range(count):
        name = f"{draw.choice(_FIRST)} {draw.choice(_LAST)} {number}"
        email, title = f"p{number}@acme.test", draw.choice(_TITLES)
        rows.append(
            Person(
                work_email=email,
                full_name=name,
                job_title=title,
                search_text=search_text([name, email, title]),
                country=draw.choice(_COUNTRIES),
                worker_type=draw.choice(_TYPES),
                status=draw.choice(_STATUSES),
                team=draw.choice(teams),
                legal_entity=draw.choice(entities),
                start_date=NOW.date() - timedelta(days=draw.randint(0, 2000)),
                problems=["no_timezone"] if draw.random() < 0.05 else [],
                created_at=NOW,
                updated_at=NOW,
            )
        )
    Person.objects.bulk_create(rows, batch_size=1000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def like(text: str) -> QuerySet[Person]:
    """The peer: what the stock admin asks the database for, in three columns."""
    found = Person.objects.order_by("full_name", "pk")
    for word in text.split():
        found = found.filter(
            Q(full_name__icontains=word)
            | Q(work_email__icontains=word)
            | Q(job_title__icontains=word)
        )
    return found


def page_of(model_admin: Any, user: User, query: dict[str, str]) -> Callable[[], bytes]:
    """The whole page as the browser gets it, without network and session."""

    def get() -> bytes:
        request = RequestFactory().get("/admin/people/person/", query)
        request.user = user
        response = model_admin.changelist_view(request)
        content: bytes = response.render().content
        return content

    return get


@override_settings(
    STORAGES={
        **settings.STORAGES,
        # Where files were collected does not belong to the measurement.
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
)
def main(people: str, rounds: str) -> None:
    """Both ways find the same before either is timed."""
    call_command("migrate", verbosity=0)
    people_make(int(people))
    user = User.objects.create_superuser("owner")
    everybody = Person.objects.order_by("full_name", "pk")
    for text in (ASKED, NOBODY):
        with_index = set(search(everybody, text).values_list("pk", flat=True))
        if with_index != set(plain(everybody, words_of(text)).values_list("pk", flat=True)):
            raise SystemExit(f"Search and LIKE disagree about {text!r}.")
    ours, stock = PersonAdmin(Person, admin.site), PlainAdmin(Person, admin.site)
    stock_query = {"q": ASKED, "worker_type__exact": "contractor"}
    ways: dict[str, Callable[[], object]] = {
        "rows": lambda: list(BY_KEY[CURRENT].narrow(everybody)[:25]),
        "search": lambda: list(search(everybody, ASKED)[:25]),
        "like": lambda: list(like(ASKED)[:25]),
        "search_none": lambda: list(search(everybody, NOBODY)[:25]),
        "like_none": lambda: list(like(NOBODY)[:25]),
        "page": page_of(ours, user, {}),
        "plain_page": page_of(stock, user, {}),
        "page_search": page_of(ours, user, QUERY),
        "plain_search": page_of(stock, user, stock_query),
    }
    for way in ways.values():
        way()
    taken = alternate(int(rounds), *ways.values())
    sys.stdout.write(f"{json.dumps(dict(zip(ways, taken, strict=True)))}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
