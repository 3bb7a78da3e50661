"""Speaks the Kafka requests of an operator: quorum, replicas, leaders, topics, settings.

DescribeQuorum v0, AlterPartitionReassignments v0, ElectLeaders v2, CreatePartitions v2,
CreateTopics v5, DeleteTopics v5, IncrementalAlterConfigs v1 and DescribeConfigs v4, each by Kafka's
JSON file of that name. Any node takes them and forwards to the active controller what is the
controller's to do; settings of one node are that node's own to answer for. Bytes only.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from harness.lab.flexible_wire import NO_TAGS, NULL, FlexibleReader, array, framed, string
from harness.lab.kafka_wire import NO_ERROR
from harness.lab.values import Setting, TopicSpec

CREATE_TOPICS, CREATE_TOPICS_VERSION = 19, 5
DELETE_TOPICS, DELETE_TOPICS_VERSION = 20, 5
ELECT_LEADERS, ELECT_LEADERS_VERSION = 43, 2
DESCRIBE_CONFIGS, DESCRIBE_CONFIGS_VERSION = 32, 4
CREATE_PARTITIONS, CREATE_PARTITIONS_VERSION = 37, 2
INCREMENTAL_ALTER_CONFIGS, INCREMENTAL_ALTER_CONFIGS_VERSION = 44, 1
ALTER_PARTITION_REASSIGNMENTS, ALTER_PARTITION_REASSIGNMENTS_VERSION = 45, 0
DESCRIBE_QUORUM, DESCRIBE_QUORUM_VERSION = 55, 0

METADATA_TOPIC = "__cluster_metadata"
UNKNOWN_TOPIC, TOPIC_EXISTS, ELECTION_NOT_NEEDED = 3, 36, 84
_PREFERRED, _SET, _DELETE = 0, 0, 1
_RESOURCES = {"topic": 2, "node": 4}
_DYNAMIC_SOURCES = {"topic": 1, "node": 2}

ResourceKind = Literal["topic", "node"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why Kafka did not do something: its code and its words."""

    code: int
    words: str


def describe_quorum_request(correlation_id: int) -> bytes:
    """Return a framed request for the state of the metadata quorum."""
    partition = struct.pack(">i", 0) + NO_TAGS
    topic = string(METADATA_TOPIC) + array([partition]) + NO_TAGS
    body = array([topic]) + NO_TAGS
    return framed(DESCRIBE_QUORUM, DESCRIBE_QUORUM_VERSION, correlation_id, body)


def decode_quorum(answer: bytes, *, correlation_id: int) -> tuple[int, int] | None:
    """Return the quorum's (epoch, leader), None if the answering node does not know it."""
    reader = FlexibleReader(answer, correlation_id=correlation_id)
    error = reader.int16()

    def replica() -> None:
        reader.int32()  # node
        reader.int64()  # its log's end
        reader.tags()

    def partition() -> tuple[int, int, int]:
        reader.int32()
        failed, leader, epoch = reader.int16(), reader.int32(), reader.int32()
        reader.int64()  # high watermark
        reader.array(replica)  # voters
        reader.array(replica)  # observers
        reader.tags()
        return failed, epoch, leader

    def topic() -> list[tuple[int, int, int]]:
        reader.string()
        found = reader.array(partition)
        reader.tags()
        return found

    found = [each for topic_found in reader.array(topic) for each in topic_found]
    _end(reader)
    if error != NO_ERROR or not found or found[0][0] != NO_ERROR or found[0][2] < 0:
        return None
    return found[0][1], found[0][2]


def reassign_request(
    correlation_id: int, *, topic: str, partition: int, replicas: Sequence[int], timeout_ms: int
) -> bytes:
    """Return a framed request to give a partition these replicas, the preferred leader first."""
    nodes = array(struct.pack(">i", node) for node in replicas)
    entry = struct.pack(">i", partition) + nodes + NO_TAGS
    topics = array([string(topic) + array([entry]) + NO_TAGS])
    body = struct.pack(">i", timeout_ms) + topics + NO_TAGS
    version = ALTER_PARTITION_REASSIGNMENTS_VERSION
    return framed(ALTER_PARTITION_REASSIGNMENTS, version, correlation_id, body)


