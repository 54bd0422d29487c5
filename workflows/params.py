"""Params of a node: one form that is the schema, the user interface and the validator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms

from workflows.problems import Problem, did_you_mean, join, shown


class ParamsForm(forms.Form):
    """Base of every node's ``Params``.

    Data are the document's values as they are (texts, lists, mappings), not a browser's strings.
    A field named ``except_`` stands for the param ``except``.
    """

    use_required_attribute = False

    @classmethod
    def names(cls) -> dict[str, str]:
        """Param name → field name."""
        return {name.removesuffix("_"): name for name in cls.base_fields}

    @classmethod
    def validate(cls, params: Mapping[str, Any], path: str) -> list[Problem]:
        """Every problem with ``params``, each at the path of its value."""
        names = cls.names()
        problems = [
            Problem(join(path, key), f'Unknown key "{key}".{did_you_mean(key, names)}')
            for key in params
            if key not in names
        ]
        form = cls._bound(params)
        for field, errors in form.errors.items():
            here = path if field == "__all__" else join(path, field.removesuffix("_"))
            problems += [Problem(here, str(error)) for error in errors]
        return problems

    @classmethod
    def read(cls, params: Mapping[str, Any]) -> dict[str, Any]:
        """The cleaned params, defaults filled in. Call it on validated params only."""
        form = cls._bound(params)
        form.is_valid()
        return {name.removesuffix("_"): value for name, value in form.cleaned_data.items()}

    @classmethod
    def _bound(cls, params: Mapping[str, Any]) -> ParamsForm:
        data = {field: params[name] for name, field in cls.names().items() if name in params}
        return cls(data=data)


class NoParams(ParamsForm):
    """A node without settings of its own."""


_LONG = 1_000


class Param(forms.Field):
    """One setting: the document's value, and how a browser shows it and sends it back.

    ``control`` names the designer's input. ``picks`` names the kind of thing the value is the key
    of (see :mod:`workflows.designer.picks`): it is then offered by name. A subclass that says
    nothing is a line of text.
    """

    widget: type[forms.Widget] = forms.TextInput
    several = False
    """Whether the value is a list, one browser value for each item."""

    def __init__(self, *, picks: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("error_messages", {"required": "Missing: fill this in."})
        super().__init__(**kwargs)
        self.picks = picks

    @property
    def control(self) -> str:
        """The designer's input for it."""
        return "text"

    def options(self) -> tuple[tuple[str, str], ...]:
        """Every value with its words, where there are only some."""
        return ()

    def shown(self, value: Any) -> list[str]:
        """What the input holds for a document's value; ``None`` is a value left out."""
        if value is None:
            return []
        items = value if isinstance(value, list | tuple) else [value]
        words = [item if isinstance(item, str) else shown(item) for item in items]
        return words if self.several else [", ".join(words)]

    def parse(self, posted: list[str]) -> Any:
        """The document's value for what the input holds; ``None`` leaves it out.

        What makes no sense stays as it was typed: a draft keeps it, and the validator names it.
        """
        text = posted[0] if posted else ""
        return text if text.strip() else None


