"""Text ↔ plain data, for documents that strangers wrote.

YAML is read from its events, not by PyYAML's constructors: no tags, no anchors (and so no bombs),
no duplicate keys, a line for each path, and YAML 1.2's plain words: `on`, `yes`, `18:00` and
`2026-01-31` without quotes stay text. Every plain scalar that is read as something else than text
is read the same by a YAML 1.1 reader, so what we write means the same to both.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from workflows.document.plain import MAX_DEPTH, MAX_NODES
from workflows.problems import DocumentError, Problem, join

MAX_BYTES = 256 * 1024
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?[0-9]+\.[0-9]*([eE][-+][0-9]+)?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_TIME = re.compile(r"\d+(:\d+)+")
# PyYAML would write them as they are, and every reader takes them for spaces.
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
_MAX_DIGITS = 30
# libyaml's parser where PyYAML was built with it; both give the same events.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class ReadText:
    """Plain data and the line (from 1) on which each path begins; JSON has no lines."""

    data: Any
    lines: dict[str, int]


def read_text(text: str | bytes) -> ReadText:
    """YAML or JSON as plain data. Raises DocumentError with a line where one is known."""
    decoded = _decode(text)
    if decoded.lstrip()[:1] in ("{", "["):
        found = _read_json(decoded)
        if found is not None:
            return found
    return _YamlReader().read(decoded)


def _fail(message: str, *, path: str = "", line: int | None = None) -> DocumentError:
    return DocumentError([Problem(path, message, line=line)])


def _decode(text: str | bytes) -> str:
    if len(text) > MAX_BYTES:
        raise _fail(f"Larger than {MAX_BYTES // 1024} kB.")
    try:
        raw = text.encode() if isinstance(text, str) else text
        decoded = raw.decode("utf-8-sig")
    except UnicodeEncodeError as exc:
        line = text.count("\n", 0, exc.start) + 1 if isinstance(text, str) else None
        raise _fail("Holds half a character (a lone surrogate).", line=line) from exc
    except UnicodeDecodeError as exc:
        raise _fail("Not UTF-8 text; save the file as UTF-8.") from exc
    if len(raw) > MAX_BYTES:
        raise _fail(f"Larger than {MAX_BYTES // 1024} kB.")
    if "\x00" in decoded:
        line = decoded.count("\n", 0, decoded.index("\x00")) + 1
        raise _fail("Holds a NUL character.", line=line)
    return decoded


def _read_json(text: str) -> ReadText | None:
    """The text as JSON, or None if it is not JSON (it may be YAML's flow style)."""
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(items)
        if len(result) != len(items):
            keys = [key for key, _ in items]
            duplicates.extend(sorted({key for key in keys if keys.count(key) > 1}))
        return result

    def integer(digits: str) -> int:
        if len(digits) > _MAX_DIGITS:
            raise _fail("A number has too many digits.")
        return int(digits)

    def constant(name: str) -> float:
        raise _fail(f"{name} is no value.")

    try:
        data = json.loads(text, object_pairs_hook=pairs, parse_int=integer, parse_constant=constant)
    except json.JSONDecodeError:
        return None
    except RecursionError as exc:
        raise _fail(f"Nested deeper than {MAX_DEPTH} levels.") from exc
    if duplicates:
        raise DocumentError(
            Problem("", f'The key "{key[:60]}" stands twice.') for key in duplicates
        )
    return ReadText(data, {})


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not been read yet."""

    value: Any
    path: str
    key: str | None = None
    keys: set[str] = field(default_factory=set)


class _YamlReader:
    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.lines: dict[str, int] = {}
        self.problems: list[Problem] = []
        self.data: Any = None
        self.documents = 0
        self.nodes = 0

    def read(self, text: str) -> ReadText:
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                self._event(event)
        except yaml.MarkedYAMLError as exc:
            mark = exc.problem_mark
            line = mark.line + 1 if mark is not None else None
            raise _fail(f"Not valid YAML: {exc.problem or exc}.", line=line) from exc
        except yaml.YAMLError as exc:
            raise _fail(f"Not valid YAML: {str(exc).splitlines()[0]}.") from exc
        if self.problems:
            raise DocumentError(self.problems)
        if self.data is None:
            raise _fail("The document is empty.")
        return ReadText(self.data, self.lines)

    def _event(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                raise _fail("More than one document in the file.", line=line)
        elif isinstance(event, yaml.AliasEvent):
            raise _fail("Aliases (*name) are not supported: write the value out.", line=line)
        elif isinstance(event, yaml.CollectionEndEvent):
            self.stack.pop()
        elif isinstance(event, yaml.NodeEvent):
            self._node(event, line)

    def _node(self, event: Any, line: int | None) -> None:
        self.nodes += 1
        if self.nodes > 2 * MAX_NODES:  # a key is a node, too
            raise _fail(f"More than {MAX_NODES} values; a document is not that large.", line=line)
        if event.anchor is not None:
            raise _fail("Anchors (&name) are not supported: write the value out.", line=line)
        if event.tag is not None:
            raise _fail("Tags (!name) are not supported.", line=line)
        top = self.stack[-1] if self.stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._key(top, event, line)
            return
        path = self._path(top)
        if line is not None:
            self.lines.setdefault(path, line)
        if isinstance(event, yaml.ScalarEvent):
            self._put(top, self._scalar(event, path, line))
            return
        if len(self.stack) >= MAX_DEPTH:
            raise _fail(f"Nested deeper than {MAX_DEPTH} levels.", path=path[:200], line=line)
        value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._put(top, value)
        self.stack.append(_Open(value, path))

    def _key(self, top: _Open, event: Any, line: int | None) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            raise _fail("A key must be text.", path=top.path, line=line)
        key = str(event.value)
        if key in top.keys:
            message = f'The key "{key[:60]}" stands twice.'
            self.problems.append(Problem(join(top.path, key[:60]), message, line=line))
        top.keys.add(key)
        top.key = key
        if line is not None:
            self.lines.setdefault(join(top.path, key), line)

    def _path(self, top: _Open | None) -> str:
        if top is None:
            return ""
        if isinstance(top.value, list):
            return f"{top.path}[{len(top.value)}]"
        return join(top.path, top.key or "")

    def _put(self, top: _Open | None, value: Any) -> None:
        if top is None:
            self.data = value
        elif isinstance(top.value, list):
            top.value.append(value)
        else:
            top.value[top.key] = value
            top.key = None

    def _scalar(self, event: Any, path: str, line: int | None) -> Any:
        text = str(event.value)
        if not event.implicit[0]:  # quoted, or a block of text
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.fullmatch(text) and len(text) <= _MAX_DIGITS:
            return int(text)
        number = float(text) if _FLOAT.fullmatch(text) else 0.0
        if _INTEGER.fullmatch(text) or _NOT_FINITE.fullmatch(text) or not math.isfinite(number):
            message = "Infinity, not-a-number and endless numbers are no values."
            self.problems.append(Problem(path, message, line=line))
            return None
        return number if _FLOAT.fullmatch(text) else text


class _Dumper(yaml.SafeDumper):
    """Writes no anchors, and indents lists below their key."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _write_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Double quotes for times (09:00 is a number to some readers), and to escape odd line ends."""
    style = '"' if _TIME.fullmatch(text) or _ODD_BREAKS.search(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _write_text)


def write_yaml(data: Any) -> str:
    """Plain data as YAML in the order given; `read_text` gives the same data again."""
    text: str = yaml.dump(
        data,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100,
    )
    return text
