"""What is wrong with a document, and a reader that collects all of it instead of the first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `path` is like `steps[2].params.apps`; `line` is known for YAML only."""

    path: str
    message: str
    level: Level = "error"
    line: int | None = field(default=None, compare=False)

    def __str__(self) -> str:
        """The finding on one line, for a shell."""
        where = self.path or "document"
        return (
            f"{where} (line {self.line}): {self.message}"
            if self.line
            else f"{where}: {self.message}"
        )


class DocumentError(ValueError):
    """A document that cannot be read. `partial` is what could be read of it, if anything."""

    def __init__(self, problems: Iterable[Problem], partial: object = None) -> None:
        self.problems = tuple(problems)
        self.partial = partial
        super().__init__("; ".join(str(problem) for problem in self.problems))


def join(path: str, key: str) -> str:
    """The path of `key` below `path`."""
    return f"{path}.{key}" if path else key


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "x"?`, or nothing where no known word is close."""
    names = {name.casefold(): name for name in known}
    close = get_close_matches(word[:100].casefold(), list(names), n=1, cutoff=0.6)
    return f' Did you mean "{names[close[0]]}"?' if close else ""


def shown(value: object) -> str:
    """A value of a document as a person would recognise it, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value) if not isinstance(value, str) else f'"{value}"'
    return text if len(text) <= 60 else f"{text[:57]}…"


_YAML_BOOLEAN = " (YAML reads on, off, yes and no without quotes as true and false: use quotes)"


class Reader:
    """Takes typed values out of plain data; each refusal is a `Problem` and a default."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def error(self, path: str, message: str) -> None:
        """Note an error."""
        self.problems.append(Problem(path, message))

    def mapping(
        self, data: object, path: str, *, allowed: Collection[str] | None = None
    ) -> dict[str, Any]:
        """A mapping whose keys are among `allowed` (anything, if None); {} when refused."""
        if not isinstance(data, Mapping):
            self.error(path, f"Expected a mapping of names to values, found {shown(data)}.")
            return {}
        result: dict[str, Any] = {}
        for key, value in data.items():
            if allowed is not None and key not in allowed:
                hint = did_you_mean(str(key), allowed)
                self.error(join(path, str(key)), f'Unknown key "{str(key)[:60]}".{hint}')
            else:
                result[str(key)] = value
        return result

    def items(self, data: object, path: str) -> list[Any]:
        """A list; [] when refused."""
        if isinstance(data, list | tuple):
            return list(data)
        self.error(path, f"Expected a list, found {shown(data)}.")
        return []

    def text(self, data: object, path: str, *, default: str = "", limit: int = 10_000) -> str:
        """A text of at most `limit` characters."""
        if isinstance(data, str):
            if len(data) <= limit:
                return data
            self.error(path, f"Longer than {limit} characters.")
            return default
        trap = _YAML_BOOLEAN if isinstance(data, bool) else ""
        self.error(path, f"Expected text, found {shown(data)}{trap}.")
        return default

    def choice(self, data: object, path: str, known: Collection[str], *, default: str) -> str:
        """One of the `known` words."""
        if isinstance(data, str) and data in known:
            return data
        words = ", ".join(known)
        hint = did_you_mean(data, known) if isinstance(data, str) else ""
        trap = _YAML_BOOLEAN if isinstance(data, bool) else ""
        self.error(path, f"Expected one of {words}; found {shown(data)}{trap}.{hint}")
        return default

    def flag(self, data: object, path: str) -> bool:
        """True or false."""
        if isinstance(data, bool):
            return data
        self.error(path, f"Expected true or false, found {shown(data)}.")
        return False

    def integer(self, data: object, path: str, *, low: int, high: int, default: int) -> int:
        """A whole number from `low` to `high`, both included."""
        if isinstance(data, int) and not isinstance(data, bool) and low <= data <= high:
            return data
        self.error(path, f"Expected a whole number from {low} to {high}, found {shown(data)}.")
        return default
