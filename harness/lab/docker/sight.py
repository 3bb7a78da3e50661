"""Looks into the network of the proxies' container: which connections are open, and their bytes.

Linux with the engine on this very machine shows it: as root by entering that network for as long as
it takes to make one socket (`setns(2)`; the socket stays there, the thread does not), which tells
bytes too; as anybody else by its table of connections in `/proc`. Where neither can be had (the
engine's machine is another, or a virtual one) a container beside the proxies reads the table.
"""

import ctypes
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from harness.lab.links import socket_diag

TABLES = ("tcp", "tcp6")
"""A server on every address of a container accepts IPv4 at a socket for both."""
_CLONE_NEWNET = 0x40000000
_ESTABLISHED = "01"
_FIELDS = 4


class NetworkSight:
    """What is seen of one container's network; `read_table` is the way that works everywhere."""

    def __init__(self, *, read_table: Callable[[], str]) -> None:
        self._read_table = read_table
        self._pid: int | None = None
        self._socket: socket.socket | None = None

    @property
    def is_here(self) -> bool:
        """Tell whether the container is a process of this machine."""
        return self._pid is not None

    def look_at(self, container_id: str, *, pid: int | None) -> None:
        """Look at a container, whose process id the engine says; one of elsewhere is no use."""
        self._pid = pid if pid is not None and _is_of(pid, container_id) else None
        if self._pid is not None and os.geteuid() == 0:
            with suppress(OSError):
                self._socket = _socket_in(self._pid)

    def ask_at(self) -> socket.socket:
        """Return a socket in that network, to ask the kernel; OSError where there is none."""
        if self._socket is None:
            raise OSError("that network cannot be entered")
        return self._socket.dup()

    def open_ports(self) -> Counter[int]:
        """Count the established connections by their local port."""
        if self._pid is not None:
            with suppress(OSError):
                return open_at("".join(_read(self._pid, table) for table in TABLES))
        return self.by_container()

    def by_container(self) -> Counter[int]:
        """Count them as a container beside the proxies sees them."""
        return open_at(self._read_table())

    def close(self) -> None:
        """Close the socket in that network."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _read(pid: int, table: str) -> str:
    return Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii")


def _is_of(pid: int, container_id: str) -> bool:
    """Tell whether a process of this machine is the container's, and not a namesake."""
    try:
        return container_id in Path(f"/proc/{pid}/cgroup").read_text(encoding="ascii")
    except OSError:
        return False


def _socket_in(pid: int) -> socket.socket:
    """Return a socket made in the network of a process; the thread that went there ends."""
    made: list[socket.socket | OSError] = []

    def go() -> None:
        try:
            with Path(f"/proc/{pid}/ns/net").open("rb") as network:
                if ctypes.CDLL(None, use_errno=True).setns(network.fileno(), _CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns")  # noqa: TRY301
            made.append(socket_diag.here())
        except OSError as error:
            made.append(error)

    thread = threading.Thread(target=go)
    thread.start()
    thread.join()
    (answer,) = made
    if isinstance(answer, OSError):
        raise answer
    return answer


def open_at(table: str) -> Counter[int]:
    """Count the established connections of the kernel's tables by their local port."""
    return Counter(_established(table))


def _established(table: str) -> Iterator[int]:
    """Yield the local port of each established connection of the kernel's tables."""
    for line in table.splitlines():
        fields = line.split()
        if len(fields) >= _FIELDS and fields[3] == _ESTABLISHED:
            yield int(fields[1].rpartition(":")[2], 16)
