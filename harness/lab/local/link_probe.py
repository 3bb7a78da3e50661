"""Asks what is behind a link through the link itself: the one word that is not the proxy's."""

import socket
import struct
from collections.abc import Callable

from harness.clock import Deadline
from harness.lab import kafka_wire
from harness.schedule.network import Plane

ANSWER_S = 0.5
_CORRELATION = 1
_KAFKA_ANSWER = struct.Struct(">ii")
_SSL_REQUEST = struct.pack(">ii", 8, 80877103)  # PostgreSQL says in one byte whether it speaks TLS


def accepts(port: int, *, within_s: float, own: Callable[[int], None]) -> bool:
    """Tell whether somebody listens at 127.0.0.1:`port`; `own` is told the local port first."""
    with _bound(within_s, own) as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def answers(port: int, *, plane: Plane, own: Callable[[int], None]) -> bool:
    """Tell whether a server of that plane answers a request sent to 127.0.0.1:`port` in time."""
    question, size = (
        (_SSL_REQUEST, 1)
        if plane == "database"
        else (kafka_wire.api_versions_request(_CORRELATION), _KAFKA_ANSWER.size)
    )
    with _bound(ANSWER_S, own) as sock:
        try:
            sock.connect(("127.0.0.1", port))
            sock.sendall(question)
            answer = _read(sock, size)
        except OSError:
            return False
    if plane == "database":
        return answer in (b"S", b"N")
    return len(answer) == size and _KAFKA_ANSWER.unpack(answer)[1] == _CORRELATION


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
