"""Plain data from anywhere, made safe to store: bounded, and of JSON's types only.

PostgreSQL's jsonb refuses NUL, lone surrogates and non-finite numbers; very large integers do not
survive JSON in a browser. Walks with a stack of its own, so that depth cannot exhaust Python's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

from workflows.problems import Reader, join

MAX_DEPTH = 64
MAX_NODES = 10_000
MAX_INTEGER = 2**53


class _TooMuchError(Exception):
    """Nothing more is worth reading."""


def clean(reader: Reader, data: object) -> Any:
    """A copy of `data` in JSON's types (dates become ISO text); problems are noted in `reader`."""
    try:
        return _Cleaner(reader).run(data)
    except _TooMuchError:
        return None


class _Cleaner:
    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.nodes = 0
        # (source, copy, path, depth) of containers still to be filled.
        self.pending: list[tuple[object, Any, str, int]] = []

    def run(self, data: object) -> Any:
        result = self._value(data, "", 0)
        while self.pending:
            source, copy, path, depth = self.pending.pop()
            if isinstance(source, Mapping):
                for key, value in source.items():
                    if not isinstance(key, str):
                        self.reader.error(join(path, str(key)[:60]), "Keys must be text.")
                        continue
                    here = join(path, key[:60])
                    copy[self._text(key, here)] = self._value(value, here, depth + 1)
            elif isinstance(source, list | tuple):
                for index, value in enumerate(source):
                    copy.append(self._value(value, f"{path}[{index}]", depth + 1))
        return result

    def _value(self, value: object, path: str, depth: int) -> Any:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.reader.error("", f"More than {MAX_NODES} values; a document is not that large.")
            raise _TooMuchError
        if isinstance(value, Mapping | list | tuple):
            if depth >= MAX_DEPTH:
                self.reader.error(path[:200], f"Nested deeper than {MAX_DEPTH} levels.")
                raise _TooMuchError
            copy: Any = {} if isinstance(value, Mapping) else []
            self.pending.append((value, copy, path, depth))
            return copy
        return self._scalar(value, path)

    def _scalar(self, value: object, path: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, int):
            if abs(value) <= MAX_INTEGER:
                return int(value)
            self.reader.error(path, "The number is too large.")
        elif isinstance(value, float):
            if math.isfinite(value):
                return value
            self.reader.error(path, "Infinity and not-a-number are no values.")
        elif isinstance(value, date):
            return value.isoformat()
        else:
            self.reader.error(path, f"A {type(value).__name__} has no place in a document.")
        return None

    def _text(self, value: str, path: str) -> str:
        if "\x00" in value:
            self.reader.error(path.replace("\x00", "�"), "Text holds a NUL character.")
        elif any("\ud800" <= char <= "\udfff" for char in value):
            safe = path.encode("utf-8", "replace").decode()
            self.reader.error(safe, "Text holds half a character (a lone surrogate).")
        else:
            return str(value)
        return ""
