"""The endpoints of the service: a request in, an `Answer` out, no bytes and no sockets.

https://developer.remote.com/reference
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.simulator import jobs
from integrations.simulator.answers import (
    Answer,
    Query,
    cursor_page,
    errors,
    listing,
    message,
    not_found,
    one,
)
from integrations.simulator.changes import Changes, UnknownEmploymentError
from integrations.simulator.vocabulary import Record
from integrations.simulator.webhooks import Webhooks

_ROW_KEYS = (
    "id", "short_id", "external_id", "partner_external_id", "full_name", "job_title", "login_email",
    "personal_email", "work_email", "department", "department_id", "country", "type",
    "employment_model", "status", "employment_lifecycle_stage", "work_address_details",
)  # fmt: skip
_MODELS = ("global_payroll", "peo", "eor")
_ONBOARDED = ("onboarded", "offboarded")


@dataclass(frozen=True, slots=True)
class Request:
    method: str
    path: str
    query: Query
    body: Record = field(default_factory=dict)


Handler = Callable[[Request, "re.Match[str]"], Answer]


class Routes:
    """All endpoints over one company. `bulk` switches the August 2026 bulk endpoint off."""

    def __init__(self, changes: Changes, webhooks: Webhooks) -> None:
        self._changes = changes
        self._company = changes.company
        self._webhooks = webhooks
        self.bulk = True
        table: tuple[tuple[str, str, Handler], ...] = (
            ("GET", "/v1/identity/current", self._identity),
            ("GET", "/v1/employments", self._employments),
            ("GET", "/v1/employments/bulk", self._bulk),
            ("GET", "/v1/employments/{id}", self._employment),
            ("GET", "/v1/employments/{id}/custom-fields", self._custom_values),
            ("GET", "/v1/employments/{id}/job", self._job),
            ("GET", "/v1/employment-contracts", self._contracts),
            ("GET", "/v1/companies/{id}/legal-entities", self._legal_entities),
            ("GET", "/v1/companies/{id}/webhook-callbacks", self._callbacks),
            ("GET", "/v1/company-departments", self._departments),
            ("GET", "/v1/company-managers", self._managers),
            ("GET", "/v1/custom-fields", self._custom_fields),
            ("GET", "/v1/offboardings", self._offboardings),
            ("GET", "/v2/offboardings", self._offboardings),
            ("GET", "/v1/offboardings/{id}", self._offboarding),
            ("GET", "/v2/offboardings/{id}", self._offboarding),
            ("GET", "/v1/direct-offboardings", self._direct_offboardings),
            ("GET", "/v1/contractors/cor-termination-requests", self._cor_terminations),
            ("GET", "/v1/webhook-events", self._events),
            ("POST", "/v1/webhook-events/replay", self._replay),
            ("POST", "/v1/webhook-callbacks", self._subscribe),
            ("PATCH", "/v1/webhook-callbacks/{id}", self._resubscribe),
            ("DELETE", "/v1/webhook-callbacks/{id}", self._unsubscribe),
            ("POST", "/v1/sandbox/webhook-callbacks/trigger", self._trigger),
        )
        self._table = tuple(
            (method, re.compile(path.replace("{id}", "([^/]+)")), handler)
            for method, path, handler in table
        )

    def answer(self, request: Request) -> Answer:
        """The undisturbed answer; authorisation, limits and faults are the server's."""
        for method, path, handler in self._table:
            if method == request.method and (match := path.fullmatch(request.path)):
                with self._changes.lock:
                    return handler(request, match)
        return message(404, "Not Found")

    # -- account ---------------------------------------------------------------------------

    def _identity(self, request: Request, match: "re.Match[str]") -> Answer:
        owner = self._company.owner
        user = {
            "id": owner.user_id,
            "name": owner.full_name,
            "email": owner.work_email,
            "status": "active",
        }
        company = {"id": self._company.id, "name": self._company.name}
        # Documented as 201, though nothing is created.
        return one({"company": company, "user": user}, status=201)

    def _legal_entities(self, request: Request, match: "re.Match[str]") -> Answer:
        if match[1] != self._company.id:
            return not_found("Company")
        return listing(request.query, "legal_entities", self._company.legal_entities)

    def _departments(self, request: Request, match: "re.Match[str]") -> Answer:
        if "company_id" not in request.query:
            return errors({"company_id": ["can't be blank"]})
        if request.query["company_id"] != self._company.id:
            return not_found("Company")
        query = request.query
        if query.get("paginate") == "false":
            query = {"page_size": "100"}
        answer = listing(query, "company_departments", self._company.departments)
        if answer.status != 200:
            return answer
        # Unlike every other list, the counters stand beside `data`.
        counters = dict(answer.payload["data"])
        rows = counters.pop("company_departments")
        return answer.with_payload({"data": {"company_departments": rows}} | counters)

    def _managers(self, request: Request, match: "re.Match[str]") -> Answer:
        return listing(request.query, "company_managers", self._company.managers)

    def _custom_fields(self, request: Request, match: "re.Match[str]") -> Answer:
        answer = listing(request.query, "custom_fields", self._company.custom_fields)
        if self._company.strict or answer.status != 200:
            return answer
        # Seen live without the documented `data` around it.
        return Answer(200, answer.payload["data"], ("custom_fields",), answer.first_row)

    # -- employments -----------------------------------------------------------------------

    def _employments(self, request: Request, match: "re.Match[str]") -> Answer:
        query = request.query
        if query.get("employment_model", "eor") not in _MODELS:
            return errors({"employment_model": ["is invalid"]})
        rows = [row for row in self._listed() if _wanted(row, query)]
        answer = listing(query, "employments", rows)
        if answer.status != 200:
            return answer
        light = [{key: row[key] for key in _ROW_KEYS} for row in answer.payload["data"].pop(
            "employments")]  # fmt: skip
        first = answer.first_row
        payload = {"data": {"employments": light} | answer.payload["data"]}
        first_row = {key: first[key] for key in _ROW_KEYS} if first else None
        return Answer(200, payload, answer.rows_at, first_row, answer.page)

    def _bulk(self, request: Request, match: "re.Match[str]") -> Answer:
        if not self.bulk:
            return message(404, "Not Found")
        answer = cursor_page(request.query, self._listed(), default=50, maximum=100)
        if answer.status == 200 and not self._company.strict:
            rows = [row | {"files": None} for row in answer.payload["data"]]
            return answer.with_payload(answer.payload | {"data": rows})
        return answer

    def _employment(self, request: Request, match: "re.Match[str]") -> Answer:
        row = self._company.employments.get(match[1])
        if row is None:
            return not_found("Employment")
        end = self._company.endings.termination_date(match[1])
        return one({"employment": row | {"termination_date": end}})

    def _custom_values(self, request: Request, match: "re.Match[str]") -> Answer:
        if match[1] not in self._company.employments:
            return not_found("Employment")
        values = self._company.custom_values_of(match[1])
        return listing(request.query, "custom_field_values", values)

    def _job(self, request: Request, match: "re.Match[str]") -> Answer:
        row = self._company.employments.get(match[1])
        if row is None:
            return not_found("Employment")
        return one(jobs.job_of(row, seed=self._company.seed))

    def _contracts(self, request: Request, match: "re.Match[str]") -> Answer:
        if "employment_id" not in request.query:
            return errors({"employment_id": ["can't be blank"]})
        row = self._company.employments.get(request.query["employment_id"])
        if row is None:
            return not_found("Employment")
        contract = jobs.contract_of(row)
        hidden = request.query.get("only_active") == "true" and contract["status"] != "active"
        return one({"employment_contracts": [] if hidden else [contract]})

    def _listed(self) -> list[Record]:
        return [row for row in self._company.employments.values() if row["status"] != "deleted"]

    # -- endings ---------------------------------------------------------------------------

    def _offboardings(self, request: Request, match: "re.Match[str]") -> Answer:
        endings = self._company.endings
        first = request.path.startswith("/v1")
        rows = list((endings.offboardings if first else endings.offboardings_v2).values())
        if request.query.get("include_confidential") != "true":
            rows = [row for row in rows if not row.get("confidential")]
        if "type" in request.query:
            rows = [row for row in rows if row["type"] == request.query["type"]]
        return listing(request.query, "offboardings", _of_employment(rows, request.query))

    def _offboarding(self, request: Request, match: "re.Match[str]") -> Answer:
        endings = self._company.endings
        first = request.path.startswith("/v1")
        for row in (endings.offboardings if first else endings.offboardings_v2).values():
            if row["id"] == match[1]:
                return one({"offboarding": row})
        return not_found("Offboarding")

    def _direct_offboardings(self, request: Request, match: "re.Match[str]") -> Answer:
        rows = _of_employment(list(self._company.endings.direct.values()), request.query)
        return listing(request.query, "direct_offboardings", rows)

    def _cor_terminations(self, request: Request, match: "re.Match[str]") -> Answer:
        rows = _of_employment(list(self._company.endings.cor.values()), request.query)
        if "status" in request.query:
            rows = [row for row in rows if row["status"] == request.query["status"]]
        return listing(request.query, "termination_requests", rows)

    # -- webhooks --------------------------------------------------------------------------

    def _callbacks(self, request: Request, match: "re.Match[str]") -> Answer:
        if match[1] != self._company.id:
            return not_found("Company")
        return Answer(200, {"data": self._webhooks.callbacks()})

    def _subscribe(self, request: Request, match: "re.Match[str]") -> Answer:
        if problems := self._webhooks.problems(request.body, new=True):
            return errors(problems)
        return one({"webhook_callback": self._webhooks.subscribe(request.body)})

    def _resubscribe(self, request: Request, match: "re.Match[str]") -> Answer:
        if problems := self._webhooks.problems(request.body, new=False):
            return errors(problems)
        row = self._webhooks.change(match[1], request.body)
        return one({"webhook_callback": row}) if row else not_found("Webhook callback")

    def _unsubscribe(self, request: Request, match: "re.Match[str]") -> Answer:
        found = self._webhooks.unsubscribe(match[1])
        return one({"status": "ok"}) if found else not_found("Webhook callback")

    def _events(self, request: Request, match: "re.Match[str]") -> Answer:
        rows = _chosen_events(self._webhooks.events(), request.query)
        if request.query.get("order", "desc") == "desc":
            rows.reverse()
        return listing(request.query, "webhook_events", rows)

    def _replay(self, request: Request, match: "re.Match[str]") -> Answer:
        body = request.body
        if "ids" not in body and not {"after", "before"} <= set(body):
            return errors({"ids": ["can't be blank"]})
        rows = self._webhooks.events()
        known = {row["id"] for row in rows}
        if "ids" in body:
            ids = [event_id for event_id in body["ids"] if event_id in known]
        else:
            query = {key: str(value) for key, value in body.items()}
            query["successfully_delivered"] = query.get("successfully_delivered", "").lower()
            ids = [row["id"] for row in _chosen_events(rows, query)]
        self._webhooks.replay(ids)
        return one({"status": "ok"})

    def _trigger(self, request: Request, match: "re.Match[str]") -> Answer:
        event_type, employment_id = (
            request.body.get("event_type"), request.body.get("employment_id"))  # fmt: skip
        if not event_type or not employment_id:
            return errors({"employment_id": ["can't be blank"]})
        try:
            self._changes.trigger(event_type, employment_id)
        except UnknownEmploymentError:
            return not_found("Employment")
        return one({"status": "ok"})


