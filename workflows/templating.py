"""Liquid behind one door: limits, no way out of the template, escaping as the last thing.

Liquid was made for untrusted authors: it never calls a method, and it is given no model. A value is
escaped where it is written, after every filter, so that no filter can take the escaping back.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal, TextIO, cast
from urllib.parse import quote

from liquid import Environment, RenderContext, Undefined
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags.echo_tag import EchoNode, EchoTag
from liquid.builtin.tags.for_tag import ForNode, ForTag
from liquid.exceptions import LiquidError
from liquid.stringify import to_liquid_string

from workflows.templating_limits import (
    code_judge,
    filters_guarded,
    loops_allowed,
    range_judge,
    work_counted,
)

Channel = Literal["text", "html", "header", "slack", "json", "path"]

MAX_OUTPUT = 64 * 1024
# Filters of the library stumble over odd values in ways of their own.
_CANNOT_BE_FILLED = (
    LiquidError,
    RecursionError,
    ValueError,
    TypeError,
    ArithmeticError,
    AttributeError,
    LookupError,
)
_LONGEST = {"header": 300, "path": 2_000}


class TemplateProblemError(ValueError):
    """A template that cannot be rendered; the message says where."""


def _as_is(text: str) -> str:
    return text


def _json_text(text: str) -> str:
    return json.dumps(text)[1:-1]


def _path_part(text: str) -> str:
    return quote(text, safe="@")


def _rendered(node: OutputNode, context: RenderContext, buffer: TextIO) -> int:
    found = node.expression.evaluate(context)
    # Scalars, and lists that a filter made of a text; never what the context itself is made of.
    shown = "" if isinstance(found, Mapping | tuple | range) else found
    value = to_liquid_string(shown, autoescape=False)
    return buffer.write(cast(_Environment, context.env).escape(value))


class _Output(OutputNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _rendered(self, context, buffer)


class _Echo(EchoNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        return _rendered(self, context, buffer)


class _OutputTag(Output):
    node_class = _Output


class _EchoTag(EchoTag):
    node_class = _Echo


class _For(ForNode):
    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        # The library makes a list of what is read backwards before it counts it.
        range_judge(self.expression.iterable.evaluate(context))
        return super().render_to_output(context, buffer)


class _ForTag(ForTag):
    node_class = _For


class _Environment(Environment):
    """Limits by resource, so that no template can take a worker down; ``escape`` by channel."""

    context_depth_limit = 10
    local_namespace_limit = 20_000
    output_stream_limit = MAX_OUTPUT

    def __init__(self, escape: Callable[[str], str], *, loops: int) -> None:
        super().__init__(undefined=Undefined)
        self.escape = escape
        # The library reads it from the environment, whichever way it was set.
        object.__setattr__(self, "loop_iteration_limit", loops)
        self.filters = filters_guarded(self.filters)
        self.add_tag(_OutputTag)
        self.add_tag(_EchoTag)
        self.add_tag(_ForTag)
        # They read other files or write values past the escaping.
        for name in ("include", "render", "cycle", "tablerow"):
            self.tags.pop(name, None)


# Where a value stands amid other syntax it is escaped alone; HTML is escaped as a whole.
_ESCAPES: dict[Channel, Callable[[str], str]] = {
    "text": _as_is,
    "json": _json_text,
    "path": _path_part,
}


@lru_cache(maxsize=32)
def _environment(channel: Channel, loops: int) -> _Environment:
    return _Environment(_ESCAPES.get(channel, _as_is), loops=loops)


@lru_cache(maxsize=512)
def parsed(source: str, channel: Channel = "text") -> Any:
    """The template. Raises ``LiquidError`` or ``RecursionError``."""
    code_judge(source)
    return _environment(channel, loops_allowed(source)).from_string(source)


def filter_names() -> frozenset[str]:
    """Filters that a template may use."""
    return frozenset(_environment("text", 5).filters)


def render(source: str, context: Mapping[str, Any], channel: Channel) -> str:
    """Fill one text for one channel. Raises :class:`TemplateProblemError`.

    ``json`` and ``path`` escape each value for the place it stands in; ``html`` and ``slack`` show
    the whole text as text; ``header`` is one line of at most 300 characters.
    """
    try:
        with work_counted():
            text = str(parsed(source, channel).render(**context))
    except _CANNOT_BE_FILLED as error:
        words = str(error.message) if isinstance(error, LiquidError) else type(error).__name__
        raise TemplateProblemError(f"The template cannot be filled: {words[:200]}") from error
    return within_limit(_for_channel(text.replace("\x00", ""), channel))


def within_limit(text: str) -> str:
    """``text`` as it is. Raises :class:`TemplateProblemError` beyond 64 kB."""
    if len(text) > MAX_OUTPUT or len(text.encode("utf-8", "replace")) > MAX_OUTPUT:
        raise TemplateProblemError(f"The text is longer than {MAX_OUTPUT // 1024} kB.")
    return text


def _for_channel(text: str, channel: Channel) -> str:
    if channel == "path" and {".", ".."} & set(text.split("/")):
        raise TemplateProblemError("A path must not have . or .. between its slashes.")
    if channel in ("header", "path"):
        line = " ".join(text.split())
        return "".join(char for char in line if char.isprintable())[: _LONGEST[channel]]
    if channel == "html":
        return html.escape(text)
    if channel == "slack":
        # https://docs.slack.dev/messaging/formatting-message-text#escaping
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text
