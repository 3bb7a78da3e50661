"""Runs the tools that fetch and make parts: bounded in time, and ended with their caller."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from harness.errors import ProvisionError

GUARD = Path(__file__).with_name("guard.py")
TAIL_LINES = 12
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One run of a tool, with the words for the case that it fails."""

    argv: Sequence[str | Path]
    doing: str
    """What a person would call this step: "Fetching Kafka 4.3.1"."""
    remedy: str
    deadline_s: float
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables set on top of this process's own."""


@contextmanager
def guarded(
    argv: Sequence[str | Path],
    *,
    output: BinaryIO,
    environment: Mapping[str, str] | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a command that ends, with all its children, at the end of the block at the latest.

    It also ends when this process is killed. Both its streams go to `output`.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", GUARD, *argv],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.STDOUT,
        env={**os.environ, **(environment or {})},
        start_new_session=True,  # Ctrl-C reaches this process, which then ends the command
    )
    try:
        yield process
    finally:
        if process.stdin is not None:
            process.stdin.close()
        process.wait()


def run(command: Command, *, log: Path) -> str:
    """Run a command to its end and return what it printed; `log` holds it meanwhile.

    ProvisionError with the last lines it printed if it cannot start, fails or takes too long.
    """
    environment = command.environment
    with (
        log.open("wb") as output,
        guarded(command.argv, output=output, environment=environment) as process,
    ):
        try:
            code = process.wait(timeout=command.deadline_s)
        except subprocess.TimeoutExpired:
            code = None
    printed = _COLOURS.sub("", log.read_text(encoding="utf-8", errors="replace"))
    log.unlink()
    if code == 0:
        return printed
    how = f"took more than {command.deadline_s:g} s" if code is None else f"failed (code {code})"
    tail = "".join(f"\n    {line}" for line in printed.strip().splitlines()[-TAIL_LINES:])
    tool = Path(command.argv[0]).name
    raise ProvisionError(f"{command.doing} {how}; {tool} said:{tail}", remedy=command.remedy)
