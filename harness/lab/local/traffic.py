"""Observes how links are used, from outside of the proxies' own word where that is possible.

Open connections and their bytes are the operating system's answer; accepted ones are counted in
Toxiproxy's log, which has one JSON line for each. It changes nothing.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from harness.lab.local import socket_diag
from harness.lab.local.layout import LINKS, Layout
from harness.lab.local.socket_diag import Connection
from harness.lab.values import Link, LinkTraffic

_ACCEPTED = b'"message":"Accepted client"'


class TrafficGauge:
    """Counts connections and bytes of every link of one lab."""

    def __init__(self, log: Path, *, layout: Layout, pid: Callable[[], int | None]) -> None:
        self._log = log
        self._port_of = {link: layout.proxy(link) for link in LINKS}
        self._ports = frozenset(self._port_of.values())
        self._pid = pid
        self._offset = 0
        self._accepted: Counter[str] = Counter()
        self._own: set[int] = set()
        self._bytes = _ByteCount()
        self._lock = threading.Lock()

    def ignore(self, local_port: int) -> None:
        """Do not count the next connection from this port: it is the harness's own probe."""
        with self._lock:
            self._own.add(local_port)

    def read(self, links: Iterable[Link]) -> dict[Link, LinkTraffic]:
        """Return what is seen on each link now."""
        wanted = tuple(links)
        with self._lock:
            self._follow_log()
            accepted = dict(self._accepted)
            seen = socket_diag.established(self._ports)
            if seen is not None:
                self._bytes.add(seen)
            known = None if seen is None else self._bytes.by_port()
        established = self._established() if seen is None else Counter(each.port for each in seen)
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
        if port in self._own:
            self._own.discard(port)
        else:
            self._accepted[event["name"]] += 1

    def _established(self) -> Counter[int]:
        """Count the proxy's open connections by the port that accepted them."""
        pid = self._pid()
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