class TextParam(Param):
    """A text. ``choices`` limits it to some words; ``words`` says them to people."""

    def __init__(
        self,
        *,
        choices: tuple[str, ...] = (),
        words: Mapping[str, str] | None = None,
        default: str = "",
        limit: int = 10_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.choices, self.default, self.limit = choices, default, limit
        self.words = words or {}

    @property
    def control(self) -> str:
        """A choice, a line, or room to write."""
        if self.choices:
            return "select"
        return "textarea" if self.limit >= _LONG and not self.picks else "text"

    def options(self) -> tuple[tuple[str, str], ...]:
        """The choices in words; none stands for the default."""
        return tuple((key, self.words.get(key, in_plain_words(key))) for key in self.choices)

    def shown(self, value: Any) -> list[str]:
        """The default stands where nothing is said."""
        return super().shown(self.default or None if value is None else value)

    def to_python(self, value: Any) -> str:
        """Refuse what is no text."""
        if value in (None, ""):
            return self.default
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise forms.ValidationError(f"Expected text, found {shown(value)}.")
        text = str(value)
        if len(text) > self.limit:
            raise forms.ValidationError(f"Longer than {self.limit} characters.")
        if self.choices and text not in self.choices:
            words = ", ".join(self.choices)
            raise forms.ValidationError(f"Expected one of {words}; found {shown(value)}.")
        return text


class KeysParam(Param):
    """A list of keys; ``word`` (as “all”) may stand for everything."""

    several = True

    def __init__(
        self,
        *,
        word: str = "",
        default: Any = (),
        choices: tuple[str, ...] = (),
        words: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.word, self.default = word, default
        self.choices, self.words = choices, words or {}

    @property
    def control(self) -> str:
        """Some to tick, or a list that grows."""
        return "checks" if self.choices else "keys"

    def options(self) -> tuple[tuple[str, str], ...]:
        """The choices in words."""
        return tuple((key, self.words.get(key, in_plain_words(key))) for key in self.choices)

    def shown(self, value: Any) -> list[str]:
        """The default stands where nothing is said."""
        return super().shown(self.default if value is None else value)

    def parse(self, posted: list[str]) -> Any:
        """The word alone, or the list."""
        kept = [item for item in posted if item.strip()]
        if self.word and kept == [self.word]:
            return self.word
        return kept or None

    def to_python(self, value: Any) -> Any:
        """A list of texts, or the word."""
        if value in (None, "", [], ()):
            return list(self.default) if not isinstance(self.default, str) else self.default
        if self.word and value == self.word:
            return value
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list | tuple) or not all(isinstance(i, str) and i for i in items):
            extra = f" or the word {self.word}" if self.word else ""
            raise forms.ValidationError(f"Expected a list of keys{extra}, found {shown(value)}.")
        return list(items)


class NumberParam(Param):
    """A whole number from ``low`` to ``high``."""

    widget = forms.NumberInput

    def __init__(self, *, low: int, high: int, default: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high, self.default = low, high, default

    @property
    def control(self) -> str:
        """A number."""
        return "number"

    def shown(self, value: Any) -> list[str]:
        """The default stands where nothing is said."""
        return super().shown(self.default if value is None else value)

    def parse(self, posted: list[str]) -> Any:
        """The number; other words as they are."""
        return scalar(posted[0]) if posted and posted[0].strip() else None

    def to_python(self, value: Any) -> int | None:
        """Refuse fractions, booleans and what is out of range."""
        if value in (None, ""):
            return self.default
        if isinstance(value, bool) or not isinstance(value, int):
            raise forms.ValidationError(f"Expected a whole number, found {shown(value)}.")
        if not self.low <= value <= self.high:
            raise forms.ValidationError(f"Expected a number from {self.low} to {self.high}.")
        return int(value)


class _RawCheckbox(forms.CheckboxInput):
    """Django's takes every text but “false” for true; a document's “yes” must be refused."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        value = data.get(name)
        return True if value == "on" else value


class FlagParam(Param):
    """True or false; false unless told."""

    widget = _RawCheckbox

    @property
    def control(self) -> str:
        """A box to tick."""
        return "checkbox"

    def shown(self, value: Any) -> list[str]:
        """Ticked or not."""
        return ["true"] if value is True else []

    def parse(self, posted: list[str]) -> Any:
        """False is left out."""
        return True if posted else None

    def to_python(self, value: Any) -> bool:
        """Refuse words that look like truth."""
        if value in (None, ""):
            return False
        if not isinstance(value, bool):
            raise forms.ValidationError(f"Expected true or false, found {shown(value)}.")
        return value


class MappingParam(Param):
    """A mapping; ``allowed`` names its keys, nothing means any. ``parts`` are their inputs."""

    def __init__(
        self,
        *,
        allowed: tuple[str, ...] = (),
        parts: Mapping[str, Param] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed
        self.parts = dict(parts or {name: ScalarParam() for name in allowed})

    @property
    def control(self) -> str:
        """Its parts beside each other, or lines of names and values."""
        return "parts" if self.parts else "pairs"

    def shown(self, value: Any) -> list[str]:
        """One line for each name."""
        if not isinstance(value, Mapping):
            return super().shown(value)
        return ["\n".join(f"{name}: {item}" for name, item in value.items())]

    def parse(self, posted: list[str]) -> Any:
        """Lines of “name: value”; anything else stays text, which is then refused."""
        lines = [line for line in (posted[0] if posted else "").splitlines() if line.strip()]
        if not all(":" in line for line in lines):
            return posted[0]
        pairs = [line.partition(":") for line in lines]
        return {name.strip(): value.strip() for name, _, value in pairs} or None

    def to_python(self, value: Any) -> dict[str, Any]:
        """Refuse what is no mapping and keys nobody knows."""
        if value in (None, ""):
            return {}
        if not isinstance(value, Mapping):
            raise forms.ValidationError(f"Expected names and values, found {shown(value)}.")
        unknown = [key for key in value if self.allowed and key not in self.allowed]
        if unknown:
            hint = did_you_mean(str(unknown[0]), self.allowed)
            raise forms.ValidationError(f'Unknown key "{unknown[0]}".{hint}')
        return dict(value)


class ApproverParam(MappingParam):
    """Who is asked, as ``{type: manager}``."""

    @property
    def control(self) -> str:
        """A type, and the settings of that type."""
        return "approver"


class AnyParam(Param):
    """A value of any kind: a scalar or a list of them, divided by commas in a browser."""

    def parse(self, posted: list[str]) -> Any:
        """One value, or a list where there are several."""
        items = [part.strip() for part in (posted[0] if posted else "").split(",")]
        values = [scalar(item) for item in items if item]
        if not values:
            return None
        return values[0] if len(values) == 1 else values

    def to_python(self, value: Any) -> Any:
        """As it stands."""
        return value


class ScalarParam(AnyParam):
    """One value: a number where it reads as one."""

    def parse(self, posted: list[str]) -> Any:
        """The number or the text."""
        return scalar(posted[0]) if posted and posted[0].strip() else None


def scalar(text: str) -> Any:
    """The whole number that a text writes, else the text."""
    trimmed = text.strip()
    digits = trimmed.removeprefix("-")
    plain = digits.isascii() and digits.isdigit() and len(digits) <= 15
    return int(trimmed) if plain and trimmed == str(int(trimmed)) else text


def in_plain_words(key: str) -> str:
    """``in_progress`` → ``In progress``."""
    return key.replace("_", " ").strip().capitalize()


def listed(value: Any) -> list[Any]:
    """A list as it is, nothing for anything else: for drafts whose params are not right yet."""
    return list(value) if isinstance(value, list | tuple) else []


def in_words(value: Any) -> str:
    """One or several keys for a sentence; empty where a draft holds something else."""
    if isinstance(value, str):
        return value
    return ", ".join(item for item in listed(value) if isinstance(item, str))
