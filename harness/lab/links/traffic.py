"""Observes how links are used, from outside of the proxies' own word where that is possible.

Open connections and their bytes are the operating system's answer; accepted ones are counted in
Toxiproxy's log, which has one JSON line for each. It changes nothing.
"""

import json
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol

import psutil

from harness.lab.layout import LINKS, Layout
from harness.lab.links import socket_diag
from harness.lab.links.socket_diag import Connection
from harness.lab.values import Link, LinkTraffic

_ACCEPTED = b'"message":"Accepted client"'


class OwnProbes(Protocol):
    """Tells the harness's own connections from those of others."""

    def add(self, link: Link, local_port: int, /) -> None:
        """Take in that a probe is about to connect."""
        ...

    def took(self, proxy: str, local_port: int, /) -> bool:
        """Tell whether an accepted connection was a probe, once for each."""
        ...


class OwnByPort:
    """Knows the harness's own probes by the ports that they come from."""

    def __init__(self) -> None:
        self._ports: set[int] = set()

    def add(self, _link: Link, local_port: int) -> None:
        """Take in that a probe is about to connect."""
        self._ports.add(local_port)

    def took(self, _proxy: str, local_port: int) -> bool:
        """Tell whether an accepted connection was a probe, once for each."""
        if local_port not in self._ports:
            return False
        self._ports.discard(local_port)
        return True


class TrafficGauge:
    """Counts connections and bytes of every link of one lab.

    `ask_at` makes a socket in the network of the proxies; where the kernel tells nothing there,
    `open_ports` counts their open connections by the port that accepted them.
    """

    def __init__(
        self,
        log: Path,
        *,
        layout: Layout,
        open_ports: Callable[[], Mapping[int, int]],
        ask_at: Callable[[], socket.socket] = socket_diag.here,
        own: OwnProbes | None = None,
    ) -> None:
        self._log = log
        self._port_of = {link: layout.proxy(link) for link in LINKS}
        self._ports = frozenset(self._port_of.values())
        self._open_ports = open_ports
        self._ask_at = ask_at
        self._offset = 0
        self._accepted: Counter[str] = Counter()
        self._own = OwnByPort() if own is None else own
        self._bytes = _ByteCount()
        self._lock = threading.Lock()

    def ignore(self, link: Link, local_port: int) -> None:
        """Do not count the next connection from this port: it is the harness's own probe."""
        with self._lock:
            self._own.add(link, local_port)

    def read(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Return what is seen on each link now."""
        wanted = tuple(links)
        with self._lock:
            self._follow_log()
            accepted = dict(self._accepted)
            seen = socket_diag.established(self._ports, ask_at=self._ask_at)
            if seen is not None:
                self._bytes.add(seen)
            known = None if seen is None else self._bytes.by_port()
        established: Mapping[int, int] = (
            self._open_ports() if seen is None else Counter(each.port for each in seen)
        )
        return {
            link: _traffic(
                accepted.get(str(link), 0),
                established.get(port, 0),
                (None, None) if known is None else known.get(port, (0, 0)),
            )
            for link in wanted
            for port in (self._port_of[link],)
        }

    def _follow_log(self) -> None:
        """Count the lines written since the last time; a line being written waits for its end."""
        with self._log.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            if _ACCEPTED in line:
                self._count(json.loads(line))

    def _count(self, event: dict[str, str]) -> None:
        port = int(event["client"].rpartition(":")[2])
        if not self._own.took(event["name"], port):
            self._accepted[event["name"]] += 1


def open_ports_of(pid: int | None) -> Counter[int]:
    """Count the open connections of a process by the port that accepted them."""
    if pid is None:
        return Counter()
    try:
        connections = psutil.Process(pid).net_connections("tcp4")
    except psutil.NoSuchProcess:
        return Counter()
    return Counter(
        connection.laddr.port
        for connection in connections
        if connection.status == psutil.CONN_ESTABLISHED
    )


class _ByteCount:
    """Adds up bytes by port, those of ended connections as they were last seen."""

    def __init__(self) -> None:
        self._open: dict[int, Connection] = {}
        self._ended: dict[int, tuple[int, int]] = {}

    def add(self, seen: Iterable[Connection]) -> None:
        """Take in every connection that is open now."""
        now = {each.identity: each for each in seen}
        for gone in self._open.keys() - now.keys():
            _add(self._ended, self._open[gone])
        self._open = now

    def by_port(self) -> dict[int, tuple[int, int]]:
        """Return (asked, answered) bytes by the port of the proxy; they never go down."""
        total = dict(self._ended)
        for each in self._open.values():
            _add(total, each)
        return total


def _add(total: dict[int, tuple[int, int]], connection: Connection) -> None:
    asked, answered = total.get(connection.port, (0, 0))
    total[connection.port] = (
        asked + connection.received_bytes,
        answered + connection.delivered_bytes,
    )


def _traffic(
    accepted: int, established: int, carried: tuple[int, int] | tuple[None, None]
) -> LinkTraffic:
    """Take a connection that was accepted and is no longer open as terminated."""
    asked_bytes, answered_bytes = carried
    return LinkTraffic(
        established=established,
        accepted=max(accepted, established),
        terminated=max(0, accepted - established),
        asked_bytes=asked_bytes,
        answered_bytes=answered_bytes,
    )
