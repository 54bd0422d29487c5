"""One full refresh: which of Remote's lists are read, and in which order.

Small lists first, so that every page of people can be projected at once and thrown away: memory
stays flat, and bank, salary and address data are gone with the page. Where there is a second door,
the small lists are read while the first pages of people are on their way.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from integrations.connectors.base import Feed
from integrations.connectors.remote.answers import (
    ForbiddenError,
    MalformedAnswer,
    NotFoundError,
    RefusedError,
)
from integrations.connectors.remote.lookups import (
    Leaving,
    Lookups,
    entities_by_id,
    leavings_by_employment,
    managers_by_user,
    read_cor,
    read_direct,
    read_offboarding,
)
from integrations.connectors.remote.mapping import to_record
from integrations.connectors.remote.paging import by_content, cursor_pages, numbered_rows
from integrations.connectors.remote.payloads import Fields, Findings
from integrations.connectors.remote.projecting import project_beside
from integrations.connectors.remote.vocabulary import CONTRACTOR_TYPES
from people.choices import WorkerType
from people.records import SkippedRecord, WorkerRecord
from people.staging import StagedRecords

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from integrations.connectors.remote.session import RemoteSession

_EMPLOYMENTS = "/v1/employments"
_PEOPLE_SCOPE = "employment:read"


class Refresh:
    """The state of one refresh while it runs.

    ``company_id`` is whose workers are expected: each worker names their company, and another one's
    is refused. ``prove_company`` raises on a foreign company id; given ``""`` it asks Remote whose
    token this is, which is only needed where the workers do not say. ``aside`` is a second session
    for the small lists, used by another thread; without one they are read before the people.
    """

    def __init__(
        self,
        session: RemoteSession,
        source: str,
        *,
        today: date,
        progress: Callable[[str], None],
        company_id: str,
        prove_company: Callable[[str], None],
        aside: RemoteSession | None = None,
        staged: StagedRecords | None = None,
    ) -> None:
        self._session = session
        self._aside = aside
        self._source = source
        self._today = today
        self._progress = progress
        self._company_id = company_id
        self._prove_company = prove_company
        self._silent_rows = False
        self._lookups = Lookups()
        self._records = StagedRecords() if staged is None else staged
        self._skipped: list[SkippedRecord] = []
        self._denied: list[tuple[Callable[[WorkerRecord], bool], ForbiddenError]] = []
        self._remarks: SimpleQueue[str] = SimpleQueue()
        """What the thread of the small lists has to say; said by the caller's."""

    def read_all(self) -> None:
        """Everybody, and the lists that people refer to."""
        self._read_entities()
        if self._aside is None:
            self._read_lookups(self._session)
            self._read_people()
        else:
            self._read_people(partial(self._read_lookups, self._aside))

    def _read_entities(self) -> None:
        self._progress("Reading offboardings, managers and legal entities")
        # First and alone, because it is the list that another company's token is refused, and
        # because a token that is no longer valid is to be tried once.
        self._lookups = Lookups(entities=entities_by_id(self._entities()))

    def _read_lookups(self, session: RemoteSession) -> None:
        """The other lists: four requests while each fits one page."""
        leavings = [read_offboarding(row) for row in self._offboardings(session)]
        # https://developer.remote.com/reference/get_index_direct_offboarding
        leavings += self._optional(
            session,
            "/v1/direct-offboardings",
            "direct_offboardings",
            what="direct offboardings",
            scope="offboarding:read",
            read=read_direct,
            matters=_is_on_own_payroll,
        )
        # https://developer.remote.com/reference/get_index_cor_termination_request
        leavings += self._optional(
            session,
            "/v1/contractors/cor-termination-requests",
            "termination_requests",
            what="terminations of contractors of record",
            scope=_PEOPLE_SCOPE,
            read=read_cor,
            matters=_is_contractor_of_record,
        )
        # https://developer.remote.com/reference/get_index_company_manager
        managers = numbered_rows(
            session,
            "/v1/company-managers",
            collection="company_managers",
            what="company managers",
            scope="company_manager:read",
            identity=by_content,
        )
        self._lookups = replace(
            self._lookups,
            leavings=leavings_by_employment(leavings),
            managers=managers_by_user(managers),
        )

    def _read_people(self, first: Callable[[], None] | None = None) -> None:
        """Every worker: in bulk, or one by one for accounts that lack the bulk list."""
        project_beside(self._counted_pages(), self._keep_all, first=first)
        self._say_remarks()
        # Nobody at all says nothing about whose token it is.
        self._silent_rows = self._silent_rows or not self._records

    def _counted_pages(self) -> Iterator[list[Any]]:
        read = 0
        try:
            for rows in self._pages():
                read += len(rows)
                self._say_remarks()
                self._progress(f"Read {read} people")
                yield rows
        except BaseException:
            if self._aside is not None:
                self._aside.give_up()
            raise

    def _say_remarks(self) -> None:
        while not self._remarks.empty():
            self._progress(self._remarks.get())

    def read_some(self, ids: Sequence[str]) -> None:
        """Single workers; those whom Remote does not know are left out."""
        self._read_entities()
        self._read_lookups(self._session)
        self._say_remarks()
        for employment_id in ids:
            try:
                self._keep(self._show(employment_id))
            except NotFoundError:
                continue
            self._progress(f"Read {len(self._records)} people")

    def feed(self) -> Feed:
        """What was read. Raises ``UnauthorizedError`` if a refused list would have mattered."""
        if self._silent_rows:
            self._prove_company("")
        for matters, error in self._denied:
            if any(map(matters, self._records)):
                raise error
        return Feed(
            records=self._records,
            skipped=tuple(self._skipped),
            entities=tuple(self._lookups.entities.values()),
            requests=self._session.requests + (self._aside.requests if self._aside else 0),
        )

    def _keep_all(self, rows: list[Any]) -> None:
        for row in rows:
            self._keep(row)

    def _keep(self, row: Any) -> None:
        company_id = row.get("company_id") if isinstance(row, dict) else None
        if isinstance(company_id, str) and company_id:
            self._prove_company(company_id)
        else:
            self._silent_rows = True
        found = to_record(row, source=self._source, lookups=self._lookups, today=self._today)
        if isinstance(found, WorkerRecord):
            # A worker met on two pages is one worker; the later page is the fresher. Put down and
            # digested here, because here it costs no time: the next page is on its way.
            self._records.add(found)
        else:
            self._skipped.append(found)

    def _pages(self) -> Iterator[list[Any]]:
        """https://developer.remote.com/reference/get_index_employment_bulk"""
        pages = cursor_pages(
            self._session, f"{_EMPLOYMENTS}/bulk", what="people in bulk", scope=_PEOPLE_SCOPE
        )
        try:
            first = next(pages)
        except (NotFoundError, ForbiddenError, RefusedError):
            # Older gateways take "bulk" for the id of an employment, hence the refusals.
            self._progress("Remote offers no bulk list to this account; reading people one by one")
            yield from self._one_by_one()
            return
        yield first
        yield from pages

    def _one_by_one(self) -> Iterator[list[Any]]:
        rows = numbered_rows(
            self._session,
            _EMPLOYMENTS,
            collection="employments",
            what="people",
            scope=_PEOPLE_SCOPE,
        )
        for row in rows:
            fields = Fields(row, Findings())
            employment_id = fields.identifier("id")
            if not employment_id:
                yield [row]
                continue
            try:
                yield [self._show(employment_id)]
            except NotFoundError:
                self._skipped.append(
                    SkippedRecord(
                        external_id=employment_id,
                        name=fields.text("full_name", 300),
                        reason="Remote listed this worker and then no longer knew them.",
                    )
                )

    def _show(self, employment_id: str) -> Any:
        """https://developer.remote.com/reference/get_show_employment"""

        def read(body: Any) -> Any:
            data = body.get("data") if isinstance(body, dict) else None
            found = data.get("employment") if isinstance(data, dict) else None
            if not isinstance(found, dict) or found.get("id") != employment_id:
                raise MalformedAnswer("the body lacks the employment asked for")
            return found

        return self._session.get(
            f"{_EMPLOYMENTS}/{quote(employment_id, safe='')}",
            params={"exclude_files": "true"},
            what=f"the person with the id {employment_id[:40]}",
            scope=_PEOPLE_SCOPE,
            read=read,
        )

    def _offboardings(self, session: RemoteSession) -> list[Any]:
        try:
            return self._offboardings_of(session, "v2")
        except NotFoundError:
            self._remarks.put("Remote offers only its older list of offboardings; reading that")
            return self._offboardings_of(session, "v1")

    def _offboardings_of(self, session: RemoteSession, version: str) -> list[Any]:
        """https://developer.remote.com/reference/get_index_offboarding"""
        return numbered_rows(
            session,
            f"/{version}/offboardings",
            collection="offboardings",
            what="offboardings",
            scope="offboarding:read",
            # Without it the confidential ones are hidden, and their people never leave.
            params={"include_confidential": "true"},
        )

    def _optional(
        self,
        session: RemoteSession,
        path: str,
        collection: str,
        *,
        what: str,
        scope: str,
        read: Callable[[Any], Leaving],
        matters: Callable[[WorkerRecord], bool],
    ) -> list[Leaving]:
        """A list not every account has. A refusal counts only if somebody's end hangs on it."""
        try:
            rows = numbered_rows(
                session,
                path,
                collection=collection,
                what=what,
                scope=scope,
            )
        except NotFoundError:
            self._remarks.put(f"This account has no {what}")
            return []
        except ForbiddenError as error:
            self._remarks.put(f"This token may not read {what}")
            self._denied.append((matters, error))
            return []
        return [read(row) for row in rows]

    def _entities(self) -> list[Any]:
        """https://developer.remote.com/reference/get_index_company_legal_entities"""
        try:
            return numbered_rows(
                self._session,
                f"/v1/companies/{quote(self._company_id, safe='')}/legal-entities",
                collection="legal_entities",
                what="legal entities",
                scope="company:read",
            )
        except (NotFoundError, ForbiddenError):
            # Another company's token may not see this one's: then that is what must be said.
            self._prove_company("")
            raise


def _is_on_own_payroll(record: WorkerRecord) -> bool:
    return record.is_live and record.worker_type == WorkerType.DIRECT_EMPLOYEE


def _is_contractor_of_record(record: WorkerRecord) -> bool:
    return record.is_live and record.contract_type == CONTRACTOR_TYPES["cor"]
