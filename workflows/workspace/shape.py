"""Plain data → the desired rows, judged: every problem with its path, nothing applied yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from people.choices import WorkerType
from workflows.category_rights import NAMED, OWNER, PERMISSION, folded
from workflows.document.plain import clean
from workflows.messages import template_problems
from workflows.problems import DocumentError, Problem, Reader, join
from workflows.workspace.fields import FieldReader
from workflows.workspace.values import Known

FORMAT = "siit.workspace/1"
PROVISION = ("group", "app", "account", "http", "task")
FIELD_TYPES = ("text", "long_text", "number", "choice", "person", "application", "date", "boolean")
NO_FILES = (
    "Files are not taken: they would have to be scanned, kept and erased. Ask for a link in a text."
)
LIMITS = {
    "sync": ("sync_limit", ("people", "percent")),
    "workflow": ("workflow_limit", ("people", "percent", "per_hours")),
    "workflow_week": ("workflow_week", ("people", "percent")),
    "workspace": ("workspace_limit", ("people", "percent")),
    "workspace_week": ("workspace_week", ("people", "percent")),
}
"""Name in a document → beginning of the columns, and what may be set."""
SECTIONS = (
    *("settings", "employment_types", "mapping", "custom_fields", "fields"),
    *("entities", "roles"),
    *("protected_people", "applications", "bundles", "templates", "services", "policies"),
    "category_rights",
)


@dataclass(slots=True)
class Desired:
    """The rows a document asks for, by section; a missing section is left alone."""

    settings: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    protected: list[str] | None = None


def read_workspace(data: object, known: Known) -> Desired:
    """Read a workspace document. Raises ``DocumentError`` with every problem."""
    reader = Reader()
    cleaned = clean(reader, data)
    if reader.problems:
        raise DocumentError(reader.problems)
    desired = _WorkspaceReader(reader, known).read(cleaned)
    errors = [problem for problem in reader.problems if problem.level == "error"]
    if errors:
        raise DocumentError(reader.problems)
    return desired


class _WorkspaceReader(FieldReader):
    """One reading: a method a section."""

    def read(self, data: object) -> Desired:
        found = self.reader.mapping(data, "", allowed=("format", *SECTIONS))
        if found.get("format") != FORMAT:
            self.reader.error("format", f'A workspace document begins with "format: {FORMAT}".')
        desired = Desired()
        if found.get("settings") is not None:
            desired.settings = self._settings(found["settings"])
        for name, read in (
            ("employment_types", self._employment_type),
            ("custom_fields", self._custom_field),
            ("fields", self._field),
            ("entities", self._entity),
            ("roles", self._role),
            ("applications", self._application),
            ("bundles", self._bundle),
            ("templates", self._template),
            ("services", self._service),
            ("policies", self._policy),
            ("category_rights", self._category_rights),
        ):
            if found.get(name) is not None:
                desired.rows[name] = self._rows(found[name], name, read)
        if found.get("mapping") is not None:
            desired.rows["mapping"] = self._mapping(found["mapping"])
        if found.get("protected_people") is not None:
            desired.protected = self._people(found["protected_people"], "protected_people")
        return desired

    def _rows(
        self, data: object, section: str, read: Callable[[Any, str], dict[str, Any]]
    ) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        seen: dict[Any, str] = {}
        for index, item in enumerate(self.reader.items(data, section)):
            path = f"{section}[{index}]"
            row = read(item, path)
            name = row["key"] if section == "category_rights" else row.get("key") or row.get("name")
            if name in seen:
                self.reader.error(path, f"“{name}” stands at {seen[name]} already.")
            elif name or section == "category_rights":
                seen[name] = path
            if section == "employment_types":
                self.types.add(str(name))
            rows.append(row)
        return rows

    def _settings(self, data: object) -> dict[str, Any]:
        path = "settings"
        found = self.reader.mapping(
            data,
            path,
            allowed=(
                "name",
                "timezone",
                "language",
                "sync_every_hours",
                "late_within_days",
                "address_kept_days",
                "calls_kept_days",
                "directory_stale_hours",
                "limits",
            ),
        )
        values: dict[str, Any] = {}
        if "name" in found:
            values["name"] = self._name(found, path)
        if "timezone" in found:
            values["timezone"] = self._zone(found["timezone"], "settings.timezone") or "UTC"
        if "language" in found:
            values["language"] = self._language(found["language"], "settings.language")
        for name, low, high in (
            ("sync_every_hours", 1, 168),
            ("late_within_days", 0, 30),
            ("address_kept_days", 0, 365),
            ("calls_kept_days", 30, 3650),
        ):
            if name in found:
                values[name] = self.reader.integer(
                    found[name], join(path, name), low=low, high=high, default=low
                )
        if found.get("directory_stale_hours") is not None:
            values["directory_stale_hours"] = self.reader.integer(
                found["directory_stale_hours"],
                join(path, "directory_stale_hours"),
                low=1,
                high=24 * 31,
                default=24,
            )
        return values | self._limits(found.get("limits", {}))

    def _limits(self, data: object) -> dict[str, Any]:
        path = "settings.limits"
        limits = self.reader.mapping(data, path, allowed=(*LIMITS, "floor", "hold_days"))
        values: dict[str, Any] = {}
        for kind, (column, names) in LIMITS.items():
            values |= self._limit(limits.get(kind), kind, column, names)
        for name, column, low, high in (
            ("floor", "limit_floor", 1, 100),
            ("hold_days", "hold_days", 1, 60),
        ):
            if name in limits:
                values[column] = self.reader.integer(
                    limits[name], join(path, name), low=low, high=high, default=low
                )
        return values

    def _limit(
        self, data: object, kind: str, column: str, names: tuple[str, ...]
    ) -> dict[str, Any]:
        if data is None:
            return {}
        path = f"settings.limits.{kind}"
        found = self.reader.mapping(data, path, allowed=names)
        bounds = {"people": (0, 100_000), "percent": (0, 100), "per_hours": (1, 24 * 31)}
        return {
            f"{column}_{name.removeprefix('per_')}": self.reader.integer(
                value, join(path, name), low=bounds[name][0], high=bounds[name][1], default=1
            )
            for name, value in found.items()
        }

    def _employment_type(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(data, path, allowed=("key", "name"))
        key = self._slug(found, path)
        return {"key": key, "name": self._name(found, path, default=key)}

    def _mapping(self, data: object) -> list[dict[str, Any]]:
        found = self.reader.mapping(data, "mapping", allowed=("worker_type",))
        pairs = self.reader.mapping(
            found.get("worker_type", {}), "mapping.worker_type", allowed=WorkerType.values
        )
        return [
            {
                "worker_type": worker_type,
                "employment_type": self.reader.choice(
                    value, f"mapping.worker_type.{worker_type}", sorted(self.types), default=""
                ),
            }
            for worker_type, value in pairs.items()
        ]

    def _entity(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(
            data, path, allowed=("name", "lead", "timezone", "language", "country")
        )
        row: dict[str, Any] = {"name": self._name(found, path)}
        if "lead" in found:
            row["lead"] = self._person(found["lead"] or "", join(path, "lead"))
        if "timezone" in found:
            row["timezone"] = self._zone(found["timezone"], join(path, "timezone"))
        if "language" in found:
            row["language"] = self._language(found["language"], join(path, "language"))
        if "country" in found:
            row["country"] = self.reader.text(found["country"], join(path, "country"), limit=3)
        return row

    def _role(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(data, path, allowed=("name", "members", "lead"))
        row: dict[str, Any] = {
            "name": self._slug(found, path, "name"),
            "members": self._people(found.get("members", []), join(path, "members")),
        }
        if "lead" in found:
            row["lead"] = self._person(found["lead"] or "", join(path, "lead"))
        return row

    def _application(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(
            data,
            path,
            allowed=(
                *("key", "name", "description", "category", "icon", "owner", "connection"),
                *("provision", "entitle", "sensitive", "active"),
            ),
        )
        provision = self.reader.mapping(
            found.get("provision", {"by": "task"}), join(path, "provision")
        )
        by = self.reader.choice(
            provision.get("by", "task"), f"{path}.provision.by", PROVISION, default="task"
        )
        if by == "group" and not provision.get("group"):
            self.reader.error(f"{path}.provision.group", "Name the group that gives access.")
        if by == "app" and not provision.get("app"):
            words = "Name the application as the connection calls it."
            self.reader.error(f"{path}.provision.app", words)
        connection = self._connection(found.get("connection"), join(path, "connection"))
        if by != "task" and connection is None:
            self.reader.error(join(path, "connection"), f"Provisioning by {by} needs a connection.")
        key = self._slug(found, path)
        return {
            "key": key,
            "name": self._name(found, path, default=key),
            "description": self.reader.text(
                found.get("description", ""), join(path, "description"), limit=2000
            ),
            "category": self.reader.text(
                found.get("category", ""), join(path, "category"), limit=60
            ),
            "icon": self.reader.text(found.get("icon", ""), join(path, "icon"), limit=40),
            "owner": self._person(found.get("owner") or "", join(path, "owner")),
            "connection": connection,
            "provision_by": by,
            "provision": {name: value for name, value in provision.items() if name != "by"},
            "entitle": self._group(found.get("entitle"), join(path, "entitle")),
            "sensitive": self.reader.flag(found.get("sensitive", False), join(path, "sensitive")),
            "active": self.reader.flag(found.get("active", True), join(path, "active")),
        }

    def _bundle(self, data: Any, path: str) -> dict[str, Any]:
        lists = ("items", "countries", "employment_types")
        found = self.reader.mapping(
            data, path, allowed=("key", "name", "connection", "active", *lists)
        )
        key = self._slug(found, path)
        row: dict[str, Any] = {
            "key": key,
            "name": self._name(found, path, default=key),
            "connection": self._connection(found.get("connection"), join(path, "connection")),
            "active": self.reader.flag(found.get("active", True), join(path, "active")),
        }
        for name in lists:
            here = join(path, name)
            row[name] = [
                self.reader.text(item, f"{here}[{index}]", limit=300)
                for index, item in enumerate(self.reader.items(found.get(name, []), here))
            ]
        return row

    def _template(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(data, path, allowed=("key", "name", "variants"))
        variants = self.reader.items(found.get("variants", []), join(path, "variants"))
        for problem in template_problems(variants):
            self.reader.problems.append(
                Problem(f"{path}.{problem.path}", problem.message, problem.level)
            )
        return {
            "key": self._slug(found, path),
            "name": self.reader.text(found.get("name", ""), join(path, "name"), limit=200),
            "variants": variants,
        }

    def _service(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(
            data,
            path,
            allowed=("key", "name", "description", "category", "icon", "fields", "audience"),
        )
        fields = [
            self._service_field(item, f"{path}.fields[{index}]")
            for index, item in enumerate(
                self.reader.items(found.get("fields", []), join(path, "fields"))
            )
        ]
        key = self._slug(found, path)
        row: dict[str, Any] = {"key": key, "fields": fields}
        row["name"] = self._name(found, path, default=key)
        for name in ("description", "category", "icon"):
            if name in found:
                row[name] = self.reader.text(found[name], join(path, name), limit=2000)
        if "audience" in found:
            row["audience"] = self._group(found["audience"], join(path, "audience"))
        return row

    def _service_field(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(
            data, path, allowed=("name", "label", "type", "required", "choices", "help")
        )
        if found.get("type") in ("attachment", "file"):
            self.reader.error(join(path, "type"), NO_FILES)
            found["type"] = "text"
        row: dict[str, Any] = {
            "name": self._slug(found, path, "name"),
            "type": self.reader.choice(
                found.get("type", "text"), join(path, "type"), FIELD_TYPES, default="text"
            ),
        }
        for name in ("label", "help"):
            if name in found:
                row[name] = self.reader.text(found[name], join(path, name), limit=200)
        if "required" in found:
            row["required"] = self.reader.flag(found["required"], join(path, "required"))
        if row["type"] == "choice":
            row["choices"] = self.reader.items(found.get("choices", []), join(path, "choices"))
            if not row["choices"]:
                self.reader.error(join(path, "choices"), "A choice needs its values.")
        return row

    def _category_rights(self, data: Any, path: str) -> dict[str, Any]:
        """``key`` is the category; every right that is not named follows the roles."""
        found = self.reader.mapping(data, path, allowed=("category", *PERMISSION))
        if "category" not in found:
            self.reader.error(join(path, "category"), 'Missing: "" for workflows without one.')
        rights: dict[str, list[str]] = {}
        for right in PERMISSION:
            if found.get(right) is None:
                continue
            here = join(path, right)
            rights[right] = [
                self.reader.choice(item, f"{here}[{index}]", NAMED, default=OWNER)
                for index, item in enumerate(self.reader.items(found[right], here))
            ]
            if not rights[right]:
                self.reader.error(here, f"Name at least one role: {', '.join(NAMED)}.")
        category = self.reader.text(found.get("category", ""), join(path, "category"), limit=100)
        return {"key": folded(category), "category": category, "rights": rights}

    def _policy(self, data: Any, path: str) -> dict[str, Any]:
        found = self.reader.mapping(data, path, allowed=("key", "name", "rules", "baseline"))
        rules = []
        for index, item in enumerate(
            self.reader.items(found.get("rules", []), join(path, "rules"))
        ):
            here = f"{path}.rules[{index}]"
            rule = self.reader.mapping(item, here, allowed=("when", "approver"))
            rules.append(
                {
                    "when": self._group(rule.get("when", {}), join(here, "when")),
                    "approver": self._approver(rule.get("approver", {}), join(here, "approver")),
                }
            )
        if found.get("baseline") is None:
            self.reader.error(join(path, "baseline"), "Missing: who is asked when no rule matches.")
        return {
            "key": self._slug(found, path),
            "name": self.reader.text(found.get("name", ""), join(path, "name"), limit=200),
            "rules": rules,
            "baseline": self._approver(found.get("baseline") or {}, join(path, "baseline")),
        }
