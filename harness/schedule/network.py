"""Faults of links, as frozen values: how a link is damaged, and which links. PURE."""

from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import Field

from harness.schedule.moments import End, Timed, Trigger, in_seconds
from harness.schedule.targets import (
    STRICT,
    Database,
    EveryNode,
    Instance,
    LockService,
    NodeLike,
    NodeTarget,
    RoleTarget,
)

Flavour = Literal["hold", "drop", "refuse", "reset", "latency", "bandwidth", "slice", "limit"]
Plane = Literal["replication", "quorum", "client", "database", "coordination"]
Stream = Literal["both", "requests", "answers"]

UNITS: dict[Flavour, str] = {
    "latency": "ms",
    "bandwidth": "KB/s",
    "slice": "bytes a packet",
    "limit": "bytes",
}
"""The flavours that need an amount, and its unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """How a link is cut or worsened.

    `hold`: bytes wait and are delivered on healing; `drop`: bytes vanish, and the connection closes
    on healing; `refuse`: connections are closed and new ones refused; `reset`: connections are
    closed with RST as soon as they are used. `latency`, `bandwidth`, `slice` slow every byte down.
    `limit`: each connection is closed once so many bytes went through, in mid-message.
    """

    __pydantic_config__ = STRICT
    flavour: Flavour = "hold"
    amount: int | None = None
    """In the flavour's unit (see UNITS); None where it has none."""
    stream: Stream = "both"
    """`requests`: from the source to the target only; `answers`: back only. Not with refuse."""

    def __str__(self) -> str:
        amount = "" if self.amount is None else f" of {self.amount} {UNITS.get(self.flavour, '')}"
        only = "" if self.stream == "both" else f", {self.stream} only"
        return f"{self.flavour}{amount}{only}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolate(Timed):
    """Damage a node's links with its peers (clients still reach it), with clients, or with all."""

    __pydantic_config__ = STRICT
    target: NodeTarget
    damage: Damage = field(default_factory=Damage)
    cut_from: Literal["peers", "clients", "everyone"] = "peers"
    flap_s: float | None = None
    """Seconds of damage, then as many of health, and so on until the end; None: no flapping."""
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["isolate"] = "isolate"

    def __str__(self) -> str:
        return f"isolate {self.target} from {self.cut_from} ({self.damage}){_flapping(self.flap_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut(Timed):
    """Damage the one-way link on which `target` asks `source`: to fetch, or to hear the quorum."""

    __pydantic_config__ = STRICT
    target: NodeTarget
    source: NodeTarget
    plane: Literal["replication", "quorum"] = "replication"
    damage: Damage = field(default_factory=Damage)
    flap_s: float | None = None
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["cut"] = "cut"

    def __str__(self) -> str:
        return f"{self.in_words(self.target, self.source)} ({self.damage}){_flapping(self.flap_s)}"

    def in_words(self, target: object, source: object) -> str:
        """Tell the cut between these two, whatever the damage: names, or what they stand for."""
        if self.plane == "replication":
            return f"{target} cannot fetch from {source}"
        return f"{target} cannot ask {source} in the quorum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Partition(Timed):
    """Damage the links between nodes in a shape.

    `pair`: two nodes, both ways. `bridge`: all nodes but the named one lose each other. `ring`:
    each node can only ask the next one (1 → 2 → 3 → 1). `minority`: the named node alone on one
    side. `followers`: nobody can ask the named node, which itself can ask everybody.
    """

    __pydantic_config__ = STRICT
    shape: Literal["pair", "bridge", "ring", "minority", "followers"]
    nodes: tuple[NodeTarget, ...] = ()
    """Two for `pair`, none for `ring`, one for the others."""
    planes: tuple[Literal["replication", "quorum"], ...] = ("replication", "quorum")
    damage: Damage = field(default_factory=Damage)
    flap_s: float | None = None
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["partition"] = "partition"

    def __str__(self) -> str:
        named = [str(node) for node in self.nodes]
        planes = "" if len(self.planes) > 1 else f" on the {self.planes[0]} plane"
        what = {
            "pair": " and ".join(named) + " lose each other",
            "bridge": f"only {''.join(named)} still reaches every other node",
            "ring": "each node can only ask the next one",
            "minority": f"{''.join(named)} is in the minority",
            "followers": f"nobody can fetch from {''.join(named)}",
        }[self.shape]
        return f"{what}{planes} ({self.damage}){_flapping(self.flap_s)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable(Timed):
    """Damage the links on which roles reach a node, every node, the database or a lock service."""

    __pydantic_config__ = STRICT
    target: RoleTarget
    server: Annotated[NodeLike | EveryNode | Database | LockService, Field(discriminator="kind")]
    damage: Damage = field(default_factory=Damage)
    flap_s: float | None = None
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["unreachable"] = "unreachable"

    def __str__(self) -> str:
        verb = "can hardly reach" if self.damage.flavour in UNITS else "cannot reach"
        return f"{self.target} {verb} {self.server} ({self.damage}){_flapping(self.flap_s)}"


ApiName = Literal[
    "Produce",
    "Fetch",
    "Metadata",
    "OffsetCommit",
    "OffsetFetch",
    "FindCoordinator",
    "JoinGroup",
    "Heartbeat",
    "SyncGroup",
    "InitProducerId",
    "AddPartitionsToTxn",
    "EndTxn",
    "TxnOffsetCommit",
    "ConsumerGroupHeartbeat",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames(Timed):
    """Single frames of Kafka's protocol between one role and nodes: held, dropped or delayed.

    Counting starts when the fault is armed (its trigger); the fault takes hold with the first frame
    that it catches. `hold`: a caught frame, and all after it on its connection in that direction,
    wait until the fault ends. `drop`: it vanishes. `delay`: it comes `delay_ms` later, and so does
    what is behind it on its connection. `close`: its connection is closed in its place.
    """

    __pydantic_config__ = STRICT
    target: Instance
    api: ApiName
    server: Annotated[NodeLike | EveryNode, Field(discriminator="kind")] = field(
        default_factory=EveryNode
    )
    part: Literal["request", "answer"] = "request"
    nth: int = 1
    """The first frame that is caught, counted from 1 over all connections to these nodes."""
    count: int | None = 1
    """How many are caught from there on; None: every one until the fault ends."""
    act: Literal["hold", "drop", "delay", "close"] = "hold"
    delay_ms: int = 0
    """For `delay`."""
    trigger: Trigger = field(default_factory=lambda: in_seconds(0.5))
    end: End = field(default_factory=lambda: in_seconds(3.0))
    kind: Literal["frames"] = "frames"

    def __str__(self) -> str:
        which = (
            f"every {self.api} {self.part} from number {self.nth} on"
            if self.count is None
            else f"{self.api} {self.part} number {self.nth}"
            + (f" to {self.nth + self.count - 1}" if self.count > 1 else "")
        )
        later = f" of {self.delay_ms} ms" if self.act == "delay" else ""
        between = f"between {self.target} and {self.server}"
        return f"{self.act}{later}: {which} {between}"


def _flapping(flap_s: float | None) -> str:
    return "" if flap_s is None else f", flapping every {flap_s:g} s"
