"""The business: places orders, each with its outbox row in one transaction, at a given rate.

It owns the sequence of its keys, and believes the tables, not its memory, after any trouble.
"""

import os
from collections.abc import Callable, Mapping
from typing import Protocol

from harness.pipeline.probe import Probe
from harness.pipeline.reference.database import (
    BEGIN,
    DatabaseTroubleError,
    Session,
    bigints,
    byteas,
    integer,
    sql,
    texts,
)
from harness.pipeline.reference.lifetime import Lifetime
from harness.pipeline.reference.publisher import Publisher, Row
from harness.pipeline.reference.workload import Pace, Payloads, Workload


class Orders:
    """One producer process."""

    def __init__(self, probe: Probe, lifetime: Lifetime) -> None:
        self.probe = probe
        self.lifetime = lifetime
        self.workload = Workload.from_environment()
        self.pace = Pace(rate_per_s=self.workload.rate_per_s, batch=self.workload.batch)
        self.payloads = Payloads(self.workload)
        self.place = PUBLISHING[os.environ.get("PRODUCER_PUBLISH", "outbox")](self)
        self._sequences: dict[str, int] = {}
        self._turn = 0
        self._unknown: list[int] = []

    def run(self) -> None:
        """Place orders until the life is over, through any loss of the database."""
        self.lifetime.wait(float(os.environ.get("PRODUCER_START_S", "0")))
        while not self.lifetime.over:
            try:
                session = Session.connect()
            except DatabaseTroubleError as error:
                self._trouble(error)
                continue
            try:
                self._work(session)
            except DatabaseTroubleError as error:
                self._trouble(error)
            finally:
                session.close()
        self.place.finish()

    def _trouble(self, error: DatabaseTroubleError) -> None:
        self.probe.journal("error", error=str(error))
        self.lifetime.back_off()

    def _work(self, session: Session) -> None:
        self._resolve(session)
        self._read_sequences(session)
        while not self.lifetime.over:
            self.place(session)
            self.lifetime.succeeded()
            self.lifetime.wait_until(self.pace.next_s())

    def _resolve(self, session: Session) -> None:
        """Ask the table what became of commits whose answer never came.

        An id that is not there proves nothing (its COMMIT may still be under way), so only what is
        there is journalled. Its sequence may be tried again: the unique key decides who was first.
        """
        if self._unknown:
            found = session.rows((sql("which_exist"), (bigints(self._unknown),)))
            self._unknown = []
            if found:
                self.committed([integer(message_id) for (message_id,) in found])

    def _read_sequences(self, session: Session) -> None:
        keys = texts([key.encode() for key in self.workload.keys])
        rows = session.rows((sql("last_sequences"), (keys,)))
        self._sequences = {key.decode(): integer(sequence) for key, sequence in rows}

    def insert(self, session: Session, statement: str) -> list[Row]:
        """Begin a transaction and insert the next batch in it; return its messages."""
        keys, sequences, payloads = [], [], []
        for _ in range(self.workload.batch):
            key = self.workload.keys[self._turn % len(self.workload.keys)]
            self._turn += 1
            self._sequences[key] += 1
            keys.append(key.encode())
            sequences.append(self._sequences[key])
            payloads.append(self.payloads.make(key, self._sequences[key]))
        columns = (texts(keys), bigints(sequences), byteas(payloads))
        found = session.rows(BEGIN, (sql(statement), columns))
        rows = [(integer(message_id), key, payload) for message_id, key, payload in found]
        self.probe.journal("inserted", ids=[row[0] for row in rows])
        return rows

    def commit(self, session: Session, rows: list[Row]) -> None:
        """Commit; when the answer does not come, say so and let the table decide later."""
        ids = [row[0] for row in rows]
        self.probe.point("in_transaction")
        try:
            session.commit()
        except DatabaseTroubleError:
            self._unknown = ids
            self.probe.journal("commit-unknown", ids=ids)
            raise
        self.committed(ids)
        self.probe.point("after_commit")

    def committed(self, ids: list[int]) -> None:
        """Count and journal messages that are certainly committed."""
        self.probe.count("committed", len(ids))
        self.probe.journal("committed", ids=ids)


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
    "outbox-afterwards": OutboxAfterwards,
    "in-transaction": InsideTransaction,
    "after-commit": AfterCommit,
    "two-transactions": TwoTransactions,
}
"""PRODUCER_PUBLISH: how a message leaves the business transaction."""


def main() -> None:
    """Run one producer process."""
    probe = Probe.from_environment()
    Orders(probe, Lifetime()).run()
    probe.journal("stop", pid=os.getpid())


if __name__ == "__main__":
    main()
