"""How a message leaves the business: by an outbox row, or in a way that only looks as good.

Owns the order of writes, sends and commits; what is placed is `orders.py`'s.
"""

import os
from collections.abc import Callable, Mapping
from typing import Protocol

from harness.pipeline.reference.database import (
    BEGIN,
    DatabaseTroubleError,
    Session,
    bigints,
    sql,
)
from harness.pipeline.reference.orders import Orders
from harness.pipeline.reference.publisher import Publisher


class Publishing(Protocol):
    """One way for a message to leave its business transaction."""

    def __call__(self, session: Session) -> None:
        """Place one batch."""

    def finish(self) -> None:
        """Do what a planned stop leaves time for."""


class IntoOutbox:
    """Safe: the message is a row of the same transaction; the relay does the rest."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def __call__(self, session: Session) -> None:
        """Place one batch."""
        rows = self._orders.insert(session, "insert_order")
        self._orders.commit(session, rows)

    def finish(self) -> None:
        """Nothing is left behind."""


class TwoAtATime:
    """Safe: of two transactions the one that begins first writes second, outbox rows and all."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._early: Session | None = None

    def __call__(self, session: Session) -> None:
        """Place two batches."""
        if self._early is None:
            self._early = Session.connect()
        try:
            self._early.exchange(BEGIN, (sql("take_transaction_id"), ()))
            self._orders.commit(session, self._orders.insert(session, "insert_order"))
            rows = self._orders.insert(self._early, "insert_order", begun=True)
            self._orders.commit(self._early, rows)
        except DatabaseTroubleError:
            self.finish()
            raise

    def finish(self) -> None:
        """Close the other session; what it had not committed is rolled back."""
        early, self._early = self._early, None
        if early is not None:
            early.close()


class OutboxAfterwards:
    """Unsafe: the outbox row is written when the order is committed, in another transaction."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders

    def __call__(self, session: Session) -> None:
        """Place one batch."""
        rows = self._orders.insert(session, "insert_order_only")
        self._orders.commit(session, rows)
        session.commit(BEGIN, (sql("insert_outbox"), (bigints([row[0] for row in rows]),)))

    def finish(self) -> None:
        """Nothing is left behind that a planned stop could save."""


class InsideTransaction:
    """Unsafe (dual write): sends, waits for the acknowledgement, and then commits. Or does not."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._publisher = Publisher(orders.probe, os.environ["TOPIC_ORDERS"])

    def __call__(self, session: Session) -> None:
        """Place one batch."""
        rows = self._orders.insert(session, "insert_order_only")
        self._publisher.send(rows)
        self._publisher.outcome()
        self._orders.commit(session, rows)

    def finish(self) -> None:
        """Nothing is left behind."""


class TwoTransactions:
    """Unsafe: a transaction of Kafka's around the database's. A crash parts their commits.

    Whoever reads uncommitted records hears of orders that were rolled back, too.
    """

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._publisher = Publisher(orders.probe, os.environ["TOPIC_ORDERS"], transactional=True)

    def __call__(self, session: Session) -> None:
        """Place one batch."""
        self._publisher.begin()
        try:
            rows = self._orders.insert(session, "insert_order_only")
            self._publisher.send(rows)
            self._publisher.outcome()
            self._orders.commit(session, rows)
        except DatabaseTroubleError:
            self._publisher.abort()
            raise
        self._publisher.commit()

    def finish(self) -> None:
        """Nothing is left behind."""


class AfterCommit:
    """Unsafe (dual write): commits, and then sends from memory. Or does not."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._publisher = Publisher(orders.probe, os.environ["TOPIC_ORDERS"])

    def __call__(self, session: Session) -> None:
        """Place one batch."""
        rows = self._orders.insert(session, "insert_order_only")
        self._orders.commit(session, rows)
        self._publisher.send(rows)
        self._publisher.serve()

    def finish(self) -> None:
        """Flush, so that a planned stop loses nothing."""
        self._publisher.outcome()


PUBLISHING: Mapping[str, Callable[[Orders], Publishing]] = {
    "outbox": IntoOutbox,
    "two-at-a-time": TwoAtATime,
    "outbox-afterwards": OutboxAfterwards,
    "in-transaction": InsideTransaction,
    "after-commit": AfterCommit,
    "two-transactions": TwoTransactions,
}
"""PRODUCER_PUBLISH: how a message leaves the business transaction."""
