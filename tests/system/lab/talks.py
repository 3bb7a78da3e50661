"""Conversations with a lab's servers through its links: what a link does, seen by who uses it."""

import socket
import struct
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal, Protocol, Self

import psycopg

from harness.clock import monotonic_s, wait_until
from harness.lab import kafka_wire
from harness.lab.local import LocalLab
from harness.lab.values import Link

PATIENCE_S = 0.4
AT_ONCE_S = 0.15
PATIENT_S = 10.0
_PREFIX = struct.Struct(">i")
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
        (length,) = _PREFIX.unpack(self._read(_PREFIX.size))
        assert _PREFIX.unpack_from(self._read(length)) == (7,)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _read(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = self._sock.recv(count - len(data))
            if not part:
                raise ConnectionError(f"it ended after {len(data)} of {count} bytes")
            data += part
        return data


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
