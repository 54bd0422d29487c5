"""The background worker of tests: carries out what was asked for, here and now."""

from __future__ import annotations

from django.utils.module_loading import import_string
from django_q.models import OrmQ


def work(*, only: str = "") -> list[str]:
    """Run every queued task whose name begins with ``only``; returns their names."""
    done = []
    while (
        task := next(
            (row for row in OrmQ.objects.order_by("pk") if row.task["func"].startswith(only)), None
        )
    ) is not None:
        name, arguments = task.task["func"], task.task["args"]
        task.delete()
        import_string(name)(*arguments)
        done.append(name)
    return done
