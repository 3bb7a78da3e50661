"""What the supervisor knows of one role instance, and the events it tells of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from harness.pipeline.counters import Counters
from harness.role_life import RoleLife

State = Literal["started", "exited", "failing"]
RESTART_LIMIT_S = 5.0
SHORT_LIFE_S = 3.0
"""A life that ends by itself before this counts as a failure to start."""
FAILURES = 3
"""That many short lives in a row are called failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleEvent:
    """Something that happened to a role instance; the fields of the timeline's `role` event."""

    role: str
    instance: int
    state: State
    """`failing` comes once, after the `exited` that made it so: it ends as soon as it starts."""
    pid: int
    code: int | None = None
    asked: bool = False
    """The harness ended it: by a kill, a stop, or an armed crash point."""
    point: str | None = None
    """The crash point that ended it."""
    output: str = ""
    """The last lines it printed, when it ended without being asked to."""


@dataclass(slots=True, kw_only=True)
class RoleState:
    """One role instance over all its lives."""

    role: str
    instance: int
    counters: Counters
    output: Path
    process: RoleLife | None = None
    started_s: float = 0.0
    due_s: float | None = None
    """When it is to be started again, on the monotonic clock; None: not at all."""
    held_by: set[object] = field(default_factory=set)
    """The faults that decide when it starts again: the last one that lets go."""
    awaited: set[str] = field(default_factory=set)
    """Crash points that hold it down by their name, once one of them ends it."""
    ended_at: dict[str, int] = field(default_factory=dict)
    """The exit code of the life that each crash point ended last."""
    stopping: bool = False
    kill_by_s: float | None = None
    """It was sent SIGTERM, and is killed at this moment of the monotonic clock if it still runs."""
    retired: bool = False
    """It was added while the run went on, and is needed no more."""
    gave_up: bool = False
    """It ended by itself, and its specification does not start it again."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """What a fault puts into the environment of its next lives."""
    paused: bool = False
    failures: int = 0
    """Short lives in a row, each ended by itself."""
    told_failing: bool = False
    codes: list[int] = field(default_factory=list)
    """The exit code of every life that ended."""
    fired: dict[str, int] = field(default_factory=dict)
    """Crash points known to have fired, with their pass."""

    def newly_fired(self) -> str | None:
        """Return the crash point that fired since this was last asked."""
        now = self.counters.all_fired()
        new = [name for name, at in now.items() if self.fired.get(name) != at]
        self.fired = now
        return new[0] if new else None

    def failing(self, exited: RoleEvent) -> tuple[RoleEvent, ...]:
        """Tell once that it ends as soon as it starts; `exited` is its newest end."""
        if self.failures < FAILURES:
            self.told_failing = self.told_failing and self.failures > 0
            return ()
        if self.told_failing:
            return ()
        self.told_failing = True
        return (replace(exited, state="failing"),)

    def runs(self) -> bool:
        """Tell whether its process has not ended, paused or not."""
        return self.process is not None and self.process.exit_code() is None

    def to_come(self) -> bool:
        """Tell whether it runs, or will: its restart is due, or a fault holds it down till then."""
        return self.runs() or (not self.retired and (bool(self.held_by) or self.due_s is not None))

    def end(self) -> None:
        """SIGKILL what runs, for good, and close the counters; safe to call twice."""
        self.due_s, self.stopping = None, True
        process, self.process = self.process, None
        self.counters.close()
        if process is not None:
            process.kill()

    def restart_delay_s(self, first_s: float) -> float:
        """Return how long to wait before the next start: doubled with each failure in a row."""
        factor: float = 2.0 ** max(0, self.failures - 1)
        return max(first_s, min(RESTART_LIMIT_S, first_s * factor))
