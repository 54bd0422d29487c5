"""The web server's loggers, errors and accesses alike, without secret addresses."""

from __future__ import annotations

from typing import Any

from gunicorn.glogging import Logger

from siit_remote.lib.secret_addresses import SecretAddressFilter


class WebLogger(Logger):  # type: ignore[misc]
    """Named in ``gunicorn.conf.py``, which gunicorn reads by itself."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn with its settings, again after each reload."""
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            if not any(isinstance(one, SecretAddressFilter) for one in log.filters):
                log.addFilter(SecretAddressFilter())
