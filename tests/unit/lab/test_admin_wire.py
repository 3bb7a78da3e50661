"""The codec of an operator's requests, against answers that an independent encoder writes."""

import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LabError
from harness.lab import admin_wire
from harness.lab.admin_wire import Refusal
from harness.lab.flexible_wire import FlexibleReader, varint
from harness.lab.values import Setting, TopicSpec

HEAD = struct.pack(">i", 9) + b"\x00"
TOPIC = TopicSpec(name="t", partitions=4, replication_factor=3, config={"retention.ms": "1"})
THROTTLE = struct.pack(">i", 0)
Decode = Callable[..., object]
DECODERS: tuple[Decode, ...] = (
    admin_wire.decode_quorum,
    admin_wire.decode_reassign,
    admin_wire.decode_elect,
    admin_wire.decode_create_partitions,
    admin_wire.decode_create_topic,
    admin_wire.decode_delete_topic,
    admin_wire.decode_alter_configs,
)


def text(value: str | None) -> bytes:
    """Encode a short compact string."""
    return b"\x00" if value is None else bytes([len(value.encode()) + 1]) + value.encode()


def listed(*items: bytes) -> bytes:
    """Encode a short compact array."""
    return bytes([len(items) + 1]) + b"".join(items)


def quorum(error: int, leader: int, epoch: int) -> bytes:
    """Encode a DescribeQuorum v0 answer with two voters and one observer."""
    replica = struct.pack(">iq", 1, 42) + b"\x00"
    partition = struct.pack(">ihiiq", 0, error, leader, epoch, 40)
    partition += listed(replica, replica) + listed(replica) + b"\x00"
    topic = text("__cluster_metadata") + listed(partition) + b"\x00"
    return HEAD + struct.pack(">h", 0) + listed(topic) + b"\x00"


def of_partition(error: int, words: str | None, *, overall: bytes) -> bytes:
    """Encode an answer about one partition."""
    entry = struct.pack(">ih", 0, error) + text(words) + b"\x00"
    return HEAD + THROTTLE + overall + listed(text("orders") + listed(entry) + b"\x00") + b"\x00"


@pytest.mark.parametrize(
    ("error", "leader", "expected"), [(0, 2, (5, 2)), (6, 2, None), (0, -1, None)]
)
def test_the_quorums_leader_is_named_only_where_it_is_known(
    error: int, leader: int, expected: tuple[int, int] | None
) -> None:
    """Error 6 is "not the leader": such a node's word is no word."""
    assert admin_wire.decode_quorum(quorum(error, leader, 5), correlation_id=9) == expected


@pytest.mark.parametrize(
    ("error", "words", "expected"),
    [
        (0, None, None),
        (39, "no such node", Refusal(code=39, words="no such node")),
        (60, None, Refusal(code=60, words="error 60")),
    ],
)
def test_a_reassignment_is_refused_in_kafkas_words(
    error: int, words: str | None, expected: Refusal | None
) -> None:
    """Told by partition, while the request as a whole was understood."""
    answer = of_partition(error, words, overall=struct.pack(">h", 0) + text(None))
    assert admin_wire.decode_reassign(answer, correlation_id=9) == expected


