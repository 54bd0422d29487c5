"""The search finds with its index what a plain look-up finds, on each database."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from people.folding import fold, search_text
from people.models import Person
from people.search_index import INDEX, index_drop, index_ensure, sqlite_index_stands
from people.searching import plain, search, words_of
from people.tests.build import NOW, feed, worker
from siit_remote.lib import clock

ALPHABET = "abcABC lŁøéñ%_\\\"'*.@-(ﬀ𝐀ß中\n"
TEXTS = st.text(alphabet=ALPHABET, max_size=12)


def _people(texts: list[str]) -> list[Person]:
    return Person.objects.bulk_create(
        Person(
            work_email=f"p{number}@acme.test",
            search_text=search_text([text, "tail"]),
            created_at=NOW,
            updated_at=NOW,
        )
        for number, text in enumerate(texts)
    )


def _expected(text: str) -> set[int]:
    words = fold(text).split()
    return {
        pk
        for pk, stored in Person.objects.values_list("pk", "search_text")
        if all(word in stored for word in words)
    }


class SearchIsContains(TestCase):
    """Hypothesis needs a test case for its transactions."""

    @hypothesis_settings(max_examples=50, deadline=None)
    @given(texts=st.lists(TEXTS, max_size=8), wanted=TEXTS, cut=st.integers(0, 8))
    def test_found_are_those_who_contain_every_word(
        self, texts: list[str], wanted: str, cut: int
    ) -> None:
        _people(texts)
        for asked in (wanted, *(text[cut : cut + 4] for text in texts[:3])):
            expected = _expected(asked)
            assert set(search(Person.objects.all(), asked).values_list("pk", flat=True)) == expected
            without = plain(Person.objects.all(), words_of(asked))
            assert set(without.values_list("pk", flat=True)) == expected


@pytest.mark.django_db
def test_index_follows_what_is_written_changed_and_deleted() -> None:
    first, second = _people(["anna berg", "bo lind"])
    assert search(Person.objects.all(), "ann ber").get() == first
    Person.objects.filter(pk=first.pk).update(search_text="carla dahl")
    assert not search(Person.objects.all(), "anna").exists()
    assert search(Person.objects.all(), "carla").get() == first
    second.search_text = "anna again"
    Person.objects.bulk_create(
        [second], update_conflicts=True, unique_fields=["id"], update_fields=["search_text"]
    )
    assert search(Person.objects.all(), "anna").get() == second
    second.delete()
    assert not search(Person.objects.all(), "anna").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["a\x00b", "x" * 7_000, '"', "%", "_", "\\", "* OR", "NEAR("])
def test_odd_words_find_nobody_and_break_nothing(text: str) -> None:
    _people(["anna berg"])
    assert not search(Person.objects.all(), text).exists()


@pytest.mark.django_db
def test_no_words_and_very_many_words_are_answered() -> None:
    _people(["anna berg"])
    assert search(Person.objects.all(), "  ").count() == 1
    assert search(Person.objects.all(), " ".join(f"w{n}" for n in range(900))).count() == 0


@pytest.mark.django_db
def test_search_goes_on_without_the_index_and_uses_it_once_mended() -> None:
    _people(["anna berg"])
    index_drop(connection)
    assert search(Person.objects.all(), "anna").count() == 1
    Person.objects.update(search_text="bo lind")
    assert search(Person.objects.all(), "bo lind").count() == 1
    index_ensure(connection)
    assert search(Person.objects.all(), "bo lind").count() == 1
    assert search(Person.objects.all(), "anna").count() == 0


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="the triggers of SQLite")
def test_index_without_its_triggers_is_not_trusted() -> None:
    _people(["anna berg"])
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {INDEX}_update")
    Person.objects.update(search_text="bo lind")
    assert not sqlite_index_stands(connection)
    assert search(Person.objects.all(), "bo lind").count() == 1
    index_ensure(connection)
    assert search(Person.objects.all(), "bo lind").count() == 1


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "postgresql", reason="the extension of PostgreSQL")
def test_missing_extension_is_told_and_search_reads_on(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    _people(["anna berg"])
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION pg_trgm CASCADE")
    monkeypatch.setattr("people.search_index.EXTENSION", "CREATE EXTENSION no_such_extension")
    index_ensure(connection)
    assert "CREATE EXTENSION pg_trgm" in caplog.text
    assert search(Person.objects.all(), "anna").count() == 1


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps an index by itself")
def test_index_is_consistent_with_the_table_by_its_own_check() -> None:
    first, _ = _people(["anna berg", "bo lind"])
    Person.objects.filter(pk=first.pk).update(search_text="carla dahl", updated_at=clock.now())
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"INSERT INTO {INDEX}({INDEX}, rank) VALUES('integrity-check', 1)")
    except DatabaseError as error:
        pytest.fail(f"The index has drifted: {error}")


@pytest.mark.django_db
def test_nobody_is_found_by_a_field_that_the_account_may_not_see() -> None:
    feed([worker("ana", "Ána Łopez", job_title="Chief Pilot"), worker("tom", "Tom Pilot")])
    everybody = Person.objects.all()
    assert {str(one) for one in search(everybody, "pilot")} == {"Ána Łopez", "Tom Pilot"}
    hidden = frozenset({"job_title"})
    assert {str(one) for one in search(everybody, "pilot", hidden=hidden)} == {"Tom Pilot"}
    assert {str(one) for one in search(everybody, "lopez", hidden=hidden)} == {"Ána Łopez"}
    assert not search(everybody, "lopez pilot", hidden=hidden)
    assert set(search(everybody, " ", hidden=hidden)) == set(everybody)
