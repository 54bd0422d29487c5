"""The editor of message templates: variants, faults with their place, a preview per person."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from people.models import CustomField, FieldPolicy
from siit_remote.audit.models import AuditEntry
from siit_remote.lib import clock
from siit_remote.tests.people_with_roles import Company, small_company
from workflows.document.parse import parse_document
from workflows.message_editing import message_shown, placeholders
from workflows.messages import message_context, render_message, source_faults
from workflows.models import MessageTemplate
from workflows.services import draft_save

pytestmark = pytest.mark.django_db


@pytest.fixture
def company() -> Company:
    return small_company()


@pytest.fixture
def hr(company: Company) -> Client:
    client = Client()
    client.force_login(company.users["hr"])
    return client


def _form(*rows: dict[str, str], name: str = "Welcome", **more: str) -> dict[str, str]:
    data = {"name": name, **more}
    for number, row in enumerate(rows):
        data |= {f"variant-{number}-{key}": value for key, value in row.items()}
    return data


FRENCH = {"language": "fr", "country": "FRA", "subject": "Bonjour", "body": "Bonjour !"}
DEFAULT = {
    "language": "",
    "country": "",
    "default": "yes",
    "subject": "Hello {{ person.preferred_name }}",
    "body": "Your manager is {{ manager.full_name }}.",
}


@pytest.mark.parametrize(
    ("source", "place"),
    [
        ("Hi {{ person.nmae }}", (1, 7)),
        ("Hi\n\n  {{ person.team | shuot }}", (3, 20)),
        ("Hi\n{{ nobody.name }}", (2, 4)),
        ("a\n {{ person.team", (2, 2)),
        ("a {% bogus %}", (1, 6)),
    ],
)
def test_a_mistake_in_a_text_says_its_line_and_column(source: str, place: tuple[int, int]) -> None:
    (fault,) = source_faults(source)
    assert (fault.line, fault.column) == place
    assert str(fault).startswith(f"Line {place[0]}, column {place[1]}: ")


def test_every_placeholder_that_is_offered_is_a_name_a_text_may_hold(company: Company) -> None:
    now = clock.now()
    CustomField.objects.create(key="badge", label="Badge colour", enabled=True, created_at=now)
    offered = [item for _, items in placeholders() for item in items]
    assert {"person.full_name", "person.custom.badge", "run.due_at"} <= {
        item.name for item in offered
    }
    assert [fault for item in offered for fault in source_faults(item.source)] == []
    assert all(item.label for item in offered)


def test_a_template_is_made_with_its_variants_and_noted(hr: Client) -> None:
    answer = hr.post(reverse("message-template-new"), _form(FRENCH, DEFAULT, name="Day one"))
    assert answer.status_code == 302
    saved = MessageTemplate.objects.get(key="day-one")
    assert saved.variants == [
        {"language": "fr", "country": "FRA", "subject": "Bonjour", "body": "Bonjour !"},
        {"default": True, "subject": DEFAULT["subject"], "body": DEFAULT["body"]},
    ]
    assert AuditEntry.objects.filter(action="template.saved", object_key="day-one").count() == 1


def test_a_second_template_of_one_name_gets_a_key_of_its_own(hr: Client) -> None:
    hr.post(reverse("message-template-new"), _form(DEFAULT, name="Welcome"))
    hr.post(reverse("message-template-new"), _form(DEFAULT, name="New"))
    keys = set(MessageTemplate.objects.values_list("key", flat=True))
    assert keys == {"welcome", "welcome-2", "new-2"}


def test_saving_a_mistake_says_where_and_saves_nothing(hr: Client) -> None:
    before = MessageTemplate.objects.get(key="welcome").variants
    wrong = DEFAULT | {"body": "Hello\n{{ person.nmae }}"}
    answer = hr.post(reverse("message-template", args=["welcome"]), _form(FRENCH, wrong))
    assert answer.status_code == 422
    words = answer.content.decode()
    assert "Line 2, column 4: Unknown name person.nmae." in words
    assert 'href="#variant-1-body"' in words
    assert 'data-line="2"' in words
    assert "person.nmae }}</textarea>" in words
    assert MessageTemplate.objects.get(key="welcome").variants == before


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (_form(DEFAULT, name=""), "Give the template a name."),
        (_form(FRENCH | {"body": ""}), "Text 1: There is no text yet."),
        (_form(), "at least one variant"),
    ],
)
def test_what_is_missing_is_said_in_words(hr: Client, form: dict[str, str], words: str) -> None:
    answer = hr.post(reverse("message-template", args=["welcome"]), form)
    assert answer.status_code == 422
    assert words in answer.content.decode()


def test_rows_are_added_and_moved_without_saving(hr: Client) -> None:
    url = reverse("message-template", args=["welcome"])
    more = hr.post(url, _form(FRENCH, DEFAULT, do="add-variant"))
    assert len(more.context["state"]["variants"]) == 3
    moved = hr.post(url, _form(FRENCH, DEFAULT, do="down-variant-0"))
    assert [row["language"] for row in moved.context["state"]["variants"]] == ["", "fr"]
    assert MessageTemplate.objects.get(key="welcome").variants[0]["subject"] == "Bienvenue"


def test_preview_shows_what_is_typed_for_the_person_chosen(hr: Client, company: Company) -> None:
    report = company.people["report"]
    report.language = "fr"
    report.save(update_fields=["language"])
    url = reverse("message-template-preview")
    theirs = hr.post(url, _form(FRENCH, DEFAULT, person="report@acme.test")).content.decode()
    assert "Bonjour" in theirs
    assert "gets the text for French, France" in theirs
    other = hr.post(
        url, _form(FRENCH, DEFAULT, person="Report Example (report@acme.test)", which="1")
    ).content.decode()
    assert "Hello Report Example" in other
    assert "Your manager is Manager Example." in other
    assert "who gets another one" in other
    assert MessageTemplate.objects.get(key="welcome").variants[0]["subject"] == "Bienvenue"


def test_preview_names_what_is_empty_what_is_broken_and_nobody(hr: Client) -> None:
    url = reverse("message-template-preview")
    lone = hr.post(url, _form(DEFAULT, person="manager@acme.test")).content.decode()
    assert "manager.full_name" in lone
    broken = _form(DEFAULT | {"body": "{{ person.nmae }}"}, person="manager@acme.test")
    assert "Line 1, column 4: Unknown name person.nmae." in hr.post(url, broken).content.decode()
    nobody = hr.post(url, _form(DEFAULT, person="Zed")).content.decode()
    assert "Nobody you may see is called “Zed”." in nobody


def test_preview_escapes_what_people_are_called(hr: Client, company: Company) -> None:
    report = company.people["report"]
    report.full_name, report.preferred_name = "<b>Bob</b>", ""
    report.save(update_fields=["full_name", "preferred_name"])
    words = hr.post(
        reverse("message-template-preview"), _form(DEFAULT, person="report@acme.test")
    ).content.decode()
    assert "Hello &lt;b&gt;Bob&lt;/b&gt;" in words
    assert "<b>Bob" not in words


def test_preview_shows_the_formatted_part_of_the_mail_as_it_is_sent(
    hr: Client, company: Company
) -> None:
    """That part has no HTML of the author's own: what they type is text, tags and all."""
    body = "<b>Dear</b> {{ person.full_name }}\n<script>x()</script>"
    shown = hr.post(
        reverse("message-template-preview"),
        _form({**DEFAULT, "body": body}, person="report@acme.test"),
    ).content.decode()
    sent = render_message("s", body, message_context(company.people["report"])).html
    assert "<script" not in sent
    assert "&lt;b&gt;Dear&lt;/b&gt; Report Example<br>" in sent
    lines = sent.removeprefix("<p>").removesuffix("</p>").split("<br>\n")
    assert len(lines) == 2
    for line in lines:
        assert line in shown


