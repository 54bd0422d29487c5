"""How much of a long search the gate does: a tenth of it; ``make soak`` does all."""

from __future__ import annotations

import os

WHOLE = bool(os.environ.get("SIIT_WHOLE"))


def share(examples: int) -> int:
    """``examples`` with ``SIIT_WHOLE`` set, else a tenth of them, at least three."""
    return examples if WHOLE else max(3, examples // 10)
