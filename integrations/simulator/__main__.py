"""`python -m integrations.simulator`: run the simulator until SIGTERM or SIGINT."""

import argparse
import json
import signal
import sys
import threading
from datetime import UTC, date, datetime
from pathlib import Path

from integrations.simulator.company import build_company
from integrations.simulator.server import DEFAULT_TOKEN, Simulator


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m integrations.simulator", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--size", type=int, default=40, help="number of employments")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--today", type=date.fromisoformat, help="YYYY-MM-DD, else today in UTC")
    parser.add_argument("--domain", default="acme.test", help="domain of the work emails")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS", help="per answer")
    parser.add_argument("--rate-limit", type=int, metavar="N", help="requests per minute")
    parser.add_argument("--no-bulk", action="store_true", help="answer 404 on the bulk endpoint")
    parser.add_argument("--plain", action="store_true", help="without the awkward shapes")
    parser.add_argument("--strict", action="store_true", help="only shapes the contract allows")
    secret = parser.add_mutually_exclusive_group()
    secret.add_argument("--token", default=DEFAULT_TOKEN)
    secret.add_argument("--token-file", type=Path, help="file holding the token")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Print one JSON line with the base URL when ready; return 0 after a clean stop."""
    options = _arguments(argv)
    token = options.token
    if options.token_file is not None:
        token = options.token_file.read_text(encoding="utf-8").strip()
    company = build_company(
        options.size,
        options.seed,
        options.today or datetime.now(UTC).date(),
        options.domain,
        awkward=not options.plain,
        strict=options.strict,
    )
    asked_to_stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: asked_to_stop.set())
    simulator = Simulator(
        company,
        token=token,
        latency=options.latency / 1000,
        rate_limit=options.rate_limit,
        bulk=not options.no_bulk,
        port=options.port,
    )
    with simulator:
        line = {"base_url": simulator.base_url, "company_id": company.id}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
        asked_to_stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
