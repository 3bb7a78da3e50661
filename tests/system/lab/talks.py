"""Conversations with a lab's servers through its links: what a link does, seen by who uses it."""

import socket
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, Protocol, Self
from urllib.parse import urlsplit

import psycopg

from harness.clock import monotonic_s, wait_until
from harness.lab import kafka_wire
from harness.lab.local import LocalLab
from harness.lab.values import Link

PATIENCE_S = 0.4
AT_ONCE_S = 0.15
PATIENT_S = 10.0
_PREFIX = struct.Struct(">i")
SPACE = "talks"
"""The space in a lock service where this is talked about."""
Outcome = Literal["at once", "late", "silent", "ended"]


class Talk(Protocol):
    """One open connection on which the same question can be asked again and again."""

    def ask(self) -> None:
        """Ask, and wait for the whole answer; an error if it ends."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class KafkaTalk:
    """ApiVersions, which every listener answers, a controller's too."""

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENT_S)

    def ask(self) -> None:
        """Ask once."""
        self._sock.sendall(kafka_wire.api_versions_request(7))
        (length,) = _PREFIX.unpack(read(self._sock, _PREFIX.size))
        assert _PREFIX.unpack_from(read(self._sock, length)) == (7,)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()


class DatabaseTalk:
    """A SELECT of half a kilobyte."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=int(PATIENT_S))

    def ask(self) -> None:
        """Ask once."""
        row = self._connection.execute("SELECT repeat('x', 500)").fetchone()
        assert row == ("x" * 500,)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()


class RedisTalk:
    """An ECHO of half a kilobyte, on one connection that is never made anew."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._sock = socket.create_connection(("127.0.0.1", place.port), timeout=PATIENT_S)
        try:
            self._exchange(f"AUTH {place.password}", b"+OK\r\n")
        except BaseException:
            self._sock.close()
            raise

    def ask(self) -> None:
        """Ask once."""
        self._exchange(f"ECHO {'x' * 500}", b"$500\r\n" + b"x" * 500 + b"\r\n")

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _exchange(self, command: str, expected: bytes) -> None:
        self._sock.sendall(f"{command}\r\n".encode())
        assert read(self._sock, len(expected)) == expected


class ZooKeeperTalk:
    """A session, and a question after a node with a long name, which is not there."""

    _OPENING = struct.pack(">iqiqi16sb", 0, 0, 20_000, 0, 16, bytes(16), 0)
    _EXISTS, _NO_NODE = 3, -101

    def __init__(self, port: int) -> None:
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENT_S)
        try:
            self._exchange(self._OPENING)
        except BaseException:
            self._sock.close()
            raise

    def ask(self) -> None:
        """Ask once."""
        path = b"/" + b"x" * 500
        head = struct.pack(">iii", 1, self._EXISTS, len(path))
        answer = self._exchange(head + path + b"\0")
        assert struct.unpack_from(">iqi", answer)[::2] == (1, self._NO_NODE)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _exchange(self, request: bytes) -> bytes:
        self._sock.sendall(_PREFIX.pack(len(request)) + request)
        (length,) = _PREFIX.unpack(read(self._sock, _PREFIX.size))
        return read(self._sock, length)


def read(sock: socket.socket, count: int) -> bytes:
    """Return so many bytes; ConnectionError if it ends before."""
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            raise ConnectionError(f"it ended after {len(data)} of {count} bytes")
        data += part
    return data


class Asked:
    """A question under way in a thread of its own, on an old connection or on a fresh one."""

    def __init__(
        self, pool: ThreadPoolExecutor, lab: LocalLab, link: Link, talk: Talk | None
    ) -> None:
        def ask() -> float:
            began = monotonic_s()
            asked = talk or open_talk(lab, link)
            try:
                asked.ask()
            finally:
                if talk is None:
                    asked.close()
            return monotonic_s() - began

        self._answer: Future[float] = pool.submit(ask)

    def outcome(self, *, within_s: float = PATIENCE_S) -> Outcome:
        """Wait so long, and say what came of it."""
        try:
            took_s = self._answer.result(timeout=within_s)
        except TimeoutError as error:
            # A talk's own time-out is an end; one of this wait is silence.
            return (
                "ended" if self._answer.done() and error is self._answer.exception() else "silent"
            )
        except (OSError, psycopg.Error):
            return "ended"
        return "late" if took_s > AT_ONCE_S else "at once"


class Asker:
    """Asks without waiting; closes what it opened."""

    def __init__(self, lab: LocalLab) -> None:
        self._lab = lab
        self._pool = ThreadPoolExecutor(max_workers=4)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown()

    def ask(self, link: Link, talk: Talk | None = None) -> Asked:
        """Ask on an open talk, or on a connection of its own."""
        return Asked(self._pool, self._lab, link, talk)


def open_talk(lab: LocalLab, link: Link) -> Talk:
    """Connect through a link."""
    if link.plane == "database":
        return DatabaseTalk(lab.database_url(int(link.source.removeprefix("slot")), "postgres"))
    if link.target == "redis":
        return RedisTalk(lab.lock_address(int(link.source.removeprefix("slot")), "redis", SPACE))
    if link.target == "zookeeper":
        return ZooKeeperTalk(lab.layout.proxy(link))
    return KafkaTalk(lab.layout.proxy(link))


def answers(lab: LocalLab, link: Link) -> bool:
    """Tell whether a fresh connection through the link is served in time."""
    with Asker(lab) as asker:
        asked = asker.ask(link)
        return asked.outcome(within_s=1.0) in ("at once", "late")


def await_at_once(lab: LocalLab, link: Link, talk: Talk | None = None) -> None:
    """Wait until a question is answered at once: on a busy machine not each one is."""
    with Asker(lab) as asker:
        wait_until(
            lambda: asker.ask(link, talk).outcome(within_s=PATIENT_S) == "at once",
            deadline_s=10,
            describe=f"an answer at once through {link}",
        )
