"""Owns the time-outs and sizes that the nodes of a lab run with, as data; it starts nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from harness.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a run waits before it gives up: never shorter than the time-outs it waits for."""

    boot_s: float
    """For a lab to come up."""
    storm_s: float
    """For every fault of a schedule to have come and gone."""
    standstill_s: float
    """Without load and without progress, before the storm is called off."""
    point_s: float
    """For a crash point to be passed once more, when nothing else of a schedule is left."""
    verify_s: float
    """For a healed fault to be seen healed."""
    heal_s: float
    """For every replica to be in sync, and every role to run, after the storm."""
    settle_s: float
    """For messages to flow again after that."""
    warmup_s: float = 0.0
    """The least that `liveness.warmup_s` of a pipeline counts for."""
    drain_s: float = 0.0
    """The least that `liveness.drain_s` of a pipeline counts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of broker settings, in Kafka's own names and units, and the patience it asks."""

    name: str
    broker: Mapping[str, str]
    patience: Patience

    def settings(self, kafka_version: str) -> dict[str, str]:
        """Return the settings that this release of Kafka knows."""
        release = release_of(kafka_version)
        return {
            name: value
            for name, value in self.broker.items()
            if release >= next((since for p, since in _SINCE if name.startswith(p)), release)
        }


def release_of(kafka_version: str) -> tuple[int, ...]:
    """Return (4, 3, 1) for "4.3.1" and for "4.3.1-rc0"."""
    return tuple(int(part) for part in kafka_version.partition("-")[0].split("."))


_SINCE = (("share.coordinator.", (4, 0)),)
"""Settings that older releases do not know, by how their names begin."""

_TIMING = {
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "300",
    "replica.lag.time.max.ms": "2000",
    "replica.fetch.wait.max.ms": "200",
    "replica.socket.timeout.ms": "2500",
    "replica.fetch.backoff.ms": "200",
    "controller.quorum.election.timeout.ms": "600",
    "controller.quorum.fetch.timeout.ms": "1200",
    "controller.quorum.request.timeout.ms": "1000",
    # A broker whose request to the controller met a silent link gives up on it after this long;
    # the default of 30 s would outlast most faults.
    "controller.socket.timeout.ms": "2000",
    "socket.connection.setup.timeout.ms": "1000",
    "socket.connection.setup.timeout.max.ms": "2000",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # KIP-848: with the defaults a group notices a dead member after 45 s.
    "group.consumer.min.session.timeout.ms": "1000",
    "group.consumer.session.timeout.ms": "2000",
    "group.consumer.min.heartbeat.interval.ms": "200",
    "group.consumer.heartbeat.interval.ms": "300",
    # The default of 5 min would hide every unclean election from a run of seconds.
    "unclean.leader.election.interval.ms": "1000",
    "log.segment.delete.delay.ms": "1000",
    # A record that says nothing, twice a second, replicated to every node of an idle quorum.
    "metadata.max.idle.interval.ms": "5000",
}

_DURABILITY = {
    "auto.create.topics.enable": "false",
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "unclean.leader.election.enable": "false",
    # Leadership moves when a fault moves it, never by a timer in the middle of a run.
    "auto.leader.rebalance.enable": "false",
    "offsets.topic.num.partitions": "3",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.num.partitions": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "share.coordinator.state.topic.num.partitions": "3",
    "share.coordinator.state.topic.replication.factor": "3",
    "share.coordinator.state.topic.min.isr": "2",
}

_FOOTPRINT = {
    # Twelve data listeners a node, each with its own network threads.
    "num.network.threads": "1",
    "num.io.threads": "4",
    "background.threads": "2",
    "group.coordinator.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    # No JMX beans for thousands of metrics that nobody reads: a sixth of a boot.
    "metric.reporters": "",
    # Each run makes topics of its own and deletes them. A node that starts again would go through
    # those of hundreds of runs; from a snapshot it knows only what there is.
    "metadata.log.max.record.bytes.between.snapshots": "32768",
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.io.buffer.size": "131072",
    # A paused node goes on collecting connections; a full backlog would stall Toxiproxy's dial.
    "socket.listen.backlog.size": "512",
}

FAST = Profile(
    name="fast",
    broker=MappingProxyType({**_TIMING, **_DURABILITY, **_FOOTPRINT}),
    patience=Patience(
        boot_s=120.0,
        storm_s=90.0,
        standstill_s=5.0,
        point_s=20.0,
        verify_s=60.0,
        heal_s=60.0,
        settle_s=10.0,
    ),
)
"""Seconds instead of minutes, measured on two cores without spurious fencing."""

PRODUCTION = Profile(
    name="production",
    broker=MappingProxyType({**_DURABILITY, **_FOOTPRINT}),
    # A node is fenced after 9 s, leaves an ISR after 30 s, and a silent connection is given up
    # after 30 s; a consumer is missed after 45 s, and one that waits for a dead link after 60 s.
    patience=Patience(
        boot_s=150.0,
        storm_s=600.0,
        standstill_s=75.0,
        point_s=150.0,
        verify_s=180.0,
        heal_s=180.0,
        settle_s=75.0,
        warmup_s=75.0,
        drain_s=150.0,
    ),
)
"""Kafka's own defaults for everything that is a time-out."""

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {profile.name: profile for profile in (FAST, PRODUCTION)}
)


def profile_named(name: str) -> Profile:
    """Return a profile; UsageError with the nearest name if there is none of this one."""
    if name not in PROFILES:
        near = get_close_matches(name, PROFILES, n=1)
        raise UsageError(
            f"There is no profile {name}" + (f"; did you mean {near[0]}?" if near else ""),
            remedy=f"the profiles are {' and '.join(PROFILES)}",
        )
    return PROFILES[name]
