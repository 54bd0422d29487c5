"""From what a browser sent to the document's values.

One rule keeps a draft lossless: an input that still holds what it was shown leaves the value as it
stands, however the document wrote it (left out, an empty list, a number, another case).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workflows.designer.picks import PICKS
from workflows.nodes import APPROVERS
from workflows.params import Param, ParamsForm, listed


class Posted:
    """The fields of one form. Line ends are the document's, not the browser's."""

    def __init__(self, values: Mapping[str, Iterable[str]]) -> None:
        self._values = {
            name: [text.replace("\r\n", "\n").replace("\x00", "") for text in texts]
            for name, texts in values.items()
        }

    def has(self, name: str) -> bool:
        """Whether the form had this input."""
        return name in self._values

    def all(self, name: str) -> list[str]:
        """Every value of an input."""
        return self._values.get(name, [])

    def one(self, name: str, default: str = "") -> str:
        """The last value of an input."""
        found = self._values.get(name)
        return found[-1] if found else default

    def number(self, name: str) -> int | None:
        """A whole number from 0 on, or None."""
        text = self.one(name).strip()
        return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else None


def params_read(
    form: type[ParamsForm], stored: Mapping[str, Any], posted: Posted, prefix: str
) -> dict[str, Any]:
    """The params of a node after its form was sent; what the form does not know stays."""
    params = dict(stored)
    for name, field_name in form.names().items():
        field = form.base_fields[field_name]
        value = value_read(as_param(field), params.get(name), posted, f"{prefix}.{name}")
        if value is None:
            params.pop(name, None)
        else:
            params[name] = value
    ordered = [*(name for name in stored if name in params), *params]
    return {name: params[name] for name in dict.fromkeys(ordered)}


def as_param(field: Any) -> Param:
    """The field; a line of text for a field of Django's own that a node may use."""
    if isinstance(field, Param):
        return field
    return Param(label=field.label, help_text=field.help_text, required=field.required)


def value_read(field: Param, stored: Any, posted: Posted, name: str) -> Any:
    """The value of one setting; None leaves it out."""
    if field.control == "approver":
        return approver_read(stored, posted, name)
    readers = {"stages": _stages, "parts": _parts}
    if field.control in readers:
        return readers[field.control](field, stored, posted, name)
    if field.control in ("keys", "checks"):
        sent = _keys(field, posted, name)
    elif field.control == "checkbox":
        sent = posted.all(name)
    elif not posted.has(name):
        return stored
    else:
        sent = posted.all(name)[-1:]
        if field.picks and sent[0].strip():
            sent = [PICKS[field.picks].key_of(sent[0])]
    before = [text for text in field.shown(stored) if text]
    if [text for text in sent if text] == before:
        return stored
    if field.several and sorted(sent) == sorted(before):
        return stored
    return field.parse(_in_old_order(sent, before) if field.several else sent)


def _in_old_order(sent: list[str], before: list[str]) -> list[str]:
    """Values that stood already keep their order; new ones follow."""
    kept = [text for text in before if text in sent]
    return list(dict.fromkeys([*kept, *sent]))


def _keys(field: Param, posted: Posted, name: str) -> list[str]:
    word = getattr(field, "word", "")
    if word and posted.one(f"{name}.which") == word:
        return [word]
    sent = [text for text in posted.all(name) if text.strip() and text != word]
    added = posted.one(f"{name}.add").strip()
    if added:
        sent.append(PICKS[field.picks].key_of(added) if field.picks else added)
    return list(dict.fromkeys(sent))


def _parts(field: Param, stored: Any, posted: Posted, name: str) -> Any:
    values = dict(stored) if isinstance(stored, Mapping) else {}
    for part, inner in field.parts.items():  # type: ignore[attr-defined]
        value = value_read(inner, values.get(part), posted, f"{name}.{part}")
        if value is None:
            values.pop(part, None)
        else:
            values[part] = value
    if not values:
        return None if stored is None or (isinstance(stored, Mapping) and stored) else stored
    return values


def approver_read(stored: Any, posted: Posted, name: str) -> Any:
    """Who is asked, after the form was sent; another type begins without its settings."""
    if not posted.has(f"{name}.type"):
        return stored
    kind = posted.one(f"{name}.type")
    if not kind:
        return None if isinstance(stored, Mapping) and stored else stored
    before = dict(stored) if isinstance(stored, Mapping) else {}
    own = {key: value for key, value in before.items() if key != "type"}
    approver = APPROVERS.get(kind)
    if approver is None:
        return stored
    if before.get("type") != kind:
        return {"type": kind}
    return {"type": kind} | params_read(approver.Params, own, posted, name)


def _stages(field: Param, stored: Any, posted: Posted, name: str) -> Any:
    stages = []
    for index, stage in enumerate(listed(stored)):
        if posted.one("less") == f"{name}.{index}":
            continue
        nested = isinstance(stage, Mapping) and "approver" in stage
        spec = stage["approver"] if nested else stage
        found = approver_read(spec, posted, f"{name}.{index}")
        stages.append({**stage, "approver": found} if nested else found)
    stages = [stage for stage in stages if stage is not None]
    if posted.one("more") == name:
        stages.append({"type": APPROVERS.keys()[0]})
    return stages or (stored if stored == [] else None)
