"""Faults of processes, as frozen values: nodes, roles, the database, lock services. PURE."""

from dataclasses import dataclass, field
from typing import Literal

from harness.schedule.moments import End, Timed, Trigger, in_seconds
from harness.schedule.targets import (
    STRICT,
    EveryNode,
    Instance,
    Nodes,
    NodesTarget,
    NodeTarget,
    Role,
    RoleTarget,
    ServerTarget,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill(Timed):
    """SIGKILL a server or a role, and start it again when the fault ends."""

    __pydantic_config__ = STRICT
    target: ServerTarget
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(2.0))
    kind: Literal["kill"] = "kill"

    def __str__(self) -> str:
        return f"kill {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Timed):
    """End a server or a role in good order (SIGTERM), and start it again when the fault ends."""

    __pydantic_config__ = STRICT
    target: ServerTarget
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(2.0))
    kind: Literal["stop"] = "stop"

    def __str__(self) -> str:
        return f"stop {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Timed):
    """SIGSTOP a server or a role; SIGCONT when the fault ends."""

    __pydantic_config__ = STRICT
    target: ServerTarget
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["pause"] = "pause"

    def __str__(self) -> str:
        return f"pause {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Amnesia(Timed):
    """SIGKILL a node, or several at once, let the disks forget, and start them when it ends.

    `tail`: what was never flushed to disk of each log is cut off, down to `keep` of it: what a
    power loss may do. `log`: every partition is gone, and the node's identity and metadata stay: an
    exchanged disk.
    """

    __pydantic_config__ = STRICT
    target: NodesTarget
    loses: Literal["tail", "log"] = "tail"
    keep: float = 0.0
    """Share of the unflushed bytes that survives, 0 to 1; for `tail`."""
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(2.0))
    kind: Literal["amnesia"] = "amnesia"

    def __str__(self) -> str:
        kept = f", {self.keep:.0%} kept" if self.loses == "tail" and self.keep else ""
        what = "unflushed tail" if self.loses == "tail" else "whole log"
        if isinstance(self.target, Nodes) and len(self.target.members) > 1:
            return f"{self.target} each lose their {what}{kept}"
        return f"{self.target} loses its {what}{kept}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KillRecovering(Timed):
    """SIGKILL a node, start it, and kill it `times` more in the middle of its recovery."""

    __pydantic_config__ = STRICT
    target: NodeTarget
    times: int = 1
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(1.0))
    """Counted from its last death."""
    kind: Literal["kill-recovering"] = "kill-recovering"

    def __str__(self) -> str:
        return f"kill {self.target} and again {self.times} time(s) while it recovers"


@dataclass(frozen=True, slots=True, kw_only=True)
class RollingRestart(Timed):
    """Restart every node, one after the other, each once the last one is in sync again.

    It is over when all have been restarted; a longer `end` lets it rest after that.
    """

    __pydantic_config__ = STRICT
    target: EveryNode = field(default_factory=EveryNode)
    how: Literal["stop", "kill"] = "stop"
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(0.0))
    kind: Literal["rolling-restart"] = "rolling-restart"

    def __str__(self) -> str:
        return f"restart all nodes one after the other ({self.how})"


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartStorm(Timed):
    """SIGKILL and start processes of a role again and again, so that its group never settles."""

    __pydantic_config__ = STRICT
    target: RoleTarget
    every_s: float = 1.0
    """Seconds between two kills; with a whole role its instances take turns."""
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(4.0))
    kind: Literal["restart-storm"] = "restart-storm"

    def __str__(self) -> str:
        return f"kill {self.target} again and again, every {self.every_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Timed):
    """Run another number of instances of a role under load; back to its own when the fault ends."""

    __pydantic_config__ = STRICT
    target: Role
    to: int
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["scale"] = "scale"

    def __str__(self) -> str:
        return f"scale {self.target.role} to {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skew(Timed):
    """Restart one process of a role with its wall clock wrong; with the right one at the end."""

    __pydantic_config__ = STRICT
    target: Instance
    by_s: float
    """Seconds that its clock is ahead; negative: behind."""
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["skew"] = "skew"

    def __str__(self) -> str:
        way = "ahead" if self.by_s >= 0 else "behind"
        return f"the clock of {self.target} is {abs(self.by_s):g} s {way}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminate(Timed):
    """Have the database end sessions of a role that are inside a transaction, again and again."""

    __pydantic_config__ = STRICT
    target: RoleTarget
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(1.0))
    kind: Literal["terminate"] = "terminate"

    def __str__(self) -> str:
        return f"the database ends transactions of {self.target}"
