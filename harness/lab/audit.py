"""Asks nodes over their audit ports, all at once, and gives each the same short time to answer.

It moves bytes; what they mean is `kafka_wire.py`'s.
"""

import errno
import selectors
import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.clock import Deadline

_MAX_ANSWER_BYTES = 64 * 1024 * 1024
_PREFIX = struct.Struct(">i")


@dataclass(slots=True, kw_only=True)
class _Asking:
    """One node being asked: bytes still to send, bytes received so far."""

    node: int
    sock: socket.socket
    unsent: bytes
    received: bytearray = field(default_factory=bytearray)

    def answer(self) -> bytes | None:
        """Return the answer without its length prefix once it is whole."""
        if len(self.received) < _PREFIX.size:
            return None
        (length,) = _PREFIX.unpack_from(self.received)
        if not 0 <= length <= _MAX_ANSWER_BYTES:
            raise OSError(errno.EPROTO, f"an answer of {length} bytes")
        whole = len(self.received) >= _PREFIX.size + length
        return bytes(self.received[_PREFIX.size : _PREFIX.size + length]) if whole else None

    def step(self, events: int) -> None:
        """Move what can be moved without waiting; OSError when the connection is of no use."""
        if events & selectors.EVENT_WRITE:
            self.unsent = self.unsent[self.sock.send(self.unsent) :]
        if events & selectors.EVENT_READ:
            data = self.sock.recv(262_144)
            if not data:
                raise ConnectionResetError
            self.received += data


def ask_all(
    ports: Mapping[int, int], request: bytes, *, deadline_s: float = 0.5, enough: int | None = None
) -> dict[int, bytes]:
    """Send one framed request to 127.0.0.1 at each node's port; return whole answers by node.

    Nodes that refuse, hang up or stay silent for `deadline_s` are left out; nobody is waited for
    once there are `enough` answers.
    """
    wanted = len(ports) if enough is None else enough
    deadline = Deadline(deadline_s)
    answers: dict[int, bytes] = {}
    with selectors.DefaultSelector() as selector:
        open_now = _connect(ports, request, selector)
        try:
            while open_now and len(answers) < wanted and not deadline.passed():
                for key, events in selector.select(deadline.remaining_s()):
                    asking: _Asking = key.data
                    if _progress(asking, events, answers, selector):
                        selector.unregister(asking.sock)
                        asking.sock.close()
                        open_now.remove(asking)
        finally:
            for asking in open_now:
                asking.sock.close()
    return answers


def _connect(
    ports: Mapping[int, int], request: bytes, selector: selectors.BaseSelector
) -> list[_Asking]:
    asked = []
    for node, port in ports.items():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(0)
        code = sock.connect_ex(("127.0.0.1", port))
        if code not in (0, errno.EINPROGRESS):
            sock.close()
            continue
        asking = _Asking(node=node, sock=sock, unsent=request)
        selector.register(sock, selectors.EVENT_WRITE, asking)
        asked.append(asking)
    return asked


def _progress(
    asking: _Asking, events: int, answers: dict[int, bytes], selector: selectors.BaseSelector
) -> bool:
    """Return whether this node is done with, for good or for bad."""
    try:
        asking.step(events)
        answer = asking.answer()
    except OSError:
        return True
    if answer is not None:
        answers[asking.node] = answer
        return True
    if not asking.unsent:
        selector.modify(asking.sock, selectors.EVENT_READ, asking)
    return False


def refuses(ports: Iterable[int]) -> bool:
    """Tell whether no port of 127.0.0.1 accepts a connection."""
    for port in ports:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
            sock.settimeout(0.5)
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return False
    return True
