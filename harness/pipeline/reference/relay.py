"""The background worker of the outbox: claims rows, sends them, marks what was acknowledged.

A row stays claimed (locked) from its SELECT to its COMMIT, so several relays never send the same
row at a time; a row that was not acknowledged stays in the table and is sent again.
"""

import os
import time
from collections.abc import Callable, Mapping
from itertools import groupby
from operator import itemgetter

from harness.pipeline.probe import Probe
from harness.pipeline.reference.claiming import CLAIMING, Claiming
from harness.pipeline.reference.database import COMMIT, DatabaseTroubleError, Session
from harness.pipeline.reference.lifetime import Lifetime
from harness.pipeline.reference.publisher import Publisher, Row

BATCH = 1000
PACE_S = 0.05
"""From one claim to the next while less than a batch waits: prompt, and light on the brokers,
whose work goes by requests and not by messages."""
RENAMED = 10**12
"""What a new id is ahead of the old one: far beyond all that the database gave."""


class Relay:
    """One relay process: a session, a publisher, and the rows in its hands."""

    def __init__(self, probe: Probe, lifetime: Lifetime) -> None:
        self.probe = probe
        self.lifetime = lifetime
        marking = os.environ.get("RELAY_MARK", "after-ack")
        self.publisher = Publisher(
            probe, os.environ["TOPIC_ORDERS"], transactional=marking == "in-transaction"
        )
        self.work_s = int(os.environ.get("RELAY_WORK_MS", "0")) / 1000
        self.batch = int(os.environ.get("RELAY_BATCH", BATCH))
        self.flushes = os.environ.get("RELAY_FLUSH", "at-the-end") != "never"
        self.outbox: Claiming = CLAIMING[os.environ.get("RELAY_CLAIM", "locked")]()
        self.deliver = MARKING[marking]

    def run(self) -> None:
        """Work until the life is over, through any loss of the database."""
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
        if self.flushes:
            self.publisher.outcome()

    def _trouble(self, error: DatabaseTroubleError) -> None:
        self.probe.journal("error", error=str(error))
        self.lifetime.back_off()

    def _work(self, session: Session) -> None:
        self.outbox.begin(session)
        while not self.lifetime.over:
            began_s = time.monotonic()
            rows = self.claim(session)
            if rows:
                self.deliver(self, session, rows)
            else:
                session.exchange(COMMIT)
            self.lifetime.succeeded()
            if len(rows) < self.batch:
                self.lifetime.wait_until(began_s + PACE_S)

    def claim(self, session: Session) -> list[Row]:
        """Take the rows that are next in turn."""
        rows = self.outbox.claim(session, self.batch)
        if rows:
            self.probe.journal("claimed", ids=[row[0] for row in rows])
            self.probe.point("after_select")
        return rows

    def send(self, rows: list[Row]) -> None:
        """Hand the rows to the Kafka client."""
        self.publisher.send(rows)
        self.probe.journal("sent", ids=[row[0] for row in rows])
        self.probe.point("after_send")

    def mark(self, session: Session, ids: list[int]) -> None:
        """Mark rows as sent and commit, which releases the claim of all the others too."""
        self.probe.point("before_mark")
        session.commit(self.outbox.marks(ids))
        self.probe.journal("marked", ids=ids)
        self.probe.point("after_mark")


def mark_after_acknowledgement(relay: Relay, session: Session, rows: list[Row]) -> None:
    """Send, wait for every delivery report, and mark what the brokers acknowledged."""
    relay.send(rows)
    acked = relay.publisher.outcome()
    relay.mark(session, acked)
    if len(acked) < len(rows):
        relay.lifetime.back_off()


def mark_before_acknowledgement(relay: Relay, session: Session, rows: list[Row]) -> None:
    """Unsafe: mark what was handed to the client library, and let the reports come as they may."""
    relay.send(rows)
    relay.mark(session, [row[0] for row in rows])
    relay.publisher.serve()


def mark_despite_errors(relay: Relay, session: Session, rows: list[Row]) -> None:
    """Unsafe: wait for every report, and mark the failed ones as well: the error was logged."""
    relay.send(rows)
    relay.publisher.outcome()
    relay.mark(session, [row[0] for row in rows])


def mark_after_sending_again(relay: Relay, session: Session, rows: list[Row]) -> None:
    """Unsafe: what was not acknowledged is taken as not written, and sent under a new id."""
    relay.send(rows)
    left = rows
    while left and not relay.lifetime.over:
        acked = set(relay.publisher.outcome())
        left = [(row[0] + RENAMED, *row[1:]) for row in left if row[0] not in acked]
        relay.send(left)
    relay.mark(session, [row[0] for row in rows])


def mark_in_transaction(relay: Relay, session: Session, rows: list[Row]) -> None:
    """Send a batch, a key at a time, in a transaction of Kafka's, and commit that before the marks.

    As safe as after-ack, as long as the end of a transaction ends that one and no other.
    """
    relay.publisher.begin()
    acked: list[int] = []
    try:
        for _, group in groupby(sorted(rows, key=itemgetter(1)), key=itemgetter(1)):
            relay.send(list(group))
            acked += relay.publisher.outcome()
            relay.lifetime.wait(relay.work_s)
        session.exchange(relay.outbox.marks(acked))
    except DatabaseTroubleError:
        relay.publisher.abort()
        raise
    if len(acked) < len(rows):
        relay.publisher.abort()
        raise DatabaseTroubleError("given up: not every record of the batch was acknowledged")
    relay.publisher.commit()
    relay.mark(session, acked)


MARKING: Mapping[str, Callable[[Relay, Session, list[Row]], None]] = {
    "after-ack": mark_after_acknowledgement,
    "before-ack": mark_before_acknowledgement,
    "despite-errors": mark_despite_errors,
    "new-id": mark_after_sending_again,
    "in-transaction": mark_in_transaction,
}
"""RELAY_MARK: when a row is marked as sent."""


def main() -> None:
    """Run one relay process."""
    probe = Probe.from_environment()
    relay = Relay(probe, Lifetime())
    relay.run()
    probe.journal("stop", pid=os.getpid())
    if not relay.flushes:
        os._exit(0)  # Python would have the client library flush when it drops the client


if __name__ == "__main__":
    main()
