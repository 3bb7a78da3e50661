"""The business: places orders, each with its outbox row in one transaction, at a given rate.

It owns the sequence of its keys, and believes the tables, not its memory, after any trouble.
"""

import os

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
from harness.pipeline.reference.publisher import Row
from harness.pipeline.reference.publishing import PUBLISHING
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

    def insert(self, session: Session, statement: str, *, begun: bool = False) -> list[Row]:
        """Begin a transaction, unless that is done, and insert the next batch in it."""
        keys, sequences, payloads = [], [], []
        for _ in range(self.workload.batch):
            key = self.workload.keys[self._turn % len(self.workload.keys)]
            self._turn += 1
            self._sequences[key] += 1
            keys.append(key.encode())
            sequences.append(self._sequences[key])
            payloads.append(self.payloads.make(key, self._sequences[key]))
        columns = (texts(keys), bigints(sequences), byteas(payloads))
        query = (sql(statement), columns)
        found = session.rows(query) if begun else session.rows(BEGIN, query)
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


def main() -> None:
    """Run one producer process."""
    probe = Probe.from_environment()
    Orders(probe, Lifetime()).run()
    probe.journal("stop", pid=os.getpid())


if __name__ == "__main__":
    main()
