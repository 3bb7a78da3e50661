"""Kafka's framing, however the bytes arrive, and which request an answer belongs to."""

import itertools
import struct
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from harness.lab.frames.codec import LONGEST_BYTES, Conversation, Frame, Part

PRODUCE, METADATA, END_TXN = 0, 3, 26
int16s = st.integers(0, 0x7FFF)
int32s = st.integers(0, 0x7FFFFFFF)
bodies = st.binary(max_size=40)


def request(api_key: int, correlation_id: int, body: bytes = b"") -> bytes:
    """Return a framed request."""
    return struct.pack(">ihhi", 8 + len(body), api_key, 9, correlation_id) + body


def answer(correlation_id: int, body: bytes = b"") -> bytes:
    """Return a framed answer."""
    return struct.pack(">ii", 4 + len(body), correlation_id) + body


def split(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Cut bytes at these places."""
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[begin:end] for begin, end in itertools.pairwise(edges)]


def read(talk: Conversation, part: Part, chunks: Iterable[bytes]) -> list[Frame]:
    """Return every frame that these chunks make, as one list."""
    return [frame for chunk in chunks for frame in talk.read(part, chunk)]


@given(
    st.lists(st.tuples(int16s, int32s, bodies), max_size=8),
    st.lists(st.integers(0, 2000), max_size=30),
)
def test_frames_are_the_same_wherever_the_bytes_are_cut(
    wanted: list[tuple[int, int, bytes]], cuts: list[int]
) -> None:
    """Every request comes out once, whole and in order, and no byte is left."""
    whole = [request(*each) for each in wanted]
    talk = Conversation()
    frames = read(talk, "request", split(b"".join(whole), cuts))
    assert [frame.data for frame in frames] == whole
    assert [(frame.api_key, frame.correlation_id) for frame in frames] == [
        (key, correlation) for key, correlation, _ in wanted
    ]
    assert talk.rest("request") == b""
    assert talk.garbage is None


@given(st.binary(max_size=400), st.lists(st.integers(0, 500), max_size=20))
def test_no_byte_is_lost_or_made_up_whatever_comes(data: bytes, cuts: list[int]) -> None:
    """Garbage or not: what went in comes out, in order, the unfinished rest included."""
    for part in ("request", "answer"):
        talk = Conversation()
        out = b"".join(frame.data for frame in read(talk, part, split(data, cuts)))
        assert out + talk.rest(part) == data


@given(st.lists(st.tuples(int16s, bodies, st.booleans()), max_size=30))
def test_an_answer_belongs_to_its_request_though_others_are_never_answered(
    sent: list[tuple[int, bytes, bool]],
) -> None:
    """Produce with acks=0 has no answer; the next answer is not taken for its."""
    talk = Conversation()
    for number, (api_key, body, _) in enumerate(sent):
        for frame in talk.read("request", request(api_key, number, body)):
            talk.passed(frame)
    answered = [(api_key, number) for number, (api_key, _, answers) in enumerate(sent) if answers]
    said = b"".join(answer(number, b"yes") for _, number in answered)
    frames = talk.read("answer", said)
    assert [(frame.api_key, frame.correlation_id) for frame in frames] == answered


def test_an_answer_to_nothing_is_a_frame_without_an_api() -> None:
    """A request that was dropped on its way, for instance, was never expected to be answered."""
    talk = Conversation()
    assert talk.read("answer", answer(7)) == [Frame(answer(7), None, 7)]


def test_a_length_that_cannot_be_is_passed_on_with_everything_behind_it() -> None:
    """The reason is told, frames before it are seen, none after it."""
    good, odd = request(PRODUCE, 1), struct.pack(">i", LONGEST_BYTES + 1) + b"TLS?"
    talk = Conversation()
    frames = talk.read("request", good + odd) + talk.read("request", good)
    assert frames == [Frame(good, PRODUCE, 1), Frame(odd), Frame(good)]
    assert talk.garbage == "a length of 104857601 bytes, not 8 to 100 MiB"


def test_a_length_too_short_for_its_header_is_no_frame() -> None:
    """Seven bytes hold no request header; three hold no answer header."""
    talk = Conversation()
    talk.read("request", struct.pack(">i", 7))
    assert talk.garbage is not None
    other = Conversation()
    other.read("answer", struct.pack(">i", 3))
    assert other.garbage is not None


def test_garbage_in_one_direction_lets_both_pass_as_they_are() -> None:
    """It is another protocol: no byte of it may wait for a frame that will never be whole."""
    talk = Conversation()
    assert talk.read("answer", b"?") == []
    talk.read("request", b"\xff" * 4)
    assert talk.read("answer", b"!") == [Frame(b"?!")]
    assert talk.read("request", request(END_TXN, 3)) == [Frame(request(END_TXN, 3))]
