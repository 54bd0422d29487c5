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


class TextParam(forms.Field):
    """A text. ``choices`` limits it to some words."""

    widget = forms.TextInput

    def __init__(
        self,
        *,
        choices: tuple[str, ...] = (),
        default: str = "",
        limit: int = 10_000,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.choices, self.default, self.limit = choices, default, limit

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


class KeysParam(forms.Field):
    """A list of keys; ``word`` (as “all”) may stand for everything."""

    widget = forms.TextInput

    def __init__(self, *, word: str = "", default: Any = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.word, self.default = word, default

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


class NumberParam(forms.Field):
    """A whole number from ``low`` to ``high``."""

    widget = forms.NumberInput

    def __init__(self, *, low: int, high: int, default: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.low, self.high, self.default = low, high, default

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


class FlagParam(forms.Field):
    """True or false; false unless told."""

    widget = _RawCheckbox

    def to_python(self, value: Any) -> bool:
        """Refuse words that look like truth."""
        if value in (None, ""):
            return False
        if not isinstance(value, bool):
            raise forms.ValidationError(f"Expected true or false, found {shown(value)}.")
        return value


class MappingParam(forms.Field):
    """A mapping; ``allowed`` names its keys, nothing means any."""

    widget = forms.TextInput

    def __init__(self, *, allowed: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.allowed = allowed

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


class AnyParam(forms.Field):
    """A value of any kind: a scalar or a list of them."""

    widget = forms.TextInput

    def to_python(self, value: Any) -> Any:
        """As it stands."""
        return value


def listed(value: Any) -> list[Any]:
    """A list as it is, nothing for anything else: for drafts whose params are not right yet."""
    return list(value) if isinstance(value, list | tuple) else []


def in_words(value: Any) -> str:
    """One or several keys for a sentence; empty where a draft holds something else."""
    if isinstance(value, str):
        return value
    return ", ".join(item for item in listed(value) if isinstance(item, str))
