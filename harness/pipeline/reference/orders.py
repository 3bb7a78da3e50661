"""The orders of one producer: what the next ones are, their transaction, what became of it.

It owns the sequence of its keys, and believes the tables, not its memory, after any trouble.
"""

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
from harness.pipeline.reference.publisher import Row
from harness.pipeline.reference.workload import Payloads, Workload


class Orders:
    """Places what the workload asks for, batch by batch."""

    def __init__(self, probe: Probe, workload: Workload) -> None:
        self.probe = probe
        self._workload = workload
        self._payloads = Payloads(workload)
        self._sequences: dict[str, int] = {}
        self._turn = 0
        self._unknown: list[int] = []

    def recover(self, session: Session) -> None:
        """Learn from the tables what became of earlier transactions; before the first insert."""
        self._resolve(session)
        self._read_sequences(session)

    def insert(self, session: Session, statement: str, *, begun: bool = False) -> list[Row]:
        """Begin a transaction, unless that is done, and insert the next batch in it."""
        keys, sequences, payloads = [], [], []
        for _ in range(self._workload.batch):
            key = self._workload.keys[self._turn % len(self._workload.keys)]
            self._turn += 1
            self._sequences[key] += 1
            keys.append(key.encode())
            sequences.append(self._sequences[key])
            payloads.append(self._payloads.make(key, self._sequences[key]))
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
        self._committed(ids)
        self.probe.point("after_commit")

    def _committed(self, ids: list[int]) -> None:
        """Count and journal messages that are certainly committed."""
        self.probe.count("committed", len(ids))
        self.probe.journal("committed", ids=ids)

    def _resolve(self, session: Session) -> None:
        """Ask the table what became of commits whose answer never came.

        An id that is not there proves nothing (its COMMIT may still be under way), so only what is
        there is journalled. Its sequence may be tried again: the unique key decides who was first.
        """
        if self._unknown:
            found = session.rows((sql("which_exist"), (bigints(self._unknown),)))
            self._unknown = []
            if found:
                self._committed([integer(message_id) for (message_id,) in found])

    def _read_sequences(self, session: Session) -> None:
        keys = texts([key.encode() for key in self._workload.keys])
        rows = session.rows((sql("last_sequences"), (keys,)))
        self._sequences = {key.decode(): integer(sequence) for key, sequence in rows}
