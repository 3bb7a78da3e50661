"""What a generator has to know of a pipeline and of the profile that it runs under. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, get_args

from harness.schedule.targets import LockServiceName

Pace = Literal["node", "lag", "quorum", "client", "restart"]
Peer = Literal["kafka", "database", "redis", "zookeeper"]
_BOTH: frozenset[Peer] = frozenset({"kafka", "database"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineShape:
    """What faults of one pipeline can be aimed at."""

    name: str
    """The word or path by which schedules name it."""
    topics: Mapping[str, int]
    """Logical name → number of partitions."""
    roles: Mapping[str, int]
    """Name → number of instances."""
    variant: str | None = None
    points: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Role → its crash points; a role without any is only killed by event."""
    speaks: Mapping[str, frozenset[Peer]] = field(default_factory=dict)
    """Role → whom it has connections to; Kafka and the database, where nothing is said."""
    load: frozenset[str] = frozenset()
    """The roles that make the load: while none of them runs, nothing else is put to a test."""
    rate_per_s: float = 400.0
    """Acknowledged messages a second, about: for the length of what counts them."""

    @property
    def lock_services(self) -> tuple[LockServiceName, ...]:
        """Return the lock services that a role uses."""
        return tuple(name for name in get_args(LockServiceName) if self.talking_to(name))

    def talking_to(self, peer: Peer) -> tuple[str, ...]:
        """Return the roles that have connections to Kafka, the database or a lock service."""
        return tuple(role for role in self.roles if peer in self.speaks.get(role, _BOTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """The time-outs of a profile that lengths of faults are measured against."""

    name: str
    node_s: float
    """A node that is silent for so long is fenced."""
    lag_s: float
    """A follower that lags for so long leaves the in-sync replicas."""
    quorum_s: float
    """A voter that hears nothing for so long asks for an election."""
    client_s: float
    """A member of a group that is silent for so long loses its partitions."""
    restart_s: float = 0.5
    """A process that is started again at once."""

    @property
    def storm_s(self) -> float:
        """Return how long the faults of one schedule may last in all, by estimate."""
        return max(3 * self.node_s, 1.5 * self.lag_s)

    def of(self, pace: Pace) -> float:
        """Return the time-out, in seconds, that faults of this pace are measured against."""
        paces: dict[Pace, float] = {
            "node": self.node_s,
            "lag": self.lag_s,
            "quorum": self.quorum_s,
            "client": self.client_s,
            "restart": self.restart_s,
        }
        return paces[pace]


def timeouts_of(name: str, broker: Mapping[str, str]) -> Timeouts:
    """Read the time-outs from broker settings; Kafka's own defaults where one is not set."""

    def seconds(key: str, default_ms: int) -> float:
        return int(broker.get(key, default_ms)) / 1000

    return Timeouts(
        name=name,
        node_s=seconds("broker.session.timeout.ms", 9_000),
        lag_s=seconds("replica.lag.time.max.ms", 30_000),
        quorum_s=seconds("controller.quorum.fetch.timeout.ms", 2_000),
        client_s=seconds("group.consumer.session.timeout.ms", 45_000),
    )


FAST = Timeouts(name="fast", node_s=2.0, lag_s=2.0, quorum_s=1.2, client_s=2.0)
"""Those of the lab's `fast` profile; a test holds them to be the same."""

OUTBOX = PipelineShape(
    name="outbox",
    topics=MappingProxyType({"orders": 3}),
    roles=MappingProxyType({"producer": 1, "relay": 1, "consumer": 2}),
    points=MappingProxyType(
        {
            "producer": ("in_transaction", "after_commit"),
            "relay": ("after_select", "after_send", "before_mark", "after_mark"),
            "consumer": (
                "after_poll",
                "in_transaction",
                "before_offset_commit",
                "after_offset_commit",
            ),
        }
    ),
    speaks=MappingProxyType({"producer": frozenset[Peer]({"database"})}),
    load=frozenset({"producer"}),
)
"""The reference pipeline; a test holds it to be what its pipeline.toml says."""
