"""One life of a role instance, whatever it runs in: a process group, or a container of the lab."""

import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.errors import UsageError


class RoleLife(Protocol):
    """What the supervisor does to a role that it started; everything is done to all of it."""

    pid: int
    """The process that was started, by its id on this machine."""

    def exit_code(self) -> int | None:
        """Return how it ended (negative: by that signal), or None while it runs."""
        ...

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal; that it is gone is no error."""
        ...

    def kill(self) -> int:
        """SIGKILL what is left of it; return the exit code when nothing is."""
        ...

    def pause(self) -> None:
        """Stop all of it; return when it is seen to be stopped."""
        ...

    def stopped(self) -> tuple[int, ...]:
        """Return the processes of it that are seen to be stopped."""
        ...

    def resume(self) -> None:
        """Let it go on, whoever stopped it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerOrder:
    """A role instance that is to be started as a container."""

    name: str
    """Role and instance, for people."""
    image: str
    command: tuple[str, ...]
    """Empty: what the image is made to run."""
    environment: Mapping[str, str]
    folders: tuple[Path, ...]
    """Folders of this machine that it finds under the same names, and may write to."""
    output: Path
    """Where what it prints is added to."""


StartContainer = Callable[[ContainerOrder], RoleLife]


def without_engine(image: str) -> UsageError:
    """Return the error for a role that is a container, in a lab of processes."""
    return UsageError(
        f"A role runs in a container of {image}, and a lab of processes has none",
        remedy="add --backend docker, or give the role a command and no image",
    )
