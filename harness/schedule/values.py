"""What to break and when, as frozen values. PURE: nothing here touches a system.

A schedule is drawn completely before the lab is touched. Targets are symbolic ("the leader of
orders/0") and are resolved when their fault starts; the resolution is recorded in the timeline.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field

from harness.errors import UsageError

STRICT = ConfigDict(extra="forbid", strict=True)

Flavour = Literal["hold", "drop", "refuse"]
Plane = Literal["replication", "quorum", "client", "database"]
FORMAT_VERSION: Literal[1] = 1


# --- targets ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A node by its number (1-based)."""

    __pydantic_config__ = STRICT
    number: int
    kind: Literal["node"] = "node"

    def __str__(self) -> str:
        return f"node {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Whichever node leads this partition when the fault starts."""

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    kind: Literal["leader"] = "leader"

    def __str__(self) -> str:
        return f"the leader of {self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Follower:
    """The `index`-th in-sync follower of this partition, by node number, when the fault starts."""

    __pydantic_config__ = STRICT
    topic: str
    partition: int
    index: int = 0
    kind: Literal["follower"] = "follower"

    def __str__(self) -> str:
        return f"follower {self.index} of {self.topic}/{self.partition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One process of the pipeline: the `number`-th instance (0-based) of a role."""

    __pydantic_config__ = STRICT
    role: str
    number: int = 0
    kind: Literal["instance"] = "instance"

    def __str__(self) -> str:
        return f"{self.role} {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Database:
    """The database server."""

    __pydantic_config__ = STRICT
    kind: Literal["database"] = "database"

    def __str__(self) -> str:
        return "the database"


NodeTarget = Annotated[Node | Leader | Follower, Field(discriminator="kind")]
Target = Annotated[Node | Leader | Follower | Instance | Database, Field(discriminator="kind")]


# --- triggers and ends -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterSeconds:
    """Seconds since the storm began (as a trigger), or since the fault took hold (as an end)."""

    __pydantic_config__ = STRICT
    seconds: float
    kind: Literal["seconds"] = "seconds"

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterCount:
    """A number of events of one kind: since the run began (trigger) or since it bit (end)."""

    __pydantic_config__ = STRICT
    event: Literal["acked", "processed"]
    count: int
    kind: Literal["count"] = "count"

    def __str__(self) -> str:
        return f"{self.count} {self.event}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AtPoint:
    """The `passes`-th pass of a named crash point after the storm began. Kills of roles only."""

    __pydantic_config__ = STRICT
    point: str
    passes: int = 1
    kind: Literal["point"] = "point"

    def __str__(self) -> str:
        return f"pass {self.passes} of {self.point}"


Trigger = Annotated[AfterSeconds | AfterCount | AtPoint, Field(discriminator="kind")]
End = Annotated[AfterSeconds | AfterCount, Field(discriminator="kind")]


# --- faults ----------------------------------------------------------------------------------


class Timed:
    """The words that say when a fault starts and ends; each returns a new value."""

    __slots__ = ()

    def _with(self, **changes: object) -> Self:
        fault: Any = self  # every heir is a frozen dataclass with `trigger` and `end`
        changed: Self = replace(fault, **changes)
        return changed

    def after(
        self,
        *,
        seconds: float | None = None,
        acked: int | None = None,
        processed: int | None = None,
    ) -> Self:
        """Start after seconds of storm, or once so many messages were acked or processed."""
        return self._with(trigger=_moment(seconds=seconds, acked=acked, processed=processed))

    def at(self, point: str, *, passes: int = 1) -> Self:
        """Start at the `passes`-th pass of a crash point after the storm began (kills of roles)."""
        return self._with(trigger=AtPoint(point=point, passes=passes))

    def for_seconds(self, seconds: float) -> Self:
        """End so many seconds after the fault took hold."""
        return self._with(end=AfterSeconds(seconds=seconds))

    def until(self, *, acked: int | None = None, processed: int | None = None) -> Self:
        """End once so many more messages were acked or processed since the fault took hold."""
        return self._with(end=_moment(seconds=None, acked=acked, processed=processed))


def _moment(
    *, seconds: float | None, acked: int | None, processed: int | None
) -> AfterSeconds | AfterCount:
    given = [
        name
        for name, value in (("seconds", seconds), ("acked", acked), ("processed", processed))
        if value is not None
    ]
    if len(given) != 1:
        raise UsageError(
            f"A moment is one of seconds=, acked= or processed=, not {given or 'none'}"
        )
    if seconds is not None:
        return AfterSeconds(seconds=float(seconds))
    if acked is not None:
        return AfterCount(event="acked", count=acked)
    return AfterCount(event="processed", count=processed or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill(Timed):
    """SIGKILL a node, a role or the database, and start it again when the fault ends."""

    __pydantic_config__ = STRICT
    target: Target
    trigger: Trigger = field(default_factory=lambda: AfterSeconds(seconds=0.5))
    end: End = field(default_factory=lambda: AfterSeconds(seconds=2.0))
    kind: Literal["kill"] = "kill"

    def __str__(self) -> str:
        return f"kill {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Timed):
    """SIGSTOP a node or a role; SIGCONT when the fault ends."""

    __pydantic_config__ = STRICT
    target: Annotated[Node | Leader | Follower | Instance, Field(discriminator="kind")]
    trigger: Trigger = field(default_factory=lambda: AfterSeconds(seconds=0.5))
    end: End = field(default_factory=lambda: AfterSeconds(seconds=3.0))
    kind: Literal["pause"] = "pause"

    def __str__(self) -> str:
        return f"pause {self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolate(Timed):
    """Cut a node off: from its peers (clients still reach it), from clients, or from everyone."""

    __pydantic_config__ = STRICT
    target: NodeTarget
    flavour: Flavour = "hold"
    cut_from: Literal["peers", "clients", "everyone"] = "peers"
    trigger: Trigger = field(default_factory=lambda: AfterSeconds(seconds=0.5))
    end: End = field(default_factory=lambda: AfterSeconds(seconds=3.0))
    kind: Literal["isolate"] = "isolate"

    def __str__(self) -> str:
        return f"isolate {self.target} from {self.cut_from} ({self.flavour})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Timed):
    """Cut the one-way replication link on which `target` fetches from `source`."""

    __pydantic_config__ = STRICT
    target: NodeTarget
    source: NodeTarget
    flavour: Flavour = "hold"
    trigger: Trigger = field(default_factory=lambda: AfterSeconds(seconds=0.5))
    end: End = field(default_factory=lambda: AfterSeconds(seconds=3.0))
    kind: Literal["cut"] = "cut"

    def __str__(self) -> str:
        return f"{self.target} cannot fetch from {self.source} ({self.flavour})"


Fault = Annotated[Kill | Pause | Isolate | Cut, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What the producers are asked for, through their environment; a pipeline may ignore it."""

    __pydantic_config__ = STRICT
    rate_per_s: int = 400
    """Messages a second over all producer instances; 0 means as fast as they can."""
    batch: int = 1
    """Messages a transaction."""
    keys: int = 32
    payload_bytes: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Everything one run plays. Equal schedules have equal fingerprints."""

    __pydantic_config__ = STRICT
    pipeline: str
    """`outbox` (the reference), or the path of a pipeline.toml."""
    variant: str | None = None
    faults: tuple[Fault, ...] = ()
    workload: Workload = field(default_factory=Workload)
    budget: Literal["safe", "over"] = "safe"
    seed: int = 0
    format: Literal[1] = FORMAT_VERSION
