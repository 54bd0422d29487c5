"""Texts that admins write: judged when saved, filled within limits, harmless where they end up."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime
from typing import Any

import pytest

from people.models import LegalEntity, Person, Team
from workflows.messages import (
    TemplateProblemError,
    message_context,
    render,
    render_message,
    source_problems,
    template_problems,
    variant_for,
)
from workflows.templating import MAX_OUTPUT

T0 = datetime(2026, 11, 1, tzinfo=UTC)
EVIL = (
    "<script>alert(1)</script> & \"q\" 'a' {{ person.work_email }} <!channel> <@U1>"
    "\r\nBcc: x@evil.test"
)

# Names that exist in no template: models, internals of Python, Django, Jinja, Liquid, others.
UNKNOWN_NAMES = [
    "{{ person.password }}",
    "{{ person.date_of_birth }}",
    "{{ person.birth_year }}",
    "{{ person.__class__ }}",
    "{{ person.__class__.__mro__ }}",
    "{{ person._meta }}",
    "{{ person.objects }}",
    "{{ person.pk }}",
    "{{ person.custom }}",
    "{{ person.manager.work_email }}",
    "{{ person.full_name.__len__ }}",
    "{{ person['password'] }}",
    "{{ person[person.full_name] }}",
    "{{ person }}",
    "{{ manager.date_of_birth }}",
    "{{ manager.manager.work_email }}",
    "{{ run.snapshot }}",
    "{{ run.step }}",
    "{{ workflow.draft }}",
    "{{ workflow.document }}",
    "{{ request }}",
    "{{ request.META }}",
    "{{ request.user }}",
    "{{ request.user.password }}",
    "{{ request.requester.password }}",
    "{{ settings.SECRET_KEY }}",
    "{{ settings }}",
    "{{ config.items }}",
    "{{ self }}",
    "{{ self.__init__.__globals__ }}",
    "{{ lipsum }}",
    "{{ cycler.__init__ }}",
    "{{ namespace.os }}",
    "{{ user.password }}",
    "{{ user.set_password }}",
    "{{ env.SECRET_KEY }}",
    "{{ os.environ }}",
    "{{ block.super }}",
    "{{ forms }}",
    "{{ perms.auth }}",
    "{{ csrf_token }}",
    "{{ globals }}",
    "{% assign x = settings.SECRET_KEY %}{{ x }}",
    "{% for a in person %}{{ a }}{% endfor %}",
    "{% for a in workspace.people %}{{ a.work_email }}{% endfor %}",
    "{% if user.is_superuser %}x{% endif %}",
    "{% capture x %}{{ secrets.token }}{% endcapture %}{{ x }}",
    "{% case session.key %}{% when 1 %}x{% endcase %}",
    "{{ 'a' | append: settings.SECRET_KEY }}",
]

# Syntax of other engines, tags that reach outside, or plain nonsense.
BROKEN = [
    "{{ person.full_name",
    "{{ }",
    "{% if person.full_name %}",
    "{% for a in %}{% endfor %}",
    "{% unknown %}",
    "{% load static %}",
    "{% extends 'base.html' %}",
    "{% debug %}",
    "{% lorem 20000 p %}",
    "{% csrf_token %}",
    "{% autoescape off %}x{% endautoescape %}",
    "{% import 'os' as os %}",
    "{% set x = 1 %}",
    "{% macro x() %}{% endmacro %}",
    "{% call x() %}{% endcall %}",
    "{% url 'admin:index' %}",
    "{% ssi '/etc/passwd' %}",
    "{% now 'Y' %}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ person.full_name() }}",
    "{{ person.full_name | attr: '__class__' | nosuch }}",
    "{{ 7*7 }}",
    "{{ 'x'|ljust:'100000000' }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{% endif %}",
    "{% include 'admin/base_site.html' %}",
    "{% render 'secrets' %}",
]

# Not placeholders here at all: they stay as they are written.
HARMLESS = [
    "${7*7}",
    "#{7*7}",
    "%{x}",
    "%(password)s",
    "{0.__class__}",
    "{person.password}",
    "<%= 7*7 %>",
    "${T(java.lang.Runtime).getRuntime().exec('id')}",
    "$(id) `id`",
    "../../../etc/passwd",
    "100 % of {curly} braces",
]

# Things that would take a worker down without limits.
BOMBS = [
    "{% for i in (1..100000000) %}x{% endfor %}",
    "{% for i in (1..900) %}{% for j in (1..900) %}{{ person.full_name }}{% endfor %}{% endfor %}",
    "{% assign x = 'aaaaaaaaaa' %}" + "{% assign x = x | append: x | append: x %}" * 25 + "{{ x }}",
    "{% for i in (1..999) %}" + "a" * 1000 + "{% endfor %}",
    "{% tablerow i in (1..100000000) %}x{% endtablerow %}",
    "{% capture a %}"
    + "b" * 10000
    + "{% endcapture %}"
    + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 12
    + "{{ a }}",
    "{% if true %}" * 2000 + "x" + "{% endif %}" * 2000,
    "{{ " + "person.full_name | upcase" + " | upcase" * 1800 + " }}",
]


def person_make(**values: Any) -> Person:
    defaults: dict[str, Any] = {
        "work_email": "ana@acme.test",
        "full_name": "Ana López",
        "date_of_birth": date(1990, 5, 4),
        "start_date": date(2026, 12, 1),
        "country": "ESP",
    }
    return Person(**{**defaults, **values})


CONTEXT = message_context(person_make(full_name=EVIL))


@pytest.mark.parametrize("source", UNKNOWN_NAMES)
def test_unknown_name_is_refused_when_saved(source: str) -> None:
    assert source_problems(source, "body")


@pytest.mark.parametrize("source", BROKEN)
def test_broken_or_foreign_syntax_is_refused_when_saved(source: str) -> None:
    assert source_problems(source, "body")


@pytest.mark.parametrize("source", [*UNKNOWN_NAMES, *BROKEN])
def test_refused_source_reveals_nothing_even_if_rendered(source: str) -> None:
    for channel in ("text", "html", "header", "slack", "json"):
        try:
            text = render(source, CONTEXT, channel)
        except TemplateProblemError:
            continue
        for secret in ("SECRET", "development-only", "1990", "root:", "<class", "<function"):
            assert secret not in text


@pytest.mark.parametrize("source", HARMLESS)
def test_other_engines_placeholders_stay_as_written(source: str) -> None:
    assert source_problems(source, "body") == []
    assert render(source, CONTEXT, "text") == source


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_bomb_ends_quickly_and_small(source: str) -> None:
    begun = time.process_time()
    source_problems(source, "body")
    try:
        text = render(source, CONTEXT, "text")
    except TemplateProblemError:
        text = ""
    assert time.process_time() - begun < 3
    assert len(text.encode()) <= MAX_OUTPUT


@pytest.mark.parametrize(
    "source",
    [
        "{{ person.full_name }}",
        "{{ person.full_name | upcase }}",
        "{{ person.full_name | truncate: 12 }}",
        "{{ person.full_name | replace: '&lt;', '<' | replace: '&gt;', '>' }}",
        "{{ person.full_name | split: '' | join: '' }}",
        "{{ '%3Cscript%3E' | url_decode }}",
        "{{ 'PHNjcmlwdD4=' | base64_decode }}",
        "{{ person.full_name | escape | replace: '&lt;', '<' }}",
        "{{ person.full_name | safe }}",
        "{{ person.full_name | newline_to_br }}",
        "{% capture x %}{{ person.full_name }}{% endcapture %}{{ x }}",
        "<script>{{ person.full_name }}</script>",
        "{% assign x = '<script>' %}{{ x }}",
        "{{ '<script>' }}",
    ],
)
def test_html_part_never_holds_markup_of_a_template_or_a_value(source: str) -> None:
    try:
        found = render_message("s", source, CONTEXT)
    except TemplateProblemError:
        return
    inner = found.html.replace("<p>", "").replace("</p>", "").replace("<br>", "")
    assert "<" not in inner
    assert ">" not in inner


def test_html_part_shows_each_character_once_escaped() -> None:
    context = message_context(person_make(full_name="Tom & <Jerry>"))
    found = render_message("s", "{{ person.full_name | upcase }} a < b", context)
    assert found.text == "TOM & <JERRY> a < b"
    assert found.html == "<p>TOM &amp; &lt;JERRY&gt; a &lt; b</p>"


def test_comparison_inside_a_tag_works_in_every_part() -> None:
    source = "{% if person.full_name contains 'L' and 3 > 2 and 1 < 2 %}yes{% endif %}"
    assert source_problems(source, "body") == []
    context = message_context(person_make())
    found = render_message("s", source, context)
    assert (found.text, found.html) == ("yes", "<p>yes</p>")


@pytest.mark.parametrize(
    "name",
    ["a\r\nBcc: x@evil.test", "a\nb", "a\rb", "a\x0bb", "a\x0cb", "a\u2028b", "a\x85b", "a\x00b"],
)
def test_header_is_one_line(name: str) -> None:
    context = message_context(person_make(full_name=name))
    found = render("Hello {{ person.full_name }}", context, "header")
    assert len(found.splitlines()) == 1
    assert "\x00" not in found


def test_slack_text_mentions_nobody_and_links_nothing() -> None:
    found = render("{{ person.full_name }} {{ '<!here>' }}", CONTEXT, "slack")
    assert "<" not in found
    assert "&lt;!channel&gt;" in found


@pytest.mark.parametrize(
    "name", ['"', "\\", '", "admin": "x', "a\nb\tc\x01", "é😀", "{{ x }}", "\\u0022", "</script>"]
)
def test_json_stays_json_with_the_same_value(name: str) -> None:
    context = message_context(person_make(full_name=name))
    source = '{"name": "{{ person.full_name }}", "mail": "{{ person.work_email }}"}'
    assert json.loads(render(source, context, "json")) == {"name": name, "mail": "ana@acme.test"}


@pytest.mark.parametrize("cut", ["truncate: 4, ''", "slice: 0, 4", "replace: 'x', '\\'"])
def test_json_stays_json_whatever_a_filter_cuts_off(cut: str) -> None:
    context = message_context(person_make(full_name='abc"x', job_title=', "admin": true, "z": "'))
    source = '{"a": "{{ person.full_name | ' + cut + ' }}", "b": "{{ person.job_title }}"}'
    assert set(json.loads(render(source, context, "json"))) == {"a", "b"}


@pytest.mark.parametrize("name", ["../../admin", "a/b?c=d#e", "%2e%2e/x", "a b\r\nHost: x"])
def test_path_keeps_a_value_inside_its_segment(name: str) -> None:
    context = message_context(person_make(full_name=name))
    found = render("/people/{{ person.full_name }}/{{ person.work_email }}", context, "path")
    assert found.count("/") == 3
    assert not set(found) & set("?# \r\n")
    assert found.endswith("/ana@acme.test")


@pytest.mark.parametrize("name", [".", ".."])
def test_path_of_dots_is_refused(name: str) -> None:
    context = message_context(person_make(full_name=name))
    with pytest.raises(TemplateProblemError):
        render("/people/{{ person.full_name }}/x", context, "path")


def test_birthday_never_tells_the_year() -> None:
    context = message_context(person_make())
    assert "1990" not in json.dumps(context)
    assert render("{{ person.birthday }}", context, "text") == "4 May"


def test_missing_value_is_empty_and_default_helps() -> None:
    context = message_context(person_make(preferred_name="", full_name="Ana", job_title=""))
    assert render("Hi {{ person.preferred_name }}", context, "text") == "Hi Ana"
    assert render("{{ manager.full_name }}|", context, "text") == "|"
    assert render("{{ person.job_title | default: 'colleague' }}", context, "text") == "colleague"


def test_good_template_has_no_problems() -> None:
    variants = [
        {"language": "fr", "country": "FRA", "subject": "Bienvenue", "body": "Bonjour"},
        {
            "default": True,
            "subject": "Welcome {{ person.preferred_name }}",
            "body": "{% if manager.full_name != '' %}{{ manager.full_name }}{% endif %}"
            "{% assign a = person.team %}{{ a | upcase }}{{ request.form.model }}"
            "{{ run.anchor }} {{ workflow.name }}",
        },
    ]
    assert template_problems(variants) == []


@pytest.mark.parametrize(
    ("variants", "path"),
    [
        ([], "variants"),
        (["x"], "variants[0]"),
        ([{"default": True, "subject": "x"}], "variants[0].body"),
        ([{"default": True, "body": 5}], "variants[0].body"),
        ([{"default": True, "body": "x", "lang": "fr"}], "variants[0].lang"),
        ([{"default": True, "body": "{{ person.fullname }}"}], "variants[0].body"),
        ([{"default": True, "body": "x", "subject": "{{ nobody.x }}"}], "variants[0].subject"),
        ([{"default": True, "body": "x" * 30_000}], "variants[0].body"),
    ],
)
def test_bad_template_is_refused_where_it_is_bad(variants: list[Any], path: str) -> None:
    assert path in [problem.path for problem in template_problems(variants)]


def test_misspelt_name_is_told_what_was_meant() -> None:
    (problem,) = source_problems("{{ person.fullname }}", "body")
    assert "full_name" in problem.message


VARIANTS = [
    {"default": True, "body": "default"},
    {"language": "fr", "body": "fr"},
    {"language": "fr", "country": "BEL", "body": "fr-BEL"},
    {"country": "DEU", "body": "DEU"},
]


@pytest.mark.parametrize(
    ("language", "country", "expected"),
    [
        ("", "", "default"),
        ("fr", "FRA", "fr"),
        ("fr", "BEL", "fr-BEL"),
        ("", "DEU", "DEU"),
        ("fr", "DEU", "fr"),
        ("it", "ITA", "default"),
        ("it", "DEU", "DEU"),
        ("", "BEL", "fr-BEL"),
    ],
)
def test_variant_by_language_then_country_then_default(
    language: str, country: str, expected: str
) -> None:
    person = person_make(language=language, country=country)
    assert variant_for(VARIANTS, person)["body"] == expected


def test_language_of_the_entity_counts_where_the_person_has_none() -> None:
    person = person_make(country="FRA", legal_entity=LegalEntity(name="Acme SAS", language="fr"))
    assert variant_for(VARIANTS, person)["body"] == "fr"


def test_context_holds_scalars_only() -> None:
    def check(value: object) -> None:
        if isinstance(value, dict):
            for item in value.values():
                check(item)
        else:
            assert value is None or type(value) in (str, int, float, bool)

    manager = person_make(work_email="boss@acme.test", full_name="Boss")
    check(message_context(person_make(manager=manager, team=Team(name="Engineering"))))