def decode_reassign(answer: bytes, *, correlation_id: int) -> Refusal | None:
    """Return why the reassignment was refused, None if it was accepted."""
    reader = FlexibleReader(answer, correlation_id=correlation_id)
    reader.int32()  # throttle time
    return _of_partitions(reader, overall=_refusal(reader))


def elect_request(correlation_id: int, *, topic: str, partition: int, timeout_ms: int) -> bytes:
    """Return a framed request to make the preferred replica of a partition its leader."""
    numbers = array([struct.pack(">i", partition)])
    topics = array([string(topic) + numbers + NO_TAGS])
    body = struct.pack(">b", _PREFERRED) + topics + struct.pack(">i", timeout_ms) + NO_TAGS
    return framed(ELECT_LEADERS, ELECT_LEADERS_VERSION, correlation_id, body)


def decode_elect(answer: bytes, *, correlation_id: int) -> Refusal | None:
    """Return why the election was refused; None also if the preferred replica led already."""
    reader = FlexibleReader(answer, correlation_id=correlation_id)
    reader.int32()  # throttle time
    code = reader.int16()
    refusal = _of_partitions(reader, overall=_refusal_of(code, None))
    return _unless(ELECTION_NOT_NEEDED, refusal)


def create_partitions_request(
    correlation_id: int, *, topic: str, count: int, timeout_ms: int
) -> bytes:
    """Return a framed request to let a topic have `count` partitions in all."""
    entry = string(topic) + struct.pack(">i", count) + NULL + NO_TAGS
    body = array([entry]) + struct.pack(">i?", timeout_ms, False) + NO_TAGS  # noqa: FBT003
    return framed(CREATE_PARTITIONS, CREATE_PARTITIONS_VERSION, correlation_id, body)


def decode_create_partitions(answer: bytes, *, correlation_id: int) -> Refusal | None:
    """Return why the partitions were not made, None if they were."""
    return _of_topics(answer, correlation_id=correlation_id)


def create_topic_request(correlation_id: int, *, spec: TopicSpec, timeout_ms: int) -> bytes:
    """Return a framed request for a topic, its replicas placed by Kafka."""
    settings = array(string(key) + string(value) + NO_TAGS for key, value in spec.config.items())
    shape = struct.pack(">ih", spec.partitions, spec.replication_factor)
    entry = string(spec.name) + shape + array([]) + settings + NO_TAGS
    body = array([entry]) + struct.pack(">i?", timeout_ms, False) + NO_TAGS  # noqa: FBT003
    return framed(CREATE_TOPICS, CREATE_TOPICS_VERSION, correlation_id, body)


def decode_create_topic(answer: bytes, *, correlation_id: int) -> Refusal | None:
    """Return why a topic was not made, None if it is there now or was before."""

    def as_made(reader: FlexibleReader) -> None:
        def setting() -> None:
            reader.string()
            reader.nullable_string()
            reader.int8()  # read only
            reader.int8()  # source
            reader.int8()  # sensitive
            reader.tags()

        reader.int32()  # partitions
        reader.int16()  # replicas
        reader.array(setting)

    refusal = _of_topics(answer, correlation_id=correlation_id, skip=as_made)
    return _unless(TOPIC_EXISTS, refusal)


def delete_topic_request(correlation_id: int, *, topic: str, timeout_ms: int) -> bytes:
    """Return a framed request to delete a topic."""
    body = array([string(topic)]) + struct.pack(">i", timeout_ms) + NO_TAGS
    return framed(DELETE_TOPICS, DELETE_TOPICS_VERSION, correlation_id, body)


def decode_delete_topic(answer: bytes, *, correlation_id: int) -> Refusal | None:
    """Return why a topic was not deleted, None if it is gone now or was before."""
    return _unless(UNKNOWN_TOPIC, _of_topics(answer, correlation_id=correlation_id))


def alter_configs_request(
    correlation_id: int, *, kind: ResourceKind, name: str, settings: Mapping[str, str | None]
) -> bytes:
    """Return a framed request to set settings of a topic or node; None gives up its own value."""
    entries = array(
        string(key)
        + struct.pack(">b", _DELETE if value is None else _SET)
        + string(value)
        + NO_TAGS
        for key, value in settings.items()
    )
    resource = struct.pack(">b", _RESOURCES[kind]) + string(name) + entries + NO_TAGS
    body = array([resource]) + struct.pack(">?", False) + NO_TAGS  # noqa: FBT003
    version = INCREMENTAL_ALTER_CONFIGS_VERSION
    return framed(INCREMENTAL_ALTER_CONFIGS, version, correlation_id, body)


