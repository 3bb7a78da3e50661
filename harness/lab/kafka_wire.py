"""Speaks the Kafka requests of the audit path: Metadata v7, FindCoordinator v2, ListOffsets v2.

It encodes and decodes bytes only; sockets are `audit.py`'s. Written out by hand because a client
library hides which node answered, and how stale that answer is. Field order: Kafka's
`MetadataRequest.json`, `MetadataResponse.json`, `FindCoordinatorRequest.json` and
`ListOffsetsRequest.json` (KIP-320 brought the leader epoch to Metadata version 7).
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from harness.errors import LabError
from harness.lab.values import PartitionState

T = TypeVar("T")

API_VERSIONS = 18
METADATA = 3
METADATA_VERSION = 7
LIST_OFFSETS = 2
LIST_OFFSETS_VERSION = 2
LATEST = -1
EARLIEST = -2
FIND_COORDINATOR = 10
FIND_COORDINATOR_VERSION = 2
CLIENT_ID = b"harness-audit"
NO_ERROR = 0
_COORDINATOR_KINDS = {"group": 0, "transaction": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataView:
    """What one node believes about the cluster."""

    brokers: frozenset[int]
    """Nodes that are registered and not fenced, as this node knows it."""
    cluster_id: str | None
    controller: int
    partitions: tuple[PartitionState, ...]


def api_versions_request(correlation_id: int) -> bytes:
    """Return a framed ApiVersions v0, which every listener answers, a controller's too."""
    return _framed(API_VERSIONS, 0, correlation_id, b"")


def metadata_request(correlation_id: int) -> bytes:
    """Return a framed request for every topic, which creates none."""
    body = struct.pack(">ib", -1, 0)
    return _framed(METADATA, METADATA_VERSION, correlation_id, body)


def find_coordinator_request(
    correlation_id: int, *, key: str, kind: Literal["group", "transaction"]
) -> bytes:
    """Return a framed request; as a side effect the node creates the internal topic behind it."""
    name = key.encode()
    body = struct.pack(">h", len(name)) + name + struct.pack(">b", _COORDINATOR_KINDS[kind])
    return _framed(FIND_COORDINATOR, FIND_COORDINATOR_VERSION, correlation_id, body)


def decode_metadata(answer: bytes, *, correlation_id: int) -> MetadataView:
    """Read an answer without its length prefix; LabError if it is not a whole Metadata v7."""
    reader = _Reader(answer)
    reader.expect_correlation(correlation_id)
    reader.int32()  # throttle time
    brokers = reader.array(reader.broker)
    cluster_id = reader.nullable_string()
    controller = reader.int32()
    topics = reader.array(reader.topic)
    reader.expect_end()
    return MetadataView(
        brokers=frozenset(brokers),
        cluster_id=cluster_id,
        controller=controller,
        partitions=tuple(partition for topic in topics for partition in topic),
    )


def list_offsets_request(
    correlation_id: int,
    partitions: Mapping[str, Sequence[int]],
    *,
    at: int = LATEST,
    committed: bool = False,
) -> bytes:
    """Return a framed request for the high watermark of partitions, by topic name.

    With `committed` it is the last stable offset; `at` EARLIEST asks where they begin. It may go
    to any node: those that do not lead a partition answer for it with an error.
    """
    body = struct.pack(">ibi", -1, committed, len(partitions))
    for topic, numbers in partitions.items():
        name = topic.encode()
        body += struct.pack(">h", len(name)) + name + struct.pack(">i", len(numbers))
        body += b"".join(struct.pack(">iq", number, at) for number in numbers)
    return _framed(LIST_OFFSETS, LIST_OFFSETS_VERSION, correlation_id, body)


def decode_offsets(answer: bytes, *, correlation_id: int) -> dict[tuple[str, int], int]:
    """Return the offset of each (topic, partition) that the answering node leads."""
    reader = _Reader(answer)
    reader.expect_correlation(correlation_id)
    reader.int32()  # throttle time
    topics = reader.array(reader.offsets)
    reader.expect_end()
    return {place: offset for topic in topics for place, offset in topic}


def decode_coordinator(answer: bytes, *, correlation_id: int) -> int | None:
    """Return the node that coordinates the key, or None while there is none."""
    reader = _Reader(answer)
    reader.expect_correlation(correlation_id)
    reader.int32()  # throttle time
    error = reader.int16()
    reader.nullable_string()  # error message
    node = reader.int32()
    reader.string()
    reader.int32()
    reader.expect_end()
    return node if error == NO_ERROR else None


def _framed(api_key: int, version: int, correlation_id: int, body: bytes) -> bytes:
    header = struct.pack(">hhih", api_key, version, correlation_id, len(CLIENT_ID)) + CLIENT_ID
    return struct.pack(">i", len(header) + len(body)) + header + body


class _Reader:
    """Reads Kafka's primitive types off one answer, never past its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int8(self) -> int:
        return int(self._unpack(">b"))

    def int16(self) -> int:
        return int(self._unpack(">h"))

    def int32(self) -> int:
        return int(self._unpack(">i"))

    def int64(self) -> int:
        return int(self._unpack(">q"))

    def string(self) -> str:
        value = self.nullable_string()
        if value is None:
            raise LabError("A Kafka answer holds a null where a string must stand")
        return value

    def nullable_string(self) -> str | None:
        length = self.int16()
        if length == -1:
            return None
        try:
            return self._take(length).decode()
        except UnicodeDecodeError as error:
            raise LabError(f"A Kafka answer holds a string that is no UTF-8: {error}") from error

    def array(self, item: Callable[[], T]) -> list[T]:
        count = self.int32()
        if count > len(self._data) - self._at:
            raise LabError(f"A Kafka answer claims {count} items, more than it has bytes left")
        return [item() for _ in range(count)]

    def broker(self) -> int:
        node = self.int32()
        self.string()  # host
        self.int32()  # port
        self.nullable_string()  # rack
        return node

    def offsets(self) -> list[tuple[tuple[str, int], int]]:
        name = self.string()
        answers = self.array(lambda: (self.int32(), self.int16(), self.int64(), self.int64()))
        return [((name, number), at) for number, error, _, at in answers if error == NO_ERROR]

    def topic(self) -> list[PartitionState]:
        self.int16()  # error
        name = self.string()
        self.int8()  # internal
        return self.array(lambda: self._partition(name))

    def expect_correlation(self, expected: int) -> None:
        actual = self.int32()
        if actual != expected:
            raise LabError(f"A Kafka answer is to request {actual}, not to request {expected}")

    def expect_end(self) -> None:
        left = len(self._data) - self._at
        if left:
            raise LabError(f"A Kafka answer has {left} bytes more than its format")

    def _partition(self, topic: str) -> PartitionState:
        self.int16()  # error: "leader not available" is told by leader -1
        partition, leader, epoch = self.int32(), self.int32(), self.int32()
        replicas, isr = self.array(self.int32), self.array(self.int32)
        self.array(self.int32)  # offline replicas
        return PartitionState(
            topic=topic,
            partition=partition,
            leader=leader,
            leader_epoch=epoch,
            replicas=tuple(replicas),
            isr=tuple(isr),
        )

    def _unpack(self, layout: str) -> int:
        return int(struct.unpack(layout, self._take(struct.calcsize(layout)))[0])

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if count < 0 or end > len(self._data):
            raise LabError(f"A Kafka answer of {len(self._data)} bytes ends in the middle")
        taken, self._at = self._data[self._at : end], end
        return taken
