"""Signatures of Remote's webhooks. A webhook is a hint to look again, never data by itself.

https://developer.remote.com/docs/webhooks
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_MILLISECONDS = re.compile(r"[0-9]{1,16}")


def verify_signature(
    body: bytes,
    signature: str,
    timestamp: str,
    keys: Sequence[str],
    now_ms: int,
    tolerance_ms: int = 300_000,
) -> bool:
    """Whether ``body`` was signed by one of ``keys`` within the tolerance around ``now_ms``.

    ``signature`` is lower-case hex, ``timestamp`` Unix milliseconds as text, both as received.
    Several keys serve a rotation; an empty key never verifies. Any header text is safe to pass.
    """
    if not _MILLISECONDS.fullmatch(timestamp) or abs(now_ms - int(timestamp)) > tolerance_ms:
        return False
    given = signature.encode("utf-8", "surrogatepass")
    message = body + b":" + timestamp.encode("ascii")
    valid = False
    for key in keys:
        expected = hmac.new(key.encode(), message, hashlib.sha256).hexdigest().encode("ascii")
        # Every key is tried, so that time tells nothing about which one fits.
        valid |= hmac.compare_digest(given, expected) and bool(key)
    return valid