def decode_alter_configs(answer: bytes, *, correlation_id: int) -> Refusal | None:
    """Return why the settings were refused, None if they were taken."""
    reader = FlexibleReader(answer, correlation_id=correlation_id)
    reader.int32()  # throttle time

    def result() -> Refusal | None:
        refusal = _refusal(reader)
        reader.int8()  # kind
        reader.string()  # name
        reader.tags()
        return refusal

    refusals = reader.array(result)
    _end(reader)
    return _first(refusals)


def describe_configs_request(
    correlation_id: int, *, kind: ResourceKind, name: str, keys: Sequence[str]
) -> bytes:
    """Return a framed request for some settings of a topic or node."""
    wanted = array(string(key) for key in keys)
    resource = struct.pack(">b", _RESOURCES[kind]) + string(name) + wanted + NO_TAGS
    body = array([resource]) + struct.pack(">??", False, False) + NO_TAGS  # noqa: FBT003
    return framed(DESCRIBE_CONFIGS, DESCRIBE_CONFIGS_VERSION, correlation_id, body)


def decode_describe_configs(
    answer: bytes, *, correlation_id: int, kind: ResourceKind
) -> dict[str, Setting] | Refusal:
    """Return settings by their names, or why they are not told."""
    reader = FlexibleReader(answer, correlation_id=correlation_id)
    reader.int32()  # throttle time

    def synonym() -> None:
        reader.string()
        reader.nullable_string()
        reader.int8()
        reader.tags()

    def setting() -> tuple[str, Setting]:
        key, value = reader.string(), reader.nullable_string()
        reader.int8()  # read only
        source = reader.int8()
        reader.int8()  # sensitive
        reader.array(synonym)
        reader.int8()  # type
        reader.nullable_string()  # documentation
        reader.tags()
        return key, Setting(value=value, own=source == _DYNAMIC_SOURCES[kind])

    def result() -> dict[str, Setting] | Refusal:
        refusal = _refusal(reader)
        reader.int8()  # kind
        reader.string()  # name
        settings = dict(reader.array(setting))
        reader.tags()
        return refusal or settings

    results = reader.array(result)
    _end(reader)
    return results[0] if results else {}


def _of_topics(
    answer: bytes,
    *,
    correlation_id: int,
    skip: Callable[[FlexibleReader], None] = lambda _: None,
) -> Refusal | None:
    """Read results by topic to the end; return the first refusal.

    `skip` reads over what stands behind a topic's refusal.
    """
    reader = FlexibleReader(answer, correlation_id=correlation_id)
    reader.int32()  # throttle time

    def result() -> Refusal | None:
        reader.string()  # topic
        refusal = _refusal(reader)
        skip(reader)
        reader.tags()
        return refusal

    refusals = reader.array(result)
    _end(reader)
    return _first(refusals)


def _of_partitions(reader: FlexibleReader, *, overall: Refusal | None) -> Refusal | None:
    """Read results by topic and partition to the end; return the first refusal."""

    def partition() -> Refusal | None:
        reader.int32()
        refusal = _refusal(reader)
        reader.tags()
        return refusal

    def topic() -> Refusal | None:
        reader.string()
        refusals = reader.array(partition)
        reader.tags()
        return _first(refusals)

    refusals = reader.array(topic)
    _end(reader)
    return overall or _first(refusals)


def _refusal(reader: FlexibleReader) -> Refusal | None:
    code = reader.int16()
    return _refusal_of(code, reader.nullable_string())


def _refusal_of(code: int, words: str | None) -> Refusal | None:
    return None if code == NO_ERROR else Refusal(code=code, words=words or f"error {code}")


def _first(refusals: Sequence[Refusal | None]) -> Refusal | None:
    return next((each for each in refusals if each is not None), None)


def _unless(code: int, refusal: Refusal | None) -> Refusal | None:
    """Return a refusal unless it has this code, which says that there is nothing to do."""
    return None if refusal is not None and refusal.code == code else refusal


def _end(reader: FlexibleReader) -> None:
    reader.tags()
    reader.expect_end()
