"""``python -m siit_remote.bench [--quick] [--json]``."""

from __future__ import annotations

import argparse
import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "siit_remote.settings")
django.setup()

from siit_remote.bench import (  # noqa: E402 - fields need the set-up above
    forecast,
    minute,
    panel,
    people_list,
    preview,
    queue,
    rules,
    sync,
    trace,
    webhooks,
)


def main() -> int:
    """Measure everything; the exit code says whether every goal holds."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, for a first look")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = [
        *rules.measure(quick=options.quick),
        *trace.measure(quick=options.quick),
        *preview.measure(quick=options.quick),
        *forecast.measure(quick=options.quick),
        *minute.measure(quick=options.quick),
        *panel.measure(quick=options.quick),
        *sync.measure(quick=options.quick),
        *webhooks.measure(quick=options.quick),
        *queue.measure(quick=options.quick),
        *people_list.measure(quick=options.quick),
    ]
    if options.json:
        sys.stdout.write(f"{json.dumps([figure.to_data() for figure in figures])}\n")
    else:
        sys.stdout.write("".join(f"{figure.line()}\n" for figure in figures))
    return 0 if all(figure.reached for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
