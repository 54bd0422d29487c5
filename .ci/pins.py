"""Compile requirements*.txt from pyproject.toml and write beside every pin why it is there."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REASON = re.compile(r'^\s*"(?P<name>[A-Za-z0-9._-]+)[^"]*",?\s*#\s*(?P<why>.+?)\s*$')


def reasons() -> dict[str, str]:
    """Map each direct dependency (normalised name) to the comment that justifies it."""
    found: dict[str, str] = {}
    for line in (ROOT / "pyproject.toml").read_text().splitlines():
        if match := REASON.match(line):
            found[re.sub(r"[-_.]+", "-", match["name"]).lower()] = match["why"]
    return found


def compile_pins(source: list[str], target: Path, constraint: Path | None = None) -> None:
    """Resolve ``source`` into ``target`` with hashes; no registry address is written."""
    spec = target.with_suffix(".in")
    spec.write_text("\n".join(source) + "\n")
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--universal",
        "--generate-hashes",
        "--no-header",
        "--no-emit-index-url",
        "--python-version",
        "3.11",
        "--annotation-style",
        "line",
        "--output-file",
        str(target),
        str(spec),
    ]
    if constraint is not None:
        command += ["--constraint", str(constraint)]
    try:
        subprocess.run(command, check=True, cwd=ROOT)
    finally:
        spec.unlink()
    annotate(target)


def annotate(target: Path) -> None:
    """Replace the resolver's annotation by the reason (direct) or by who needs it (indirect)."""
    why = reasons()
    lines = target.read_text().splitlines()
    out: list[str] = []
    pin = re.compile(r"^(?P<name>[a-z0-9][a-z0-9._-]*)(\[[^]]*\])?==")
    block: list[str] = []

    def flush() -> None:
        if not block:
            return
        match = pin.match(block[0])
        name = re.sub(r"[-_.]+", "-", match["name"]) if match else ""
        via = next((m[1] for line in block if (m := re.search(r"#\s*via\s+(.*)$", line))), "")
        needed = ", ".join(sorted(p for p in re.split(r",\s*", via) if not p.startswith("-")))
        out.append(f"# {why[name]}" if name in why else f"# needed by {needed}")
        out.extend(re.sub(r"\s*#\s*via.*$", "", line) for line in block)
        block.clear()

    for line in lines:
        if pin.match(line):
            flush()
        if line.strip():
            block.append(line)
    flush()
    target.write_text(
        "# Compiled by `make pins` from pyproject.toml; edit the lists there.\n"
        + "\n".join(line for line in out if line.strip())
        + "\n"
    )


def main() -> None:
    """Compile the runtime pins, then the development pins on top of them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    compile_pins(runtime, ROOT / "requirements.txt")
    dev = project["dependency-groups"]["dev"]
    compile_pins([*runtime, *dev], ROOT / "requirements-dev.txt", ROOT / "requirements.txt")


if __name__ == "__main__":
    main()
