"""A lean PostgreSQL session: statements go out together, each exchange has a deadline.

libpq's pipeline mode through psycopg's own wrapper, because one message per transaction is bound by
round trips, and because a client that waits for ever behind a dead link cannot recover.
"""

import os
import select
import struct
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Self

import psycopg
from psycopg import pq

BEGIN, COMMIT, ROLLBACK = ("BEGIN", ()), ("COMMIT", ()), ("ROLLBACK", ())
Statement = tuple[str, Sequence[bytes]]

_FOLDER = Path(__file__).parent / "sql"
_BIGINT, _BYTEA, _TEXT = 20, 17, 25
_FAILED = (pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED)


class DatabaseTroubleError(Exception):
    """The exchange did not succeed. What it would have changed is unknown if COMMIT was in it."""


@cache
def sql(name: str) -> str:
    """Return the named statement, from its own file."""
    return (_FOLDER / f"{name}.sql").read_text("utf-8")


def bigints(values: Sequence[int]) -> bytes:
    """Return a bigint[] in PostgreSQL's binary format."""
    return _array(_BIGINT, [struct.pack("!q", value) for value in values])


def byteas(values: Sequence[bytes]) -> bytes:
    """Return a bytea[] in PostgreSQL's binary format."""
    return _array(_BYTEA, values)


def texts(values: Sequence[bytes]) -> bytes:
    """Return a text[] of UTF-8 texts in PostgreSQL's binary format."""
    return _array(_TEXT, values)


def bigint(value: int) -> bytes:
    """Return a bigint in PostgreSQL's binary format."""
    return struct.pack("!q", value)


def _array(element: int, values: Sequence[bytes]) -> bytes:
    head = struct.pack("!iiiii", 1, 0, element, len(values), 1)
    return head + b"".join(struct.pack("!i", len(value)) + value for value in values)


def integer(value: bytes | None) -> int:
    """Read a bigint of a result."""
    return int.from_bytes(value or b"", "big", signed=True)


class Session:
    """One connection. After any error it is of no use: close it and connect again."""

    def __init__(self, connection: psycopg.Connection[object], *, timeout_s: float) -> None:
        self._connection = connection
        self._timeout_s = timeout_s
        self._pg = connection.pgconn
        self._pg.nonblocking = 1
        self._pg.enter_pipeline_mode()
        self._prepared: dict[str, bytes] = {}

    @classmethod
    def connect(cls, url: str | None = None) -> Self:
        """Connect to DATABASE_URL; DatabaseTroubleError if that is not possible now."""
        timeout_s = float(os.environ.get("DATABASE_TIMEOUT_S", "10"))
        try:
            connection = psycopg.Connection.connect(
                url or os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3
            )
        except psycopg.Error as error:
            raise DatabaseTroubleError(f"cannot connect: {error}") from error
        return cls(connection, timeout_s=timeout_s)

    def exchange(self, *statements: Statement) -> list[pq.abc.PGresult]:
        """Send all statements in one packet; return the result of each, or raise."""
        try:
            self._prepare([text for text, _ in statements if text not in self._prepared])
            for text, parameters in statements:
                self._pg.send_query_prepared(
                    self._prepared[text],
                    parameters,
                    param_formats=[pq.Format.BINARY] * len(parameters),
                    result_format=pq.Format.BINARY,
                )
            return self._receive()
        except psycopg.Error as error:
            raise DatabaseTroubleError(str(error).strip()) from error

    def rows(self, *statements: Statement) -> list[tuple[bytes, ...]]:
        """Return the rows of the last of the statements, as binary values."""
        result = self.exchange(*statements)[-1]
        columns = range(result.nfields)
        return [
            tuple(result.get_value(row, column) or b"" for column in columns)
            for row in range(result.ntuples)
        ]

    def commit(self, *before: Statement) -> None:
        """Commit, with last statements before it; raises unless the server said COMMIT."""
        done = self.exchange(*before, COMMIT)[-1].command_status
        if done != b"COMMIT":
            raise DatabaseTroubleError(f"the server answered COMMIT with {done!r}")

    def close(self) -> None:
        """End the connection; what was not committed is rolled back."""
        self._connection.close()

    def _prepare(self, new: Sequence[str]) -> None:
        for text in new:
            name = b"s%d" % len(self._prepared)
            self._pg.send_prepare(name, text.encode())
            self._prepared[text] = name
        if new:
            self._receive()

    def _receive(self) -> list[pq.abc.PGresult]:
        """Return one result per statement sent, up to the end of the packet."""
        end_s = time.monotonic() + self._timeout_s
        self._pg.pipeline_sync()
        results: list[pq.abc.PGresult] = []
        while True:
            unsent = self._pg.flush()
            while not self._pg.is_busy():
                result = self._pg.get_result()
                if result is not None and result.status == pq.ExecStatus.PIPELINE_SYNC:
                    return results
                if result is not None:
                    results.append(_checked(result))
                elif self._pg.status != pq.ConnStatus.OK:
                    raise DatabaseTroubleError("the connection was lost")
            self._wait(end_s, writing=bool(unsent))

    def _wait(self, end_s: float, *, writing: bool) -> None:
        socket = self._pg.socket
        left_s = max(0.0, end_s - time.monotonic())
        readable, writable, _ = select.select([socket], [socket] if writing else [], [], left_s)
        if not (readable or writable):
            raise DatabaseTroubleError(f"no answer within {self._timeout_s:g} s")
        if readable:
            self._pg.consume_input()


def _checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status in _FAILED:
        raise DatabaseTroubleError((result.error_message or b"aborted").decode().strip())
    return result
