"""How far the messages have come, as live figures for triggers and progress. Never a witness.

Counters that roles keep are exact and free. For pipelines that keep none, the ends of the topics
and the number of effects, sampled in the background, take their place.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psycopg

from harness.run.drain import embeddable
from harness.run.offsets import OffsetReader

SAMPLE_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Messages so far: by the roles' own counters, or by topics and tables where there are none."""

    committed: int
    acked: int
    processed: int
    log: int
    effects: int

    def total(self) -> int:
        """Return a number that grows whenever anything moves."""
        return self.committed + self.acked + self.processed + self.log + self.effects


class Gauges:
    """Samples topic ends and effect counts in a thread; adds the roles' counters when asked."""

    def __init__(
        self,
        *,
        bootstrap: str,
        topics: Mapping[str, int],
        database_url: str,
        effects_query: str,
        counters: Callable[[], Iterable[Mapping[str, int]]],
    ) -> None:
        """`topics` maps physical names to partition counts; `counters` yields each role's."""
        self._offsets = OffsetReader(bootstrap)
        self._partitions = [
            (topic, number) for topic, count in topics.items() for number in range(count)
        ]
        self._database_url = database_url
        self._effects_query = f"SELECT count(*) FROM ({embeddable(effects_query)}) AS effects"  # noqa: S608
        self._counters = counters
        self._ends: dict[tuple[str, int], int] = {}
        self._effects = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gauges", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def stop(self) -> None:
        """Stop sampling; returns when the thread has ended."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def tally(self) -> Tally:
        """Return the newest figures."""
        sums: dict[str, int] = {}
        for counters in self._counters():
            for name, count in counters.items():
                sums[name] = sums.get(name, 0) + count
        log = sum(self._ends.values())
        return Tally(
            committed=sums.get("committed", 0),
            acked=sums.get("acked", 0) or log,
            processed=sums.get("processed", 0) or self._effects,
            log=log,
            effects=self._effects,
        )

    def _run(self) -> None:
        connection: psycopg.Connection | None = None
        while not self._stop.wait(SAMPLE_S):
            # A partition without a leader does not answer: its last known end stands.
            self._ends |= self._offsets.newest(self._partitions)
            connection = self._sample_effects(connection)
        if connection is not None:
            connection.close()

    def _sample_effects(self, connection: psycopg.Connection | None) -> psycopg.Connection | None:
        try:
            if connection is None:
                connection = psycopg.connect(self._database_url, autocommit=True, connect_timeout=2)
            row = connection.execute(self._effects_query).fetchone()
        except psycopg.Error:
            # The database is down, which is a legal fault, or the tables are not there yet:
            # connect again next time. A query that is wrong is told when the witnesses are read.
            return None
        self._effects = int(row[0]) if row else 0
        return connection
