"""What a lab promises, whichever backend runs it.

A lab is three Kafka nodes, every link between them and to them behind a proxy, one PostgreSQL
server and, for pipelines that use one, a lock service, each behind a link per client slot, and an
unproxied audit path for the harness itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from harness.lab.frames.rules import FrameRule, FrameSighting
from harness.lab.profile import Profile
from harness.lab.values import (
    Endpoint,
    Link,
    LinkTraffic,
    LogLoss,
    PartitionState,
    Setting,
    TopicSpec,
)
from harness.role_life import ContainerOrder, RoleLife
from harness.schedule.network import Damage
from harness.schedule.targets import LockServiceName


class Links(Protocol):
    """Every proxied path of the lab. All calls are bounded in time."""

    def all(self) -> tuple[Link, ...]:
        """Return every link there is."""
        ...

    def cut(self, links: Iterable[Link], *, damage: Damage) -> None:
        """Damage all of `links`; returns when it is in force on each. LabError if one is not."""
        ...

    def heal(self, links: Iterable[Link]) -> None:
        """Heal all of `links`; returns when each accepts connections again and delays nothing."""
        ...

    def is_whole(self, link: Link) -> bool:
        """Tell whether the link is enabled and lets everything pass (asked of the proxy)."""
        ...

    def answers(self, link: Link) -> bool:
        """Tell whether the link's target answers a request through it within half a second."""
        ...

    def traffic(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Observe links: established connections and accepted/terminated counts."""
        ...


class Frames(Protocol):
    """The frame proxy: on client links that are led through it, it sees single frames of Kafka's.

    All calls are bounded in time; LabError when the proxy does not do what it is asked for.
    """

    def lead(self, links: Iterable[Link]) -> None:
        """Lead client links through it, until `lead_back`; their connections end."""
        ...

    def lead_back(self) -> None:
        """End every rule, and let every link go straight to its node again."""
        ...

    def arm(self, rule: FrameRule) -> int:
        """Count and catch frames from now on; return the rule's number."""
        ...

    def look(self, number: int) -> FrameSighting:
        """Return what a rule saw and did so far."""
        ...

    def release(self, number: int) -> None:
        """Take a rule out of force: what it held goes on its way, in order."""
        ...


class Process(Protocol):
    """A server of the lab that can be killed, paused and started again."""

    name: str

    def start(self) -> None:
        """Start it (returns when the process runs, not when it serves)."""
        ...

    def kill(self) -> None:
        """SIGKILL it; returns when it is gone and its port refuses connections."""
        ...

    def terminate(self) -> None:
        """Ask it to end in good order; returns at once, `pid` tells when it is gone."""
        ...

    def pause(self) -> None:
        """SIGSTOP it; returns when the kernel says it is stopped."""
        ...

    def resume(self) -> None:
        """SIGCONT it."""
        ...

    def pid(self) -> int | None:
        """Return its process id, or None when it does not run."""
        ...

    def exit_code(self) -> int | None:
        """Return how the last process ended (negative: by that signal), None while it runs."""
        ...

    def serves(self) -> bool:
        """Tell whether it answers on its port."""
        ...

    def log_tail(self, lines: int = 20) -> str:
        """Return the last lines it wrote."""
        ...


class DatabaseServer(Process, Protocol):
    """The PostgreSQL server; databases are per run."""

    def create(self, name: str) -> None:
        """Create an empty database."""
        ...

    def drop(self, name: str) -> None:
        """Drop it, ending its connections; no error if it is gone."""
        ...

    def url(self, name: str) -> str:
        """Return the direct, unproxied URL, for the harness's own reading."""
        ...


class LockServer(Process, Protocol):
    """A lock service; each run has a space of its own in it."""

    def create(self, space: str) -> None:
        """Make an empty space."""
        ...

    def drop(self, space: str) -> None:
        """Empty it and forget it; no error if it is gone."""
        ...


class Disk(Protocol):
    """The disk of one node, which can forget; only while the node does not run (LabError)."""

    def forget_tail(self, *, keep: float) -> tuple[LogLoss, ...]:
        """Cut what was never flushed off each log but the quorum's own; a share of it stays.

        A power loss: the cut may fall in the middle of a batch. Returns every log that lost bytes.
        """
        ...

    def forget_log(self) -> tuple[LogLoss, ...]:
        """Remove every log but the quorum's own; the node's identity stays: an exchanged disk."""
        ...


class Operator(Protocol):
    """What operators do to a cluster, through the audit path.

    Each call is bounded by a second. OperationRefusedError when Kafka refuses what is asked for,
    LabError when it cannot do it now or did not answer: it may be done nevertheless.
    """

    def reassign(self, topic: str, partition: int, *, replicas: Sequence[int]) -> None:
        """Ask for these replicas, the preferred leader first; copying goes on after the return."""
        ...

    def elect_preferred(self, topic: str, partition: int) -> None:
        """Make the preferred replica the leader; no error if it is."""
        ...

    def add_partitions(self, topic: str, *, count: int) -> None:
        """Let a topic have `count` partitions in all; no error if it has exactly these."""
        ...

    def delete_topic(self, topic: str) -> None:
        """Delete a topic; no error if it is gone."""
        ...

    def create_topic(self, spec: TopicSpec) -> None:
        """Make a topic; no error if it is there."""
        ...

    def configure_topic(self, topic: str, settings: Mapping[str, str | None]) -> None:
        """Set settings of a topic; None gives up the topic's own value."""
        ...

    def configure_node(self, node: int, settings: Mapping[str, str | None]) -> None:
        """Set dynamic settings of one node; None gives up its own value."""
        ...

    def topic_settings(self, topic: str, keys: Sequence[str]) -> dict[int, dict[str, Setting]]:
        """Return what each answering node says the topic's settings are."""
        ...

    def node_settings(self, node: int, keys: Sequence[str]) -> dict[str, Setting]:
        """Return what a node says its own settings are."""
        ...


class Cluster(Protocol):
    """The cluster as the audit path sees it: never through a proxy."""

    bootstrap: str

    @property
    def operator(self) -> Operator:
        """What operators do."""
        ...

    def partitions(self) -> tuple[PartitionState, ...]:
        """Return every partition, internal topics too, merged over all answering nodes.

        For each partition the view with the highest leader epoch wins (an isolated node's view is
        stale). Bounded by half a second; nodes that do not answer are left out; LabError if none
        answers.
        """
        ...

    def ends(
        self, partitions: Iterable[tuple[str, int]], *, committed: bool = False
    ) -> dict[tuple[str, int], int]:
        """Return the ends (high watermarks) of those (topic, partition) whose leader answers.

        With `committed` they are the last stable offsets: up to there, every transaction is over.
        Bounded by half a second, cheap however broken the cluster is.
        """
        ...

    def begins(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the first offsets of those (topic, partition) whose leader answers."""
        ...

    def controller(self) -> int | None:
        """Return the active controller, by the quorum's own word; None while there is none."""
        ...

    def coordinator(self, key: str, *, kind: Literal["group", "transaction"]) -> int | None:
        """Return the node that coordinates a group or transactional id; None while nobody does."""
        ...

    def registered(self) -> frozenset[int]:
        """Return the nodes that the metadata of a majority lists as brokers."""
        ...

    def create_topics(self, specs: Iterable[TopicSpec], *, deadline_s: float = 15.0) -> None:
        """Create topics and return when every replica is in sync on every partition."""
        ...

    def delete_topics(self, names: Iterable[str]) -> None:
        """Ask for the deletion of topics; no error for one that is gone."""
        ...


class Lab(Protocol):
    """A running environment."""

    boot_s: float
    """Seconds from the call to the moment the lab was ready."""

    @property
    def name(self) -> str:
        """Its name, unique on this machine."""
        ...

    @property
    def folder(self) -> Path:
        """Where its servers keep data and logs, until it is closed."""
        ...

    @property
    def profile(self) -> Profile:
        """The time-outs its nodes run with, and the patience that they ask of a run."""
        ...

    @property
    def nodes(self) -> Mapping[int, Process]:
        """The Kafka nodes by number."""
        ...

    @property
    def links(self) -> Links:
        """Every proxied path."""
        ...

    @property
    def frames(self) -> Frames:
        """The frame proxy for client links; it costs nothing while no link is led through it."""
        ...

    @property
    def database(self) -> DatabaseServer:
        """The database server."""
        ...

    @property
    def cluster(self) -> Cluster:
        """The cluster through the audit path."""
        ...

    def disk(self, node: int) -> Disk:
        """Return the disk of a node."""
        ...

    def bootstrap(self, slot: int) -> str:
        """Return KAFKA_BOOTSTRAP_SERVERS for a client slot: three proxied addresses."""
        ...

    def database_url(self, slot: int, name: str) -> str:
        """Return the proxied URL of database `name` for a client slot."""
        ...

    def lock_service(self, name: LockServiceName) -> LockServer:
        """Return a lock service; it is started at the first call, and stays as long as the lab."""
        ...

    def lock_address(self, slot: int, name: LockServiceName, space: str) -> str:
        """Return where a client slot reaches a space: a proxied URL, or a connect string."""
        ...

    def role_environment(self) -> Mapping[str, str]:
        """Return what every process of this lab carries, so that a later start can find it."""
        ...

    def adopt(self, pid: int) -> None:
        """Note a process that leads a session of its own: all of that session ends with the lab."""
        ...

    def orphan(self, pid: int) -> None:
        """Note that it has ended: what begins from now on is not of that session."""
        ...

    def start_role(self, order: ContainerOrder) -> RoleLife:
        """Start a role as a container, which finds this lab at the addresses that roles are told.

        UsageError from a lab without an engine, LabError if the engine does not start it.
        """
        ...

    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return what a person needs to connect by hand."""
        ...

    def describe(self) -> dict[str, object]:
        """Return backend, versions, profile and every configuration in force, as JSON values."""
        ...

    def check_alive(self) -> tuple[str, ...]:
        """Return one sentence for each server that died or wedged without being asked to."""
        ...

    def memory_bytes(self) -> int:
        """Return the resident memory of all the lab's servers."""
        ...

    def close(self) -> None:
        """End every process and remove every file of the lab; safe to call twice."""
        ...
