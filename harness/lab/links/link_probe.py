"""Asks what is behind a link through the link itself: the one word that is not the proxy's."""

import socket
import struct
from collections.abc import Callable, Mapping

from harness.clock import Deadline
from harness.lab import kafka_wire
from harness.lab.values import Link

ANSWER_S = 0.5
_CORRELATION = 1
_KAFKA_ANSWER = struct.Struct(">ii")
_SSL_REQUEST = struct.pack(">ii", 8, 80877103)  # PostgreSQL says in one byte whether it speaks TLS
_TALKS: Mapping[str, tuple[bytes, tuple[bytes, ...]]] = {
    "database": (_SSL_REQUEST, (b"S", b"N")),
    "redis": (b"PING\r\n", (b"+PON", b"-NOA")),  # it wants a password: so it serves
    "zookeeper": (b"isro", (b"rw",)),  # b"null" before it takes sessions
}
"""For each server that is no node: a request, and how its answer begins."""


def accepts(port: int, *, within_s: float, own: Callable[[int], None]) -> bool:
    """Tell whether somebody listens at 127.0.0.1:`port`; `own` is told the local port first."""
    with _bound(within_s, own) as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int, link: Link, *, own: Callable[[int], None]) -> bool:
    """Tell whether the link's target answers a request sent to 127.0.0.1:`port` in time."""
    if link.target in _TALKS:
        return speaks(port, link.target, own=own)
    question = kafka_wire.api_versions_request(_CORRELATION)
    answer = _ask(port, question, size=_KAFKA_ANSWER.size, own=own)
    whole = len(answer) == _KAFKA_ANSWER.size
    return whole and _KAFKA_ANSWER.unpack(answer)[1] == _CORRELATION


def speaks(port: int, server: str, *, own: Callable[[int], None] = lambda _: None) -> bool:
    """Tell whether the database or a lock service answers at 127.0.0.1:`port` in time."""
    question, good = _TALKS[server]
    return _ask(port, question, size=len(good[0]), own=own) in good


def _ask(port: int, question: bytes, *, size: int, own: Callable[[int], None]) -> bytes:
    """Return so many bytes of the answer, fewer if it ends before, none if none comes in time."""
    with _bound(ANSWER_S, own) as sock:
        try:
            sock.connect(("127.0.0.1", port))
            sock.sendall(question)
            return _read(sock, size)
        except OSError:
            return b""


def _read(sock: socket.socket, size: int) -> bytes:
    """Read so many bytes, or fewer if it ends before; TimeoutError when it takes too long."""
    deadline = Deadline(ANSWER_S)
    data = b""
    while len(data) < size:
        sock.settimeout(deadline.remaining_s() or 0.001)  # 0 would mean: do not wait at all
        part = sock.recv(size - len(data))
        if not part:
            break
        data += part
    return data


def _bound(within_s: float, own: Callable[[int], None]) -> socket.socket:
    """Return a socket whose port is known before it connects."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.settimeout(within_s)
    sock.bind(("127.0.0.1", 0))
    own(sock.getsockname()[1])
    return sock
