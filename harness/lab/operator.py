"""What operators do to a cluster, asked for over the audit path. Each call is bounded by a second.

A client library would do most of it, but it spins while a leader is dead, and it hides which node
it asked: the settings of a node are asked of that very node.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from harness.errors import LabError
from harness.lab import admin_wire, kafka_wire
from harness.lab.admin_wire import Refusal
from harness.lab.audit import ask_all
from harness.lab.values import OperationRefusedError, Setting, TopicSpec

T = TypeVar("T")

ALIVE_S = 0.25
ANSWER_S = 0.7
_FOREVER = frozenset({17, 37, 38, 39, 40, 42, 44})
"""Refusals of what was asked for: topic name, partitions, replicas, settings, requests, policy."""


class AuditOperator:
    """`Operator` over the unproxied audit ports of the nodes, by node number."""

    def __init__(self, ports: Mapping[int, int]) -> None:
        self._ports = dict(ports)
        self._correlation = itertools.count(1)

    def reassign(self, topic: str, partition: int, *, replicas: Sequence[int]) -> None:
        """Ask for these replicas, the preferred leader first; copying goes on after the return."""
        self._do(
            f"the reassignment of {topic}/{partition} to {list(replicas)}",
            lambda number: admin_wire.reassign_request(
                number,
                topic=topic,
                partition=partition,
                replicas=replicas,
                timeout_ms=int(ANSWER_S * 1000),
            ),
            admin_wire.decode_reassign,
        )

    def elect_preferred(self, topic: str, partition: int) -> None:
        """Make the preferred replica the leader; no error if it is."""
        self._do(
            f"the election of the preferred leader of {topic}/{partition}",
            lambda number: admin_wire.elect_request(
                number, topic=topic, partition=partition, timeout_ms=int(ANSWER_S * 1000)
            ),
            admin_wire.decode_elect,
        )

    def add_partitions(self, topic: str, *, count: int) -> None:
        """Let a topic have `count` partitions in all; no error if it has exactly these."""
        self._do(
            f"{count} partitions of {topic}",
            lambda number: admin_wire.create_partitions_request(
                number, topic=topic, count=count, timeout_ms=int(ANSWER_S * 1000)
            ),
            admin_wire.decode_create_partitions,
            forgiven="already has",
        )

    def delete_topic(self, topic: str) -> None:
        """Delete a topic; no error if it is gone."""
        self._do(
            f"the deletion of topic {topic}",
            lambda number: admin_wire.delete_topic_request(
                number, topic=topic, timeout_ms=int(ANSWER_S * 1000)
            ),
            admin_wire.decode_delete_topic,
        )

    def create_topic(self, spec: TopicSpec) -> None:
        """Make a topic; no error if it is there."""
        self._do(
            f"topic {spec.name}",
            lambda number: admin_wire.create_topic_request(
                number, spec=spec, timeout_ms=int(ANSWER_S * 1000)
            ),
            admin_wire.decode_create_topic,
        )

    def configure_topic(self, topic: str, settings: Mapping[str, str | None]) -> None:
        """Set settings of a topic; None gives up the topic's own value."""
        self._do(
            f"the settings {dict(settings)} of topic {topic}",
            lambda number: admin_wire.alter_configs_request(
                number, kind="topic", name=topic, settings=settings
            ),
            admin_wire.decode_alter_configs,
        )

    def configure_node(self, node: int, settings: Mapping[str, str | None]) -> None:
        """Set dynamic settings of one node; None gives up its own value."""
        self._do(
            f"the settings {dict(settings)} of node {node}",
            lambda number: admin_wire.alter_configs_request(
                number, kind="node", name=str(node), settings=settings
            ),
            admin_wire.decode_alter_configs,
            node=node,
        )

    def topic_settings(self, topic: str, keys: Sequence[str]) -> dict[int, dict[str, Setting]]:
        """Return what each answering node says the topic's settings are."""
        number = self._next()
        request = admin_wire.describe_configs_request(number, kind="topic", name=topic, keys=keys)
        answers = ask_all(self._ports, request, deadline_s=ANSWER_S)
        told = {
            node: admin_wire.decode_describe_configs(answer, correlation_id=number, kind="topic")
            for node, answer in answers.items()
        }
        return {node: found for node, found in told.items() if not isinstance(found, Refusal)}

    def node_settings(self, node: int, keys: Sequence[str]) -> dict[str, Setting]:
        """Return what a node says its own settings are."""
        number = self._next()
        request = admin_wire.describe_configs_request(
            number, kind="node", name=str(node), keys=keys
        )
        answer = ask_all({node: self._ports[node]}, request, deadline_s=ANSWER_S).get(node)
        if answer is None:
            raise LabError(f"Node {node} did not tell its settings within {ANSWER_S:g} s")
        found = admin_wire.decode_describe_configs(answer, correlation_id=number, kind="node")
        if isinstance(found, Refusal):
            raise LabError(f"Node {node} did not tell its settings: {found.words}")
        return found

    def _do(
        self,
        what: str,
        request: Callable[[int], bytes],
        decode: Callable[..., Refusal | None],
        *,
        node: int | None = None,
        forgiven: str | None = None,
    ) -> None:
        """Have one node do it, any that answers, or exactly this one.

        A refusal whose words hold `forgiven` says that it is done: an earlier answer was lost.
        """
        number = self._next()
        chosen = self._answering() if node is None else node
        answers = ask_all({chosen: self._ports[chosen]}, request(number), deadline_s=ANSWER_S)
        if chosen not in answers:
            raise LabError(f"Node {chosen} did not answer within {ANSWER_S:g} s to {what}")
        refusal = decode(answers[chosen], correlation_id=number)
        if refusal is None or (forgiven is not None and forgiven in refusal.words):
            return
        kind = OperationRefusedError if refusal.code in _FOREVER else LabError
        raise kind(f"Kafka refused {what}: {refusal.words}")

    def _answering(self) -> int:
        """Return a node that answers now: a paused one would swallow the request."""
        question = kafka_wire.metadata_request(self._next())
        found = ask_all(self._ports, question, deadline_s=ALIVE_S, enough=1)
        if not found:
            raise LabError(f"No node answered on its audit port within {ALIVE_S:g} s")
        return next(iter(found))

    def _next(self) -> int:
        return next(self._correlation) & 0x7FFFFFFF
