"""How the relay takes rows from the outbox: the safe way, and those that look as good.

Owns which rows come next and what is remembered of the ones before; sending is the relay's.
"""

import os
from collections.abc import Callable, Collection, Mapping
from itertools import takewhile
from typing import Protocol

from harness.pipeline.reference.database import (
    BEGIN,
    Session,
    Statement,
    bigint,
    bigints,
    integer,
    sql,
)
from harness.pipeline.reference.publisher import Row


class Claiming(Protocol):
    """One way from rows in a table to rows in hand, and back to the book of what was sent."""

    def begin(self, session: Session) -> None:
        """Start on a new session: whatever was remembered is read again."""

    def claim(self, session: Session, batch: int) -> list[Row]:
        """Begin a transaction and return up to `batch` rows that are to be sent next."""

    def marks(self, ids: Collection[int]) -> Statement:
        """Return the statement that books these as sent; whatever else was claimed is not."""


class LockedRows:
    """Safe: each unsent row is locked until its fate is booked; other relays skip it."""

    query = "claim"
    booking = "mark"

    def begin(self, session: Session) -> None:
        """Remember nothing: the rows say everything."""

    def claim(self, session: Session, batch: int) -> list[Row]:
        """Return the oldest unsent rows, locked until the transaction ends."""
        return _rows(session, (sql(self.query), (bigint(batch),)))

    def marks(self, ids: Collection[int]) -> Statement:
        """Book them as sent."""
        return sql(self.booking), (bigints(list(ids)),)


class RowsInTurn(LockedRows):
    """Safe, and in order with a single relay: waits for rows that another one still holds."""

    query = "claim_in_turn"


class UnlockedRows(LockedRows):
    """Unsafe with two relays: both read the same rows, and both send them."""

    query = "claim_unlocked"


class RowsByTransaction(LockedRows):
    """Unsafe for the order of a key: a transaction that began first may write to it second."""

    query = "claim_by_transaction"


class DeletedRows(LockedRows):
    """Safe: what was sent is deleted in place of marked."""

    booking = "delete"


class LeasedRows:
    """Unsafe: rows are lent for a time, and whoever sleeps longer than that sends them as well."""

    def __init__(self) -> None:
        self._lease_ms = int(os.environ.get("RELAY_LEASE_MS", "1000"))

    def begin(self, session: Session) -> None:
        """Remember nothing: the rows say everything."""

    def claim(self, session: Session, batch: int) -> list[Row]:
        """Take rows that nobody has a lease on, and commit the lease."""
        rows = _rows(session, (sql("claim_by_lease"), (bigint(batch), bigint(self._lease_ms))))
        session.commit()
        return sorted(rows)

    def marks(self, ids: Collection[int]) -> Statement:
        """Mark them as sent, whoever may have the lease by now."""
        return sql("mark"), (bigints(list(ids)),)


class HighWaterMark:
    """Unsafe: asks for ids above the last one sent, as if ids were committed in order.

    A transaction that took a lower id and commits later is passed over for ever.
    """

    def __init__(self) -> None:
        self._last = 0
        self._claimed: list[int] = []

    def begin(self, session: Session) -> None:
        """Read how far the relay had come."""
        self._last = integer(session.rows((sql("read_position"), ()))[0][0])

    def claim(self, session: Session, batch: int) -> list[Row]:
        """Read the next rows by id."""
        rows = _rows(session, (sql("claim_above"), (bigint(batch), bigint(self._last))))
        self._claimed = [row[0] for row in rows]
        return rows

    def marks(self, ids: Collection[int]) -> Statement:
        """Move the mark forward to the last row before the first that is not among them."""
        self._last = self.reached(set(ids))
        return sql("move_position"), (bigint(self._last),)

    def reached(self, ids: set[int]) -> int:
        """Return the mark that these leave behind: what failed is asked for again."""
        done = takewhile(ids.__contains__, self._claimed)
        return max((self._last, *done))


def _rows(session: Session, query: Statement) -> list[Row]:
    found = session.rows(BEGIN, query)
    return [(integer(message_id), key, payload) for message_id, key, payload in found]


CLAIMING: Mapping[str, Callable[[], Claiming]] = {
    "locked": LockedRows,
    "in-turn": RowsInTurn,
    "delete": DeletedRows,
    "by-transaction": RowsByTransaction,
    "unlocked": UnlockedRows,
    "lease": LeasedRows,
    "high-water-mark": HighWaterMark,
}
"""RELAY_CLAIM: which rows are taken next."""
