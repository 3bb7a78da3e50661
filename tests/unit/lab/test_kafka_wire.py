"""The codec of the audit path, against answers that an independent encoder writes."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import LabError
from harness.lab.kafka_wire import (
    MetadataView,
    decode_coordinator,
    decode_metadata,
    decode_offsets,
    find_coordinator_request,
    list_offsets_request,
    metadata_request,
)
from harness.lab.values import PartitionState

NODES = st.integers(-1, 2**31 - 1)
TEXT = st.text(max_size=20)


def string(text: str | None) -> bytes:
    """Encode a nullable string."""
    if text is None:
        return struct.pack(">h", -1)
    return struct.pack(">h", len(text.encode())) + text.encode()


def numbers(values: tuple[int, ...]) -> bytes:
    """Encode an array of int32."""
    return struct.pack(f">i{len(values)}i", len(values), *values)


def encode(view: MetadataView, *, correlation_id: int) -> bytes:
    """Write a Metadata v7 answer, one topic entry for each partition."""
    parts = [struct.pack(">iii", correlation_id, 0, len(view.brokers))]
    parts += [
        struct.pack(">i", node) + string("host") + struct.pack(">i", 9) + string(None)
        for node in view.brokers
    ]
    parts += [string(view.cluster_id), struct.pack(">ii", view.controller, len(view.partitions))]
    for state in view.partitions:
        parts += [struct.pack(">h", 0), string(state.topic), struct.pack(">bi", 0, 1)]
        head = (0, state.partition, state.leader, state.leader_epoch)
        parts += [struct.pack(">hiii", *head), numbers(state.replicas), numbers(state.isr)]
        parts.append(numbers(()))
    return b"".join(parts)


PARTITIONS = st.builds(
    PartitionState,
    topic=TEXT,
    partition=NODES,
    leader=NODES,
    leader_epoch=NODES,
    replicas=st.lists(NODES, max_size=4).map(tuple),
    isr=st.lists(NODES, max_size=4).map(tuple),
)
VIEWS = st.builds(
    MetadataView,
    brokers=st.frozensets(NODES, max_size=4),
    cluster_id=st.none() | TEXT,
    controller=NODES,
    partitions=st.lists(PARTITIONS, max_size=4).map(tuple),
)


@settings(max_examples=40)
@given(view=VIEWS, correlation_id=NODES)
def test_a_whole_answer_is_read_back_as_it_was_written(
    view: MetadataView, correlation_id: int
) -> None:
    """Every field that is used survives the way."""
    assert view == decode_metadata(
        encode(view, correlation_id=correlation_id), correlation_id=correlation_id
    )


@settings(max_examples=40)
@given(view=VIEWS, data=st.data())
def test_an_answer_cut_short_is_an_error(view: MetadataView, data: st.DataObject) -> None:
    """No prefix of an answer passes for an answer."""
    whole = encode(view, correlation_id=1)
    prefix = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(LabError):
        decode_metadata(prefix, correlation_id=1)


@given(garbage=st.binary(max_size=200))
def test_garbage_is_a_lab_error_and_nothing_else(garbage: bytes) -> None:
    """No other exception leaves the decoder, and it does not allocate what a length claims."""
    for decode in (decode_metadata, decode_coordinator):
        try:
            decode(garbage, correlation_id=7)
        except LabError:
            continue


def test_bytes_behind_the_answer_are_an_error() -> None:
    """A format that is not the expected one does not pass."""
    view = MetadataView(brokers=frozenset(), cluster_id=None, controller=1, partitions=())
    with pytest.raises(LabError, match="1 bytes more"):
        decode_metadata(encode(view, correlation_id=1) + b"x", correlation_id=1)


def test_an_answer_to_another_request_is_an_error() -> None:
    """The correlation id is checked."""
    view = MetadataView(brokers=frozenset(), cluster_id=None, controller=1, partitions=())
    with pytest.raises(LabError, match="not to request 2"):
        decode_metadata(encode(view, correlation_id=1), correlation_id=2)


def test_requests_carry_their_own_length() -> None:
    """The frame's prefix is the number of bytes after it."""
    for request in (
        metadata_request(5),
        find_coordinator_request(5, key="some group", kind="transaction"),
        list_offsets_request(5, {"orders": [0, 1], "påyments": [7]}),
    ):
        assert struct.unpack(">i", request[:4])[0] == len(request) - 4


PLACES = st.dictionaries(
    st.tuples(st.sampled_from(["orders", "påyments"]), st.integers(0, 99)),
    st.tuples(st.sampled_from([0, 6, 3]), st.integers(0, 2**62)),
    max_size=6,
)


@given(places=PLACES)
def test_ends_are_read_from_the_leader_and_errors_are_left_out(
    places: dict[tuple[str, int], tuple[int, int]],
) -> None:
    """Error 6 is "not the leader", 3 "unknown": such a node's word is no word."""
    answer = struct.pack(">iii", 9, 0, len(places))
    for (topic, partition), (error, end) in places.items():
        name = topic.encode()
        answer += struct.pack(">h", len(name)) + name
        answer += struct.pack(">iihqq", 1, partition, error, -1, end)
    expected = {place: end for place, (error, end) in places.items() if error == 0}
    assert decode_offsets(answer, correlation_id=9) == expected


@pytest.mark.parametrize(("error", "expected"), [(0, 2), (15, None)])
def test_a_coordinator_is_named_only_without_an_error(error: int, expected: int | None) -> None:
    """Error 15 is "coordinator not available"."""
    body = struct.pack(">iih", 3, 0, error) + string(None)
    answer = body + struct.pack(">i", 2) + string("127.0.0.1") + struct.pack(">i", 9092)
    assert decode_coordinator(answer, correlation_id=3) == expected
