"""The words that scenarios are written in: functions that return frozen schedule values."""

from typing import Literal

from harness.schedule.values import (
    Cut,
    Database,
    Flavour,
    Follower,
    Instance,
    Isolate,
    Kill,
    Leader,
    Node,
    Pause,
)

NodeLike = Node | Leader | Follower


def node(number: int) -> Node:
    """Name a node by its number, 1 to 3."""
    return Node(number=number)


def leader(topic: str, partition: int) -> Leader:
    """Name whichever node leads this partition when the fault starts."""
    return Leader(topic=topic, partition=partition)


def follower(topic: str, partition: int, *, index: int = 0) -> Follower:
    """Name the `index`-th in-sync follower of this partition when the fault starts."""
    return Follower(topic=topic, partition=partition, index=index)


def instance(role: str, number: int = 0) -> Instance:
    """Name one process of any role of the pipeline."""
    return Instance(role=role, number=number)


def producer(number: int = 0) -> Instance:
    """Name one producer process."""
    return Instance(role="producer", number=number)


def relay(number: int = 0) -> Instance:
    """Name one relay process."""
    return Instance(role="relay", number=number)


def consumer(number: int = 0) -> Instance:
    """Name one consumer process."""
    return Instance(role="consumer", number=number)


def database() -> Database:
    """Name the database server."""
    return Database()


def kill(target: NodeLike | Instance | Database) -> Kill:
    """SIGKILL the target; it is started again when the fault ends."""
    return Kill(target=target)


def restart(target: Database) -> Kill:
    """Kill the database under load and start it again: its crash recovery is part of the fault."""
    return Kill(target=target).for_seconds(0.5)


def pause(target: NodeLike | Instance) -> Pause:
    """SIGSTOP the target; SIGCONT when the fault ends."""
    return Pause(target=target)


def isolate(
    target: NodeLike,
    *,
    flavour: Flavour = "hold",
    cut_from: Literal["peers", "clients", "everyone"] = "peers",
) -> Isolate:
    """Cut a node off from its peers (clients still reach it), from clients, or from everyone."""
    return Isolate(target=target, flavour=flavour, cut_from=cut_from)


def cannot_fetch(target: NodeLike, *, source: NodeLike, flavour: Flavour = "hold") -> Cut:
    """Cut the one link on which `target` fetches from `source`; every other way stays open."""
    return Cut(target=target, source=source, flavour=flavour)
