"""Kafka's framing, and nothing more of its protocol: which bytes are one request or one answer.

Pure: bytes in, frames out. Request: length int32, api key int16, api version int16, correlation id
int32; answer: length int32, correlation id int32, in every version (Kafka's protocol guide).
"""

import struct
from collections import deque
from dataclasses import dataclass
from typing import Literal

Part = Literal["request", "answer"]

LONGEST_BYTES = 104_857_600
"""Kafka's own default of `socket.request.max.bytes`."""
_LENGTH = struct.Struct(">i")
_REQUEST = struct.Struct(">ihhi")
_ANSWER = struct.Struct(">ii")
_MOST_IN_FLIGHT = 65_536


@dataclass(frozen=True, slots=True)
class Frame:
    """One request or answer with its length prefix; or bytes in which no frame can be seen."""

    data: bytes
    api_key: int | None = None
    """None for an answer to a request that was not seen, and for bytes that are no frame."""
    correlation_id: int = -1


class FrameReader:
    """Cuts one direction of a connection into frames, however its bytes arrive.

    Where a length must stand and something else does (TLS, another protocol, garbage), `garbage`
    says what, and no more frames are seen: what to do about it is the receiver's business, so
    every byte from there on is left in `rest`.
    """

    def __init__(self, *, shortest_bytes: int) -> None:
        self.garbage: str | None = None
        self._shortest = shortest_bytes
        self._pending = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the frames that are whole now, each with its length prefix."""
        pending = self._pending
        pending += data
        whole: list[bytes] = []
        at = 0
        while self.garbage is None and len(pending) - at >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(pending, at)
            end = at + _LENGTH.size + length
            if not self._shortest <= length <= LONGEST_BYTES:
                self.garbage = f"a length of {length} bytes, not {self._shortest} to 100 MiB"
            elif end > len(pending):
                break
            else:
                whole.append(bytes(pending[at:end]))
                at = end
        del pending[:at]
        return whole

    def rest(self) -> bytes:
        """Return, and forget, the bytes that are no whole frame."""
        rest = bytes(self._pending)
        self._pending.clear()
        return rest


class Conversation:
    """Both directions of one connection: which request an answer belongs to.

    A node answers the requests of a connection in order, but some never (Produce with acks=0), so
    an answer also settles every request before its own. Of more than 65,536 requests without an
    answer the oldest are forgotten.
    """

    def __init__(self) -> None:
        self._requests = FrameReader(shortest_bytes=_REQUEST.size - _LENGTH.size)
        self._answers = FrameReader(shortest_bytes=_ANSWER.size - _LENGTH.size)
        self._in_flight: deque[Frame] = deque(maxlen=_MOST_IN_FLIGHT)

    @property
    def garbage(self) -> str | None:
        """Say why no frames are seen on this connection any more, if that is so."""
        return self._requests.garbage or self._answers.garbage

    def read(self, part: Part, data: bytes) -> list[Frame]:
        """Return what is whole now in that direction, in order.

        Garbage in one direction means that this is another protocol: from then on the bytes of
        both come back as they are. What the other one had kept back is in its `rest`.
        """
        if self.garbage is not None:
            return [Frame(self.rest(part) + data)]
        reader = self._requests if part == "request" else self._answers
        parse = _request if part == "request" else self._answer
        frames = [parse(whole) for whole in reader.feed(data)]
        if reader.garbage is not None:
            frames.append(Frame(reader.rest()))
        return frames

    def rest(self, part: Part) -> bytes:
        """Return, and forget, what a direction has of a frame that is not whole."""
        return (self._requests if part == "request" else self._answers).rest()

    def passed(self, request: Frame) -> None:
        """Expect an answer to this request: it is on its way to the node."""
        # Only what the answer needs: a Produce request of megabytes must not stay in memory.
        self._in_flight.append(Frame(b"", request.api_key, request.correlation_id))

    def _answer(self, whole: bytes) -> Frame:
        _, correlation_id = _ANSWER.unpack_from(whole)
        place = next(
            (at for at, one in enumerate(self._in_flight) if one.correlation_id == correlation_id),
            None,
        )
        if place is None:
            return Frame(whole, None, correlation_id)
        for _ in range(place):
            self._in_flight.popleft()
        return Frame(whole, self._in_flight.popleft().api_key, correlation_id)


def _request(whole: bytes) -> Frame:
    _, api_key, _, correlation_id = _REQUEST.unpack_from(whole)
    return Frame(whole, api_key, correlation_id)
