"""The lines of a request's timeline."""

from __future__ import annotations

from datetime import datetime

from people.models import Person
from workflows.models import Request, RequestNote


def note_add(
    request: Request,
    text: str,
    *,
    now: datetime,
    kind: str = RequestNote.Kind.EVENT,
    author: Person | None = None,
) -> RequestNote:
    """Write one line; everybody who may open the request reads it."""
    return RequestNote.objects.create(
        request=request, kind=kind, author=author, text=text[:5_000], at=now
    )
