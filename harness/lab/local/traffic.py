"""Observes how links are used, from outside of the proxies' own word where that is possible.

Open connections are the operating system's answer; accepted ones are counted in Toxiproxy's log,
which has one JSON line for each. It changes nothing.
"""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import psutil

from harness.lab.local.layout import Layout
from harness.lab.protocol import Link, LinkTraffic

_ACCEPTED = b'"message":"Accepted client"'


class TrafficGauge:
    """Counts connections of every link of one lab."""

    def __init__(self, log: Path, *, layout: Layout, pid: Callable[[], int | None]) -> None:
        self._log = log
        self._layout = layout
        self._pid = pid
        self._offset = 0
        self._accepted: Counter[str] = Counter()
        self._own: set[int] = set()
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
        established = self._established()
        return {
            link: _traffic(accepted.get(str(link), 0), established.get(self._layout.proxy(link), 0))
            for link in wanted
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


def _traffic(accepted: int, established: int) -> LinkTraffic:
    """Take a connection that was accepted and is no longer open as terminated."""
    return LinkTraffic(
        established=established,
        accepted=max(accepted, established),
        terminated=max(0, accepted - established),
    )
