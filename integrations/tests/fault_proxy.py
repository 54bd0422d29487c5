"""A reverse proxy in front of a real server, that misbehaves as it is told to."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import requests

from integrations.tests.servers import Answer, Asked, Served, serving

_HOP = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding"})


@dataclass
class FaultProxy:
    """``before`` answers instead of the server; ``after`` replaces what the server has answered."""

    upstream: str
    before: Callable[[Asked], Answer | None] = lambda asked: None
    after: Callable[[Asked, Answer], Answer] = lambda asked, answer: answer
    forwarded: list[Asked] = field(default_factory=list)
    server: Served | None = None

    def __call__(self, asked: Asked) -> Answer:
        instead = self.before(asked)
        if instead is not None:
            return instead
        self.forwarded.append(asked)
        said = requests.request(
            asked.method,
            f"{self.upstream}{asked.path}",
            params=asked.query,
            data=asked.body or None,
            headers={name: text for name, text in asked.headers.items() if name not in _HOP},
            timeout=10,
            allow_redirects=False,
        )
        kept = {"content-type", "etag", "location", "retry-after"}
        headers = {name: text for name, text in said.headers.items() if name.lower() in kept}
        return self.after(asked, Answer(said.status_code, body=said.content, headers=headers))

    @property
    def url(self) -> str:
        """Where to go instead of to the server."""
        assert self.server is not None
        return self.server.url


@contextlib.contextmanager
def faults_before(upstream: str) -> Iterator[FaultProxy]:
    """A proxy on loopback before ``upstream``."""
    proxy = FaultProxy(upstream)
    with serving(proxy) as server:
        proxy.server = server
        yield proxy