@pytest.mark.parametrize(
    ("error", "expected"), [(0, None), (84, None), (80, Refusal(code=80, words="not there"))]
)
def test_an_election_that_is_not_needed_is_no_refusal(error: int, expected: Refusal | None) -> None:
    """Error 84: the preferred replica leads; 80: it is not available."""
    answer = of_partition(error, "not there" if error else None, overall=struct.pack(">h", 0))
    assert admin_wire.decode_elect(answer, correlation_id=9) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [(0, None), (36, None), (38, Refusal(code=38, words="too few nodes"))]
)
def test_a_topic_that_is_there_already_is_no_refusal(code: int, expected: Refusal | None) -> None:
    """Error 36: an earlier request made it, and its answer was lost. Settings are read over."""
    setting = text("retention.ms") + text("1") + struct.pack(">bbb", 0, 1, 0) + b"\x00"
    result = text("orders") + struct.pack(">h", code) + text("too few nodes" if code else None)
    result += struct.pack(">ih", 4, 3) + listed(setting) + b"\x00"
    answer = HEAD + THROTTLE + listed(result) + b"\x00"
    assert admin_wire.decode_create_topic(answer, correlation_id=9) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [(0, None), (3, None), (41, Refusal(code=41, words="not now"))]
)
def test_a_topic_that_is_gone_already_is_no_refusal(code: int, expected: Refusal | None) -> None:
    """Error 3: an earlier request deleted it."""
    result = text("orders") + struct.pack(">h", code) + text("not now" if code else None) + b"\x00"
    answer = HEAD + THROTTLE + listed(result) + b"\x00"
    assert admin_wire.decode_delete_topic(answer, correlation_id=9) == expected


def test_settings_tell_whether_they_are_the_topics_own() -> None:
    """Source 1 is a topic's own value, 5 Kafka's default; a value may be null."""
    entries = [
        text(key) + text(value) + struct.pack(">bbb", 0, source, 0) + listed() + b"\x01\x00\x00"
        for key, value, source in (("a", "1", 1), ("b", None, 5))
    ]
    result = struct.pack(">h", 0) + text(None) + b"\x02" + text("orders")
    answer = HEAD + THROTTLE + listed(result + listed(*entries) + b"\x00") + b"\x00"
    found = admin_wire.decode_describe_configs(answer, correlation_id=9, kind="topic")
    assert found == {"a": Setting(value="1", own=True), "b": Setting(value=None, own=False)}


@pytest.mark.parametrize("decode", DECODERS)
@given(garbage=st.binary(max_size=120))
def test_garbage_is_a_lab_error_and_nothing_else(decode: Decode, garbage: bytes) -> None:
    """No other exception leaves a decoder."""
    try:
        decode(HEAD + garbage, correlation_id=9)
    except LabError:
        return


@given(cut=st.integers(0, 75))
def test_an_answer_cut_short_is_an_error(cut: int) -> None:
    """No prefix of an answer passes for an answer."""
    whole = quorum(0, 2, 5)
    assert cut < len(whole)
    with pytest.raises(LabError):
        admin_wire.decode_quorum(whole[:cut], correlation_id=9)


@given(value=st.integers(0, 2**32 - 1))
def test_a_number_of_variable_length_is_read_back(value: int) -> None:
    """Up to the largest length that a compact array can have."""
    assert FlexibleReader(HEAD + varint(value), correlation_id=9).varint() == value


def test_tagged_fields_are_skipped() -> None:
    """A newer server may add what an older reader does not know (KIP-482)."""
    reader = FlexibleReader(HEAD + b"\x02\x00\x03abc\x07\x01z" + b"\x2a", correlation_id=9)
    reader.tags()
    assert reader.int8() == 42
    reader.expect_end()


def test_requests_carry_their_own_length() -> None:
    """The frame's prefix is the number of bytes after it."""
    for request in (
        admin_wire.describe_quorum_request(9),
        admin_wire.reassign_request(9, topic="t", partition=1, replicas=[2, 3], timeout_ms=5),
        admin_wire.elect_request(9, topic="t", partition=1, timeout_ms=5),
        admin_wire.create_partitions_request(9, topic="t", count=4, timeout_ms=5),
        admin_wire.create_topic_request(9, spec=TOPIC, timeout_ms=5),
        admin_wire.delete_topic_request(9, topic="t", timeout_ms=5),
        admin_wire.alter_configs_request(9, kind="node", name="1", settings={"a": None, "b": "c"}),
        admin_wire.describe_configs_request(9, kind="topic", name="t", keys=["a"]),
    ):
        assert struct.unpack(">i", request[:4])[0] == len(request) - 4
