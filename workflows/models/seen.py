"""What the forecast said on earlier days, and who may read it as a calendar."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class ForecastSnapshot(models.Model):
    """The forecast as it was on one day (UTC), packed: see :mod:`workflows.forecasting`."""

    day = models.DateField(unique=True)
    taken_at = models.DateTimeField()
    packed = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["-day"]

    def __str__(self) -> str:
        return f"Forecast of {self.day}"


class CalendarFeed(models.Model):
    """A secret address under which one user's calendar programme reads the forecast.

    The address itself is shown once and not kept: only its SHA-256 is.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="calendar_feed"
    )
    token_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    last_read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return f"Calendar of user {self.user_id}"
