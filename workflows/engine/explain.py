"""The ladder of :mod:`workflows.engine.why` at the present moment, as plain data for commands."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from people.models import Person
from workflows.engine.why import why
from workflows.models import Workflow


def explain(
    workflow: Workflow, person: Person, *, now: datetime, hidden: Collection[str] = ()
) -> dict[str, Any]:
    """``result``, ``ladder`` and the trace of the ``conditions`` for one person, as it is now.

    Values of the ``hidden`` fields of the person are left out of every word.
    """
    return why(workflow, person, at=now, now=now, hidden=hidden).to_data()
