"""Reads what the kernel counts for each open TCP connection, in one call and with no package.

The source is Linux's `sock_diag(7)`; elsewhere, or where it is forbidden, nothing is known.
"""

import socket
import struct
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_ROOT | NLM_F_MATCH
_NLMSG_ERROR, _NLMSG_DONE = 2, 3
_INET_DIAG_INFO = 2
_ESTABLISHED = 1
_HEADER = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI48x")
_PORTS = struct.Struct(">HH")
_COOKIE = struct.Struct("=Q")
_ATTRIBUTE = struct.Struct("=HH")
_BYTES = struct.Struct("=QQ")
_PORTS_AT, _COOKIE_AT, _ATTRIBUTES_AT = 4, 44, 72
_BYTES_AT = 120  # tcpi_bytes_acked and tcpi_bytes_received, since Linux 4.1
_ANSWER_S = 1.0
_FAMILIES = (socket.AF_INET, socket.AF_INET6)
"""A server on every address of a container accepts IPv4 at a socket for both."""
_BUFFER_BYTES = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """One established connection, as the kernel sees this end of it."""

    identity: int
    """No other connection has it until the machine is started anew."""
    port: int
    """The local port."""
    received_bytes: int
    delivered_bytes: int
    """Sent, and acknowledged by the other end."""


def here() -> socket.socket:
    """Return a socket to ask the kernel about this process's network; OSError if there is none."""
    if not hasattr(socket, "AF_NETLINK"):
        raise OSError("this kernel does not tell about its sockets")
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG)


def established(
    ports: Collection[int], *, ask_at: Callable[[], socket.socket] = here
) -> tuple[Connection, ...] | None:
    """Return the established connections at those local ports; None if it cannot be known.

    The network is the one in which the socket that `ask_at` returns was made.
    """
    try:
        with ask_at() as sock:
            sock.settimeout(_ANSWER_S)
            seen: list[Connection] = []
            for family in _FAMILIES:
                sock.send(_request(family))
                seen += _wanted(sock, frozenset(ports))
            return tuple(seen)
    except OSError:
        return None


def _request(family: int) -> bytes:
    extensions = 1 << (_INET_DIAG_INFO - 1)
    body = _REQUEST.pack(family, socket.IPPROTO_TCP, extensions, 1 << _ESTABLISHED)
    return _HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + body


def _wanted(sock: socket.socket, ports: frozenset[int]) -> Iterator[Connection]:
    for message in _messages(sock):
        port = _PORTS.unpack_from(message, _PORTS_AT)[0]
        if port in ports and (counted := _bytes_of(message)) is not None:
            delivered, received = counted
            (identity,) = _COOKIE.unpack_from(message, _COOKIE_AT)
            yield Connection(
                identity=identity, port=port, received_bytes=received, delivered_bytes=delivered
            )


def _messages(sock: socket.socket) -> Iterator[memoryview]:
    """Yield each message of the dump without its header; OSError if the kernel refuses it."""
    while True:
        data = memoryview(sock.recv(_BUFFER_BYTES))
        at = 0
        while at < len(data):
            length, kind, *_ = _HEADER.unpack_from(data, at)
            if kind == _NLMSG_DONE:
                return
            if kind == _NLMSG_ERROR or length < _HEADER.size:
                raise OSError("the kernel does not tell about its sockets")
            yield data[at + _HEADER.size : at + length]
            at += _aligned(length)


def _bytes_of(message: memoryview) -> tuple[int, int] | None:
    """Return (acknowledged, received) out of the message's `tcp_info`."""
    at = _ATTRIBUTES_AT
    while at + _ATTRIBUTE.size <= len(message):
        length, kind = _ATTRIBUTE.unpack_from(message, at)
        if length < _ATTRIBUTE.size:
            return None
        end = _ATTRIBUTE.size + _BYTES_AT + _BYTES.size
        if kind == _INET_DIAG_INFO and length >= end:
            acked, received = _BYTES.unpack_from(message, at + _ATTRIBUTE.size + _BYTES_AT)
            return acked, received
        at += _aligned(length)
    return None


def _aligned(length: int) -> int:
    return (length + 3) & ~3
