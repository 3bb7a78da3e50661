"""Owns the time-outs and sizes that the nodes of a lab run with, as data; it starts nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A named set of broker settings, in Kafka's own names and units."""

    name: str
    broker: Mapping[str, str]


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
    "log.cleaner.dedupe.buffer.size": "4194304",
    "log.cleaner.io.buffer.size": "131072",
    # A paused node goes on collecting connections; a full backlog would stall Toxiproxy's dial.
    "socket.listen.backlog.size": "512",
}

FAST = Profile(name="fast", broker=MappingProxyType({**_TIMING, **_DURABILITY, **_FOOTPRINT}))
"""Seconds instead of minutes, measured on two cores without spurious fencing."""
