"""The words for faults of links: which links, and how they are damaged.

`flavour` is a word (`"hold"`, `"drop"`, `"refuse"`, `"reset"`) or a value of one of the functions
here: `latency`, `bandwidth`, `slices`, `limit`, or `damage` for any of them in one direction only.
"""

from typing import Literal

from harness.schedule.network import (
    ApiName,
    Cut,
    Damage,
    Flavour,
    Frames,
    Isolate,
    Partition,
    Stream,
    Unreachable,
)
from harness.schedule.targets import (
    Database,
    EveryNode,
    Instance,
    LockService,
    NodeLike,
    Role,
)

Planes = tuple[Literal["replication", "quorum"], ...]
BOTH_PLANES: Planes = ("replication", "quorum")

# --- how -------------------------------------------------------------------------------------


def damage(flavour: Flavour, *, stream: Stream = "both") -> Damage:
    """Cut in one direction only: `damage("drop", stream="answers")`."""
    return Damage(flavour=flavour, stream=stream)


def latency(ms: int, *, stream: Stream = "both") -> Damage:
    """Delay every byte by so many milliseconds."""
    return Damage(flavour="latency", amount=ms, stream=stream)


def bandwidth(kb_per_s: int, *, stream: Stream = "both") -> Damage:
    """Let no more than so many kilobytes a second through."""
    return Damage(flavour="bandwidth", amount=kb_per_s, stream=stream)


def slices(bytes_each: int, *, stream: Stream = "both") -> Damage:
    """Chop what passes into pieces of so many bytes, a millisecond apart."""
    return Damage(flavour="slice", amount=bytes_each, stream=stream)


def limit(bytes_through: int, *, stream: Stream = "both") -> Damage:
    """Close each connection after so many bytes: in the middle of a request, or of its answer."""
    return Damage(flavour="limit", amount=bytes_through, stream=stream)


# --- which -----------------------------------------------------------------------------------


def isolate(
    target: NodeLike,
    *,
    flavour: Flavour | Damage = "hold",
    cut_from: Literal["peers", "clients", "everyone"] = "peers",
    flap_s: float | None = None,
) -> Isolate:
    """Cut a node off from its peers (clients still reach it), from clients, or from everyone."""
    return Isolate(target=target, damage=_damage(flavour), cut_from=cut_from, flap_s=flap_s)


def cannot_fetch(
    target: NodeLike,
    *,
    source: NodeLike,
    flavour: Flavour | Damage = "hold",
    flap_s: float | None = None,
) -> Cut:
    """Cut the one link on which `target` fetches from `source`; every other way stays open."""
    return Cut(target=target, source=source, damage=_damage(flavour), flap_s=flap_s)


def cannot_ask_controller(
    target: NodeLike,
    *,
    source: NodeLike,
    flavour: Flavour | Damage = "hold",
    flap_s: float | None = None,
) -> Cut:
    """Cut the one quorum link on which `target` asks `source`: votes, heartbeats, metadata.

    Nodes ask the active controller for all but votes, so between two others the link is idle.
    """
    return Cut(target=target, source=source, plane="quorum", damage=_damage(flavour), flap_s=flap_s)


def parted(
    one: NodeLike,
    other: NodeLike,
    *,
    flavour: Flavour | Damage = "hold",
    planes: Planes = BOTH_PLANES,
    flap_s: float | None = None,
) -> Partition:
    """Let two nodes lose each other, both ways; the third still reaches both."""
    return _partition("pair", (one, other), flavour, planes, flap_s)


def bridge(
    target: NodeLike,
    *,
    flavour: Flavour | Damage = "hold",
    planes: Planes = BOTH_PLANES,
    flap_s: float | None = None,
) -> Partition:
    """Leave one node as the only bridge: the others lose each other."""
    return _partition("bridge", (target,), flavour, planes, flap_s)


def ring(
    *,
    flavour: Flavour | Damage = "hold",
    planes: Planes = BOTH_PLANES,
    flap_s: float | None = None,
) -> Partition:
    """Let each node ask only the next one: 1 → 2 → 3 → 1."""
    return _partition("ring", (), flavour, planes, flap_s)


def minority(
    target: NodeLike,
    *,
    flavour: Flavour | Damage = "hold",
    planes: Planes = BOTH_PLANES,
    flap_s: float | None = None,
) -> Partition:
    """Put one node alone on its side of a partition of the cluster."""
    return _partition("minority", (target,), flavour, planes, flap_s)


def unfollowed(
    target: NodeLike,
    *,
    flavour: Flavour | Damage = "refuse",
    planes: Planes = ("replication",),
    flap_s: float | None = None,
) -> Partition:
    """Let nobody fetch from a node, which itself reaches everyone: its ISR shrinks to it."""
    return _partition("followers", (target,), flavour, planes, flap_s)


def cannot_reach(
    target: Instance | Role,
    server: NodeLike | EveryNode | Database | LockService,
    *,
    flavour: Flavour | Damage = "hold",
    flap_s: float | None = None,
) -> Unreachable:
    """Cut a role off from nodes, the database or a lock service; others still reach it."""
    return Unreachable(target=target, server=server, damage=_damage(flavour), flap_s=flap_s)


def frames(
    target: Instance,
    api: ApiName,
    *,
    server: NodeLike | EveryNode | None = None,
    part: Literal["request", "answer"] = "request",
    nth: int = 1,
    count: int | None = 1,
    act: Literal["hold", "drop", "delay", "close"] = "hold",
    delay_ms: int = 0,
) -> Frames:
    """Catch single protocol frames: `frames(relay(0), "Produce", nth=3, act="hold")`."""
    return Frames(
        target=target,
        api=api,
        server=server or EveryNode(),
        part=part,
        nth=nth,
        count=count,
        act=act,
        delay_ms=delay_ms,
    )


def _damage(flavour: Flavour | Damage) -> Damage:
    return flavour if isinstance(flavour, Damage) else Damage(flavour=flavour)


def _partition(
    shape: Literal["pair", "bridge", "ring", "minority", "followers"],
    nodes: tuple[NodeLike, ...],
    flavour: Flavour | Damage,
    planes: Planes,
    flap_s: float | None,
) -> Partition:
    return Partition(
        shape=shape, nodes=nodes, planes=planes, damage=_damage(flavour), flap_s=flap_s
    )
