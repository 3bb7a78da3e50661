"""The cluster as the audit path sees it: who leads, who is in sync, which topics there are.

It reads and creates topics; it never goes through a proxy and never judges.
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from harness.clock import Deadline, wait_until
from harness.errors import LabError
from harness.lab import admin_wire, kafka_wire
from harness.lab.audit import ask_all
from harness.lab.kafka_wire import MetadataView
from harness.lab.operator import AuditOperator
from harness.lab.values import PartitionState, TopicRefusedError, TopicSpec

if TYPE_CHECKING:
    from concurrent.futures import Future

ANSWER_S = 0.5
FORWARDED_S = 0.9
"""For what a node has to ask the controller first; on a busy machine that is a second's work."""
CREATE_S = 15.0
DELETE_S = 5.0
_REFUSALS = (
    KafkaError.INVALID_CONFIG,
    KafkaError.INVALID_PARTITIONS,
    KafkaError.INVALID_REPLICATION_FACTOR,
    KafkaError.TOPIC_EXCEPTION,
    KafkaError.POLICY_VIOLATION,
)


class AuditCluster:
    """`Cluster` over the unproxied audit ports of the nodes, by node number."""

    def __init__(self, ports: Mapping[int, int]) -> None:
        self.bootstrap = ",".join(f"127.0.0.1:{port}" for port in ports.values())
        self._ports = dict(ports)
        self._correlation = itertools.count(1)
        self._client: AdminClient | None = None
        self.operator = AuditOperator(ports)

    def views(self) -> dict[int, MetadataView]:
        """Return what each answering node believes, asked at the same moment."""
        number = next(self._correlation) & 0x7FFFFFFF
        answers = ask_all(self._ports, kafka_wire.metadata_request(number), deadline_s=ANSWER_S)
        return {
            node: kafka_wire.decode_metadata(answer, correlation_id=number)
            for node, answer in answers.items()
        }

    def partitions(self) -> tuple[PartitionState, ...]:
        """Return every partition, merged over all answering nodes (see `merge`)."""
        views = self.views()
        if not views:
            raise LabError(
                f"No node answered on its audit port ({self.bootstrap}) within {ANSWER_S:g} s"
            )
        return merge(views)

    def registered(self) -> frozenset[int]:
        """Return the nodes that the metadata of a majority lists as brokers."""
        listed = Counter(node for view in self.views().values() for node in view.brokers)
        majority = len(self._ports) // 2 + 1
        return frozenset(node for node, count in listed.items() if count >= majority)

    def ends(
        self, partitions: Iterable[tuple[str, int]], *, committed: bool = False
    ) -> dict[tuple[str, int], int]:
        """Return the ends of those partitions whose leader answers: see `Cluster.ends`."""
        return self._offsets(partitions, at=kafka_wire.LATEST, committed=committed)

    def begins(self, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """Return the first offset of those partitions whose leader answers."""
        return self._offsets(partitions, at=kafka_wire.EARLIEST)

    def _offsets(
        self, partitions: Iterable[tuple[str, int]], *, at: int, committed: bool = False
    ) -> dict[tuple[str, int], int]:
        by_topic: dict[str, list[int]] = defaultdict(list)
        for topic, partition in partitions:
            by_topic[topic].append(partition)
        number = next(self._correlation) & 0x7FFFFFFF
        request = kafka_wire.list_offsets_request(number, by_topic, at=at, committed=committed)
        found: dict[tuple[str, int], int] = {}
        for answer in ask_all(self._ports, request, deadline_s=ANSWER_S).values():
            for place, offset in kafka_wire.decode_offsets(answer, correlation_id=number).items():
                found[place] = max(offset, found.get(place, offset))
        return found

    def controller(self) -> int | None:
        """Return the active controller: nodes pass the question on to it, the newest epoch wins.

        The metadata's own controller field names any node under KRaft.
        """
        number = next(self._correlation) & 0x7FFFFFFF
        request = admin_wire.describe_quorum_request(number)
        majority = len(self._ports) // 2 + 1
        answers = ask_all(self._ports, request, deadline_s=FORWARDED_S, enough=majority).values()
        known = [admin_wire.decode_quorum(answer, correlation_id=number) for answer in answers]
        return max((each for each in known if each is not None), default=(0, None))[1]

    def coordinator(self, key: str, *, kind: Literal["group", "transaction"]) -> int | None:
        """Return the node that coordinates `key`, None while nobody does; creates the topic."""
        number = next(self._correlation) & 0x7FFFFFFF
        request = kafka_wire.find_coordinator_request(number, key=key, kind=kind)
        for node, port in self._ports.items():
            answer = ask_all({node: port}, request, deadline_s=ANSWER_S).get(node)
            if answer is not None:
                return kafka_wire.decode_coordinator(answer, correlation_id=number)
        return None

    def create_topics(self, specs: Iterable[TopicSpec], *, deadline_s: float = CREATE_S) -> None:
        """Create topics and return when every replica is in sync on every partition."""
        wanted = tuple(specs)
        if not wanted:
            return
        deadline = Deadline(deadline_s)
        there = {state.topic for state in self.partitions()}
        for spec in wanted:
            if spec.name in there:
                raise LabError(f"Kafka did not create topic {spec.name}: it already exists")
        asked = self._admin().create_topics(
            [_new_topic(spec) for spec in wanted],
            operation_timeout=deadline_s,
            request_timeout=deadline_s,
        )
        # On a busy machine the client asks a second time for what its first request has made.
        _settle(
            asked,
            deadline=deadline,
            doing="create",
            forgiven=(KafkaError.TOPIC_ALREADY_EXISTS,),
        )
        self.await_full_isr({spec.name: spec.partitions for spec in wanted}, deadline=deadline)

    def await_full_isr(self, topics: Mapping[str, int], *, deadline: Deadline) -> None:
        """Return when each topic has its partitions and every replica of them is in sync."""
        seen: dict[str, list[PartitionState]] = {}

        def whole() -> bool:
            seen.clear()
            for state in self.partitions():
                if state.topic in topics:
                    seen.setdefault(state.topic, []).append(state)
            return all(_in_sync(seen.get(name, []), count) for name, count in topics.items())

        wait_until(
            whole,
            deadline_s=deadline.remaining_s(),
            describe=f"full in-sync replicas of {', '.join(sorted(topics))}",
            last_seen=lambda: seen,
        )

    def delete_topics(self, names: Iterable[str]) -> None:
        """Ask for the deletion of topics; no error for one that is gone."""
        wanted = list(names)
        if not wanted:
            return
        asked = self._admin().delete_topics(
            wanted, operation_timeout=DELETE_S, request_timeout=DELETE_S
        )
        _settle(
            asked,
            deadline=Deadline(DELETE_S),
            doing="delete",
            forgiven=(KafkaError.UNKNOWN_TOPIC_OR_PART,),
        )

    def _admin(self) -> AdminClient:
        if self._client is None:
            self._client = AdminClient(
                {
                    "bootstrap.servers": self.bootstrap,
                    "client.id": "harness-admin",
                    "log_level": 0,  # a killed node is no news here
                    "socket.timeout.ms": 5000,
                    "reconnect.backoff.ms": 50,
                    "reconnect.backoff.max.ms": 500,
                }
            )
        return self._client


def merge(views: Mapping[int, MetadataView]) -> tuple[PartitionState, ...]:
    """Return one state per partition out of several nodes' views.

    The highest leader epoch wins: an isolated node is behind. Changes of the in-sync replicas leave
    that epoch alone, so among equals the view of most nodes wins, then the leader's own. A topic
    that fewer than half of the answering nodes know has been deleted, or is not yet there.
    """
    held: dict[tuple[str, int], dict[int, PartitionState]] = defaultdict(dict)
    for node, view in views.items():
        for state in view.partitions:
            held[state.topic, state.partition][node] = state
    return tuple(
        _believed(states) for _, states in sorted(held.items()) if 2 * len(states) >= len(views)
    )


def _believed(states: Mapping[int, PartitionState]) -> PartitionState:
    newest = max(state.leader_epoch for state in states.values())
    fresh = {node: state for node, state in states.items() if state.leader_epoch == newest}
    votes = Counter(_seen(state) for state in fresh.values())
    return max(
        fresh.items(),
        key=lambda pair: (
            votes[_seen(pair[1])],
            pair[0] == pair[1].leader,
            -pair[0],
        ),
    )[1]


def _seen(state: PartitionState) -> tuple[int, frozenset[int], tuple[int, ...]]:
    return state.leader, frozenset(state.isr), state.replicas


def _in_sync(states: list[PartitionState], count: int) -> bool:
    return len(states) == count and all(
        state.leader >= 0 and set(state.isr) == set(state.replicas) for state in states
    )


def _new_topic(spec: TopicSpec) -> NewTopic:
    return NewTopic(
        spec.name,
        num_partitions=spec.partitions,
        replication_factor=spec.replication_factor,
        config=dict(spec.config),
    )


def _settle(
    asked: "Mapping[str, Future[None]]",
    *,
    deadline: Deadline,
    doing: str,
    forgiven: tuple[int, ...],
) -> None:
    for name, future in asked.items():
        try:
            future.result(timeout=deadline.remaining_s() + 0.1)
        except KafkaException as error:
            if error.args[0].code() not in forgiven:
                refused = error.args[0].code() in _REFUSALS
                raise (TopicRefusedError if refused else LabError)(
                    f"Kafka did not {doing} topic {name}: {error.args[0].str()}"
                ) from error
        except TimeoutError as error:
            raise LabError(
                f"Kafka did not {doing} topic {name} within {deadline.seconds:g} s"
            ) from error
