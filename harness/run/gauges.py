"""How far the messages have come, as live figures for triggers and progress. Never a witness.

Counters that roles keep are exact and free. For pipelines that keep none, the ends of the topics
and the number of effects, sampled in the background, take their place.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import psycopg

from harness.background import Background
from harness.clock import monotonic_s
from harness.run.drain import embeddable

SAMPLE_S = 0.25
FRESH_S = 0.03


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


class Standstill:
    """Notices that the load has ended and nothing moves: what waits for messages waits in vain."""

    def __init__(
        self, tally: Callable[[], Tally], *, alive: Callable[[], bool], patience_s: float
    ) -> None:
        """`alive` tells of load that runs or comes back: what a fault took away has not ended."""
        self._tally = tally
        self._alive = alive
        self._patience_s = patience_s
        self._last = tally()
        self._since_s = monotonic_s()

    def lasted(self) -> bool:
        """Tell whether it has lasted for `patience_s`; call it often."""
        now = self._tally()
        if self._alive() or now != self._last:
            self._last, self._since_s = now, monotonic_s()
        return monotonic_s() - self._since_s > self._patience_s


class NeverPassed:
    """Notices that a storm waits for crash points alone, and that no role passes any of them."""

    def __init__(self, passes: Callable[[], tuple[int, ...] | None], *, patience_s: float) -> None:
        """Ask `passes` how often each of them was passed; None: something else is still to come."""
        self._passes = passes
        self._patience_s = patience_s
        self._last: tuple[int, ...] | None = None
        self._since_s = monotonic_s()

    def lasted(self) -> bool:
        """Tell whether it has lasted for `patience_s`; call it often."""
        now = self._passes()
        if now is None or now != self._last:
            self._last, self._since_s = now, monotonic_s()
        return monotonic_s() - self._since_s > self._patience_s


class Gauges:
    """Samples topic ends and effect counts in a thread; adds the roles' counters when asked."""

    def __init__(
        self,
        *,
        ends: Callable[[Iterable[tuple[str, int]]], Mapping[tuple[str, int], int]],
        partitions: Callable[[], Iterable[tuple[str, int]]],
        database_url: str,
        effects_query: str,
        counters: Callable[[], Iterable[Mapping[str, int]]],
    ) -> None:
        """`partitions` are the (topic, partition) there are now; `counters` yields each role's.

        `ends` is the cluster's: a client library would spin while a leader is dead.
        """
        self._read_ends = ends
        self._partitions = partitions
        self._database_url = database_url
        self._effects_query = f"SELECT count(*) FROM ({embeddable(effects_query)}) AS effects"  # noqa: S608
        self._counters = counters
        self._fresh: tuple[float, Tally] | None = None
        self._ends: dict[tuple[str, int], int] = {}
        self._effects = 0
        self._connection: psycopg.Connection | None = None
        self.background = Background("gauges", self._sample, period_s=SAMPLE_S)

    def start(self) -> None:
        """Begin to sample."""
        self.background.start()

    def stop(self) -> None:
        """Stop sampling; returns when the thread has ended."""
        self.background.stop()
        if self._connection is not None:
            self._connection.close()

    def tally(self) -> Tally:
        """Return the newest figures, at most `FRESH_S` old."""
        if self._fresh is None or monotonic_s() - self._fresh[0] > FRESH_S:
            self._fresh = monotonic_s(), self._add_up()
        return self._fresh[1]

    def _add_up(self) -> Tally:
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

    def _sample(self) -> None:
        # A partition without a leader has no answer: its last known end stands.
        self._ends |= self._read_ends(self._partitions())
        self._effects = self._count_effects()

    def _count_effects(self) -> int:
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._database_url, autocommit=True, connect_timeout=2
                )
            row = self._connection.execute(self._effects_query).fetchone()
        except psycopg.Error:
            # The database is down, which is a legal fault, or the tables are not there yet:
            # connect again next time. A query that is wrong is told when the witnesses are read.
            self._connection = None
            return self._effects
        return int(row[0]) if row else 0
