"""What a lab speaks of, as values: links, partitions, topics, settings, and refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import get_args

from harness.errors import LabError
from harness.schedule.network import Plane
from harness.schedule.targets import LockServiceName

NODES = (1, 2, 3)
SLOTS = tuple(range(1, 9))
LOCK_SERVICES: tuple[str, ...] = get_args(LockServiceName)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Link:
    """A directed connection path. `str(link)` is its proxy's name.

    replication, quorum: source and target are nodes ("1".."3").
    client: source is a slot ("slot1".."slot8"), target a node. database, coordination: source is a
    slot, target "database" or the name of a lock service. A link carries the source's requests
    upstream and the target's answers downstream.
    """

    plane: Plane
    source: str
    target: str

    def __str__(self) -> str:
        return f"{self.plane}:{self.source}->{self.target}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTraffic:
    """What was observed on a link, from outside Toxiproxy where that is possible."""

    established: int
    """Connections open through the link now, as the operating system sees them."""
    accepted: int
    """Connections that the proxy accepted since the lab began (its log)."""
    terminated: int
    """Connections that were accepted since the lab began and are no longer open."""
    asked_bytes: int | None = None
    """What the source sent into the link since the lab began; never less. None: unknown here."""
    answered_bytes: int | None = None
    """What came back to the source and was acknowledged by it; likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """One partition as the cluster sees it; `isr` and `replicas` hold node numbers."""

    topic: str
    partition: int
    leader: int
    """Node number, or -1 when there is none."""
    leader_epoch: int
    replicas: tuple[int, ...]
    isr: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicSpec:
    """A topic to create; `name` is physical (unique to one run)."""

    name: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str]


class TopicRefusedError(LabError):
    """Kafka refused a topic for what it was asked to be, not for the state it is in."""


class OperationRefusedError(LabError):
    """Kafka refused an operation for what it asks, not for the state that the cluster is in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting in force; `own` tells whether it was set for this very topic or node."""

    value: str | None
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLoss:
    """What one partition's log on one node lost when its disk forgot."""

    topic: str
    partition: int
    bytes: int
    begin: int
    """The first offset that is gone, if any record is."""
    end: int
    """The log's end before: records from `begin` up to, but without, this one are gone."""

    @property
    def records(self) -> int:
        """How many offsets are gone."""
        return self.end - self.begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One line of `harness up`: what it is and where it answers."""

    name: str
    address: str
