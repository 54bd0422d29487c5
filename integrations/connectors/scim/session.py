"""Talking SCIM over the transport: addresses, errors, versions, search and paging."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urljoin, urlsplit

from integrations.answers import parse_json, raise_for_status
from integrations.connectors.scim.matching import Resource, id_of, quoted
from integrations.errors import ConfigError, IncompleteError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from integrations.connectors.base import HttpResponse, Transport

_PAGE = 100
_MAX_PAGES = 5_000
_PAGE_BYTES = 8_000_000
_MEDIA_TYPE = "application/scim+json"
# What servers answer to a filter or a PATCH that they do not know.
NOT_UNDERSTOOD = frozenset({400, 404, 405, 415, 422, 501})


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What ``/ServiceProviderConfig`` said at the last test; the usual where it said nothing."""

    patch: bool = True
    filter: bool = True
    etag: bool = True
    groups: bool = True
    attributes: frozenset[str] = frozenset()
    """What a user has there; empty where the server did not say."""
    tested: bool = False

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> Capabilities:
        """From a connection's stored capabilities."""
        flags = {name: values.get(name) is not False for name in ("patch", "filter", "etag")}
        return cls(
            **flags,
            groups=values.get("groups") is not False,
            attributes=frozenset(map(str, values.get("attributes") or ())),
            tested=bool(values),
        )

    def keeps(self, attribute: str) -> bool:
        """Whether a user can have ``attribute`` there; assumed where the server did not say."""
        return not self.attributes or attribute in self.attributes


