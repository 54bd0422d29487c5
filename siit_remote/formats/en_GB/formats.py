"""Dates as people read them: 24 Nov 2026."""

DATE_FORMAT = "j M Y"
DATETIME_FORMAT = "j M Y, H:i"
SHORT_DATE_FORMAT = "j M Y"
SHORT_DATETIME_FORMAT = "j M Y, H:i"
TIME_FORMAT = "H:i"
# A form shows the first: the one order of day and month that nobody reads the wrong way round.
DATE_INPUT_FORMATS = ["%Y-%m-%d", "%d/%m/%Y"]
