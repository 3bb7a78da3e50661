"""The flexible encoding of Kafka's newer requests: compact lengths and tagged fields (KIP-482).

It encodes and decodes bytes only, and knows no request; `kafka_wire.py` has the older encoding.
"""

import struct
from collections.abc import Callable, Iterable
from typing import TypeVar

from harness.errors import LabError

T = TypeVar("T")

CLIENT_ID = b"harness-audit"
NO_TAGS = b"\x00"
NULL = b"\x00"
_LONGEST_VARINT = 5


def framed(api_key: int, version: int, correlation_id: int, body: bytes) -> bytes:
    """Return a framed request with header version 2; `body` ends with its own tagged fields."""
    header = struct.pack(">hhih", api_key, version, correlation_id, len(CLIENT_ID))
    request = header + CLIENT_ID + NO_TAGS + body
    return struct.pack(">i", len(request)) + request


def varint(value: int) -> bytes:
    """Encode an unsigned number, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 0x7F:  # noqa: PLR2004  # the largest number that takes one byte
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def string(text: str | None) -> bytes:
    """Encode a compact string, or a null."""
    if text is None:
        return NULL
    data = text.encode()
    return varint(len(data) + 1) + data


def array(items: Iterable[bytes]) -> bytes:
    """Encode a compact array of encoded items."""
    listed = list(items)
    return varint(len(listed) + 1) + b"".join(listed)


class FlexibleReader:
    """Reads one answer's fields off, never past its end; LabError where it does not fit."""

    def __init__(self, data: bytes, *, correlation_id: int) -> None:
        """Read the header (version 1) of an answer without its length prefix."""
        self._data = data
        self._at = 0
        actual = self.int32()
        if actual != correlation_id:
            raise LabError(
                f"A Kafka answer is to request {actual}, not to request {correlation_id}"
            )
        self.tags()

    def int8(self) -> int:
        """Read one byte."""
        return self._unpack(">b")

    def int16(self) -> int:
        """Read two bytes."""
        return self._unpack(">h")

    def int32(self) -> int:
        """Read four bytes."""
        return self._unpack(">i")

    def int64(self) -> int:
        """Read eight bytes."""
        return self._unpack(">q")

    def nullable_string(self) -> str | None:
        """Read a compact string that may be null."""
        length = self.varint()
        if length == 0:
            return None
        try:
            return self._take(length - 1).decode()
        except UnicodeDecodeError as error:
            raise LabError(f"A Kafka answer holds a string that is no UTF-8: {error}") from error

    def string(self) -> str:
        """Read a compact string."""
        value = self.nullable_string()
        if value is None:
            raise LabError("A Kafka answer holds a null where a string must stand")
        return value

    def array(self, item: Callable[[], T]) -> list[T]:
        """Read a compact array; a null is an empty one."""
        count = max(0, self.varint() - 1)
        if count > len(self._data) - self._at:
            raise LabError(f"A Kafka answer claims {count} items, more than it has bytes left")
        return [item() for _ in range(count)]

    def tags(self) -> None:
        """Skip the tagged fields at the end of a structure."""
        for _ in range(self.varint()):
            self.varint()
            self._take(self.varint())

    def expect_end(self) -> None:
        """Refuse bytes behind the last field."""
        left = len(self._data) - self._at
        if left:
            raise LabError(f"A Kafka answer has {left} bytes more than its format")

    def varint(self) -> int:
        """Read an unsigned number of variable length."""
        value = 0
        for place in range(_LONGEST_VARINT):
            byte = self._take(1)[0]
            value |= (byte & 0x7F) << (7 * place)
            if not byte & 0x80:
                return value
        raise LabError("A Kafka answer holds a number that does not end")

    def _unpack(self, layout: str) -> int:
        return int(struct.unpack(layout, self._take(struct.calcsize(layout)))[0])

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise LabError(f"A Kafka answer of {len(self._data)} bytes ends in the middle")
        taken, self._at = self._data[self._at : end], end
        return taken
