"""One whole pass, as the worker and ``run_due`` make it: the same looks before acting."""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows.engine.service import RunDueReport, run_due
from workflows.standing_down import gone_stand_down


def pass_once(*, now: datetime, within: timedelta | None = None) -> RunDueReport:
    """Let those who are gone hold nothing up, then plan and carry out what is due at ``now``.

    ``within``: see :func:`workflows.engine.service.run_due`.
    """
    gone_stand_down(now=now)
    return run_due(now=now, within=within)
