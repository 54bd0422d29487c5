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
from liquid.exceptions import LiquidError
from liquid.stringify import to_liquid_string

Channel = Literal["text", "html", "header", "slack", "json", "path"]

MAX_OUTPUT = 64 * 1024
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
    value = to_liquid_string(node.expression.evaluate(context), autoescape=False)
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


class _Environment(Environment):
    """Limits by resource, so that no template can take a worker down; ``escape`` by channel."""

    context_depth_limit = 10
    loop_iteration_limit = 1_000
    local_namespace_limit = 20_000
    output_stream_limit = MAX_OUTPUT

    def __init__(self, escape: Callable[[str], str]) -> None:
        super().__init__(undefined=Undefined)
        self.escape = escape
        self.add_tag(_OutputTag)
        self.add_tag(_EchoTag)
        # They read other files or write values past the escaping.
        for name in ("include", "render", "cycle", "tablerow"):
            self.tags.pop(name, None)


# Where a value stands amid other syntax it is escaped alone; HTML is escaped as a whole.
_ENVIRONMENTS: dict[Channel, _Environment] = {
    "text": _Environment(_as_is),
    "json": _Environment(_json_text),
    "path": _Environment(_path_part),
}


@lru_cache(maxsize=512)
def parsed(source: str, channel: Channel = "text") -> Any:
    """The template. Raises ``LiquidError`` or ``RecursionError``."""
    return _ENVIRONMENTS.get(channel, _ENVIRONMENTS["text"]).from_string(source)


def filter_names() -> frozenset[str]:
    """Filters that a template may use."""
    return frozenset(_ENVIRONMENTS["text"].filters)


def render(source: str, context: Mapping[str, Any], channel: Channel) -> str:
    """Fill one text for one channel. Raises :class:`TemplateProblemError`.

    ``json`` and ``path`` escape each value for the place it stands in; ``html`` and ``slack`` show
    the whole text as text; ``header`` is one line of at most 300 characters.
    """
    try:
        text = str(parsed(source, channel).render(**context))
    except (LiquidError, RecursionError) as error:
        raise TemplateProblemError(f"The template cannot be filled: {str(error)[:200]}") from error
    text = text.replace("\x00", "")
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
