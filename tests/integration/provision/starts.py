"""Python processes that provide what a lab is made from, and what they say."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PROVIDE = """
import json
from harness.provision import parts
provided = parts.provide(progress=lambda line: print("PROGRESS", line))
print("PARTS", json.dumps(provided.describe()))
print("COMMAND", json.dumps(parts.java_command(provided)))
"""
Begin = Callable[..., "subprocess.Popen[str]"]
"""Starts a Python process: its script, and by their names the variables that it gets."""
PathWithout = Callable[..., str]
"""Takes programs off PATH, by their names; returns what PATH is then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What one process that provided everything has said."""

    printed: str

    def progress(self) -> list[str]:
        """Return its lines of progress."""
        return [line[9:] for line in self.printed.splitlines() if line.startswith("PROGRESS ")]

    def parts(self) -> dict[str, str]:
        """Return version and origin of each part."""
        said: dict[str, str] = self._json("PARTS ")
        return said

    def command(self) -> list[str]:
        """Return the argv prefix of its Kafka JVMs."""
        said: list[str] = self._json("COMMAND ")
        return said

    def _json(self, mark: str) -> Any:  # noqa: ANN401  # whatever stands there
        lines = [line for line in self.printed.splitlines() if line.startswith(mark)]
        assert lines, self.printed
        return json.loads(lines[0].removeprefix(mark))


BeginProvide = Callable[..., Start]
"""Provides everything in a process that gets these variables; returns what it said."""


def begin(script: str, **environment: str) -> "subprocess.Popen[str]":
    """Start a Python process with some of its environment changed."""
    return subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