class ScimSession:
    """Requests below one base address with one bearer token, or with what renews it."""

    def __init__(
        self,
        transport: Transport,
        *,
        base_url: str,
        token: str | Callable[[], str],
        page: int = _PAGE,
    ) -> None:
        if not base_url or not token:
            raise ConfigError("The SCIM connection needs its base_url and its bearer token.")
        self._transport = transport
        self._base = base_url.rstrip("/")
        self._page = max(1, min(page, _PAGE))
        self._token = token

    @property
    def _headers(self) -> dict[str, str]:
        token = self._token if isinstance(self._token, str) else self._token()
        return {"Authorization": f"Bearer {token}", "Accept": _MEDIA_TYPE}

    def address(self, *parts: str) -> str:
        """An address below the base; each part is escaped whole."""
        return "/".join((self._base, *(quote(part, safe="") for part in parts)))

    def location(self, resource: Mapping[str, Any], *, kind: str) -> str:
        """Where the resource lives: its ``meta.location`` if on our origin, else built.

        A location on another origin is not followed: it would carry the token away.
        """
        meta = resource.get("meta")
        said = meta.get("location") if isinstance(meta, dict) else None
        if isinstance(said, str) and said:
            try:
                found = urljoin(f"{self._base}/", said)
                ours, theirs = urlsplit(self._base), urlsplit(found)
                same_origin = (ours.scheme, ours.hostname, ours.port) == (
                    theirs.scheme,
                    theirs.hostname,
                    theirs.port,
                )
            except ValueError:
                same_origin = False
            if same_origin and not theirs.query and not theirs.fragment:
                return found
        return self.address(kind, id_of(resource))

    def get(self, url: str, *, what: str, params: Mapping[str, str] | None = None) -> Resource:
        """Read one resource or list. Raises as :func:`integrations.answers.raise_for_status`."""
        answer = self._transport.request(
            "GET", url, headers=self._headers, params=params, max_bytes=_PAGE_BYTES
        )
        raise_for_status(answer, what=what)
        return self._object(answer, what=what)

    def find(self, url: str, *, what: str) -> Resource | None:
        """Read one resource; ``None`` when the server says 404."""
        try:
            return self.get(url, what=what)
        except PermanentError as error:
            if error.status in {404, 410}:
                return None
            raise

    def by_id(self, kind: str, external_id: str, *, filters: bool) -> Resource | None:
        """The resource with this id; ``None`` only when the server's own list lacks it too.

        A 404 alone may mean that the base address is wrong, and must not pass for “is gone”.
        """
        if not external_id:
            raise PermanentError("An id is needed to look up something by its id.")
        what = f"looking up one of {kind}"
        found = self.find(self.address(kind, external_id), what=what)
        if found is None:
            listed = self.search(
                kind,
                queries=(f"id eq {quoted(external_id)}",),
                pick=lambda all_: next((one for one in all_ if id_of(one) == external_id), None),
                filters=filters,
                what=what,
                thorough=True,
            )
            if listed is None:
                return None
            found = self.get(self.location(listed, kind=kind), what=what)
        if id_of(found) != external_id:
            raise PermanentError("The server answered with another entry than the one asked for.")
        return found

    def send(
        self,
        method: str,
        url: str,
        *,
        what: str,
        idempotency_key: str,
        body: Mapping[str, Any] | None = None,
        version: str = "",
    ) -> Resource:
        """Change something. The answer's resource, ``{}`` where it has none (204)."""
        headers = {**self._headers, "Content-Type": _MEDIA_TYPE}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        if version:
            headers["If-Match"] = version
        answer = self._transport.request(
            method, url, headers=headers, json=body, idempotency_key=idempotency_key
        )
        raise_for_status(answer, what=what)
        try:
            return self._object(answer, what=what) if answer.body.strip() else {}
        except TransientError:
            # Success was said; the caller reads back anyway, so an odd body changes nothing.
            return {}

    @staticmethod
    def _object(answer: HttpResponse, *, what: str) -> Resource:
        value = parse_json(answer.body)
        if not isinstance(value, dict):
            raise TransientError(f"The answer is no SCIM object while {what}.")
        if "etag" in answer.headers and isinstance(value.setdefault("meta", {}), dict):
            value["meta"].setdefault("version", answer.headers["etag"])
        return value

    def pages(self, kind: str, *, what: str, query: str = "") -> Iterator[list[Resource]]:
        """Page through ``kind``, optionally filtered.

        Raises ``IncompleteError`` when the pages do not add up to the announced total: a person
        who is not on them cannot then be said not to exist.
        """
        start, seen = 1, set[str]()
        for _ in range(_MAX_PAGES):
            params = {"startIndex": str(start), "count": str(self._page)}
            if query:
                params["filter"] = query
            answer = self.get(self.address(kind), what=what, params=params)
            listed = answer.get("Resources", [])
            if not isinstance(listed, list):
                raise IncompleteError(f"The list is no list while {what}.")
            fresh = [
                one
                for one in listed
                if isinstance(one, dict) and id_of(one) and id_of(one) not in seen
            ]
            seen.update(map(id_of, fresh))
            yield fresh
            total = answer.get("totalResults")
            if not isinstance(total, int) or isinstance(total, bool):
                # Nobody says how many there are: until a page brings nobody new.
                if not fresh:
                    return
            elif len(seen) >= total:
                return
            elif not fresh:
                raise IncompleteError(
                    f"The server announced {total} entries and gave {len(seen)} while {what}."
                )
            start += len(listed)
        raise IncompleteError(f"The list did not end while {what}.")

    def search(
        self,
        kind: str,
        *,
        queries: tuple[str, ...],
        pick: Callable[[list[Resource]], Resource | None],
        filters: bool,
        what: str,
        thorough: bool = False,
    ) -> Resource | None:
        """The resource that ``pick`` recognises: by filter where that works, else among all.

        An answer to a filter that holds strangers only means that the filter was ignored. With
        ``thorough``, nobody is believed to be missing before all were looked at: a filter may mind
        the case of letters, or not know the attribute and find nothing.
        """
        ignored = not filters
        for query in queries if filters else ():
            try:
                listed = next(self.pages(kind, query=query, what=what))
            except PermanentError as error:
                if error.status not in NOT_UNDERSTOOD:
                    raise
                ignored = True
                continue
            if (found := pick(listed)) is not None:
                return found
            ignored = ignored or bool(listed)
        return self.scan(kind, pick=pick, what=what) if ignored or thorough else None

    def scan(
        self, kind: str, *, pick: Callable[[list[Resource]], Resource | None], what: str
    ) -> Resource | None:
        """Page through everything; all of it is read, so that a second match is noticed."""
        everything = [one for page in self.pages(kind, what=what) for one in page]
        return pick(everything)


def version_of(resource: Mapping[str, Any]) -> str:
    """The version to name in ``If-Match``; empty where the server offers none."""
    meta = resource.get("meta")
    version = meta.get("version") if isinstance(meta, dict) else None
    return (
        version if isinstance(version, str) and version.isascii() and version.isprintable() else ""
    )