def test_preview_hides_what_the_reader_may_not_see(company: Company) -> None:
    report = company.people["report"]
    variants: list[dict[str, Any]] = [{"default": True, "body": "{{ person.job_title }}"}]
    report.job_title = "Spy"
    hidden = frozenset({"job_title"})
    shown = message_shown(variants, report, which=None, hidden=hidden, now=clock.now())
    assert shown is not None and shown.rendered is not None
    assert shown.rendered.text == "(hidden from you)"


def test_preview_follows_the_visibility_of_fields(hr: Client) -> None:
    FieldPolicy.objects.create(field="country", sources=[], visible_to=["Owner"])
    form = _form(DEFAULT | {"body": "From {{ person.country }}"}, person="report@acme.test")
    assert (
        "From (hidden from you)"
        in hr.post(reverse("message-template-preview"), form).content.decode()
    )


def test_a_template_that_a_workflow_sends_stays(hr: Client, company: Company) -> None:
    document = parse_document(
        {
            "format": "siit.workflow/1",
            "key": "hello",
            "name": "Hello",
            "trigger": {"type": "person.start_date", "params": {}},
            "steps": [
                {
                    "key": "say",
                    "action": "message.send",
                    "params": {"to": "person", "template": "welcome"},
                }
            ],
        }
    )
    draft_save(document, now=clock.now(), actor=company.users["hr"])
    answer = hr.post(reverse("message-template-delete", args=["welcome"]), follow=True)
    assert "Welcome is used by “Hello”" in answer.content.decode()
    assert "Sent by “Hello”" in " ".join(
        hr.get(reverse("message-templates")).content.decode().split()
    )
    assert MessageTemplate.objects.filter(key="welcome").exists()


def test_a_template_that_nothing_sends_is_deleted_and_noted(hr: Client) -> None:
    hr.post(reverse("message-template-delete", args=["welcome"]))
    assert not MessageTemplate.objects.exists()
    assert AuditEntry.objects.filter(action="template.deleted", object_key="welcome").exists()
