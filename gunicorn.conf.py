"""Read by gunicorn by itself when it is started in this directory."""

logger_class = "siit_remote.lib.web_logger.WebLogger"
