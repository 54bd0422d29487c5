"""Addresses that are a secret stay out of the logs: whoever knows one gets in by it alone.

Used by every log handler of ours and by the web server's own loggers (``web_logger.py``).
"""

from __future__ import annotations

import logging
import re

# An address follows; a query may hold the one-time code of a sign-in.
_SECRET = re.compile(
    r"""(/callbacks/|/hooks/(?!mail/)|/equipment/address/|/calendar/
        |/sign-in/provider/back/?\?)[^\s"'<>/]+""",
    re.VERBOSE,
)
HIDDEN = "…"


def secrets_hidden(text: str) -> str:
    """``text`` with the secret part of our own addresses left out.

    >>> secrets_hidden("POST /callbacks/abc/ HTTP/1.1")
    'POST /callbacks/…/ HTTP/1.1'
    """
    return _SECRET.sub(rf"\g<1>{HIDDEN}", text)


class SecretAddressFilter(logging.Filter):
    """Lets every record through, without the secret addresses in its words and its traceback."""

    _words = logging.Formatter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrites the record where it names such an address."""
        said = record.getMessage()
        hidden = secrets_hidden(said)
        if hidden != said:
            record.msg, record.args = hidden, None
        if record.exc_info and not record.exc_text:
            record.exc_text = secrets_hidden(self._words.formatException(record.exc_info))
        return True