def _wanted(row: Record, query: Query) -> bool:
    statuses = [text for text in query.get("status", "").split(",") if text]
    if statuses and row["status"] not in statuses:
        # `incomplete` is a word of the filter only: everybody whose onboarding is not over.
        unfinished = row["employment_lifecycle_stage"] not in _ONBOARDED
        if not ("incomplete" in statuses and unfinished):
            return False
    pairs = (
        ("email", "login_email"),
        ("employment_type", "type"),
        ("employment_model", "employment_model"),
        ("short_id", "short_id"),
        ("partner_external_id", "partner_external_id"),
        ("company_id", "company_id"),
    )
    if any(name in query and row[key] != query[name] for name, key in pairs):
        return False
    return query.get("name", "").lower() in row["full_name"].lower()


def _of_employment(rows: list[Record], query: Query) -> list[Record]:
    wanted = query.get("employment_id")
    return [row for row in rows if wanted in (None, row["employment_id"])]


def _chosen_events(rows: list[Record], query: Query) -> list[Record]:
    delivered = query.get("successfully_delivered")
    return [
        row
        for row in rows
        if query.get("event_type") in (None, row["event_type"])
        and delivered in (None, "", str(row["successfully_delivered"]).lower())
        and query.get("after", "") <= row["first_triggered_at"]
        and row["first_triggered_at"] <= query.get("before", "9999")
    ]
