"""When has everything that is still coming come? Exact questions to the pipeline's own tables.

Drained means: every committed message has its effect for every consumer, and no group has a record
left to read, because a redelivery that is still to come may be the second effect. Or the pipeline
itself says that it is through (all rows marked as sent, no lag) and nothing has moved for a quiet
while. Otherwise the wait ends when nothing has moved for `drain_s`, and the drain is incomplete.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.sql import Literal

from harness.clock import Deadline, monotonic_s, sleep
from harness.errors import LabError, PipelineError
from harness.pipeline.spec import Spec

POLL_S = 0.1
CAP = 5
"""A pipeline that moves without an end is given up after so many times `drain_s`."""

_MISSING = """
WITH intents AS MATERIALIZED (SELECT message_id::text AS id, {topic} AS topic
                              FROM ({intents}) AS q {committed}),
     effects AS MATERIALIZED (SELECT DISTINCT message_id::text AS id, {consumer} AS consumer
                              FROM ({effects}) AS q),
     expected AS MATERIALIZED ({expected}),
     lacking AS (SELECT intents.id FROM intents JOIN expected USING (topic)
                 WHERE NOT EXISTS (SELECT FROM effects WHERE effects.id = intents.id
                                   AND effects.consumer = expected.consumer))
SELECT (SELECT count(*) FROM intents), (SELECT count(*) FROM effects),
       (SELECT count(*) FROM lacking) + {unread}
"""
_LEARNT = "SELECT DISTINCT topic, consumer FROM effects JOIN intents USING (id)"
_UNREAD = "(SELECT count(*) FROM intents WHERE topic NOT IN (SELECT topic FROM expected))"
_UNSENT = """
WITH intents AS MATERIALIZED (SELECT message_id::text AS id, {topic} AS topic
                              FROM ({intents}) AS q {committed}),
     sent AS MATERIALIZED (SELECT message_id::text AS id FROM ({sent}) AS q),
     marked AS MATERIALIZED (SELECT DISTINCT topic FROM intents JOIN sent USING (id))
SELECT count(*) FROM intents
WHERE (topic IN (SELECT topic FROM marked) OR NOT EXISTS (SELECT FROM marked))
      AND NOT EXISTS (SELECT FROM sent WHERE sent.id = intents.id)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """How the wait ended."""

    complete: bool
    waited_s: float
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is still missing: messages without an effect, rows not marked as sent, consumer lag."""

    intents: int
    effects: int
    missing: int
    unsent: int | None
    lag: int | None

    def whole(self) -> bool:
        """Tell whether every committed message has every effect."""
        return self.effects > 0 and self.missing == 0

    def claims_done(self) -> bool:
        """Tell whether the pipeline's own book-keeping says that nothing is left to do.

        A pipeline that keeps no book of what it sent, or commits no offsets, claims nothing.
        """
        return self.unsent == 0 and self.lag == 0

    def __str__(self) -> str:
        unsent = "" if self.unsent is None else f", {self.unsent} not marked as sent"
        lag = "" if self.lag is None else f", consumer lag {self.lag}"
        return f"{self.missing} of {self.intents} messages lack an effect{unsent}{lag}"


class DrainQueries:
    """The two questions, phrased once from the pipeline's queries."""

    def __init__(
        self, spec: Spec, connection: psycopg.Connection, *, topics: Mapping[str, str]
    ) -> None:
        """`topics` maps logical to physical names: intents may say either."""
        self._connection = connection
        intents, effects = embeddable(spec.queries.intents), embeddable(spec.queries.effects)
        has, marks = _columns(connection, intents), _columns(connection, effects)
        declared = [
            (name, consumer)
            for consumer, logical in spec.consumers.items()
            for topic in logical
            for name in ((topic, topics[topic]) if "topic" in has else ("",))
        ]
        topic = "coalesce(topic::text, '')" if "topic" in has else "''"
        committed = "WHERE outcome = 'committed'" if "outcome" in has else ""
        self._missing = _MISSING.format(
            intents=intents,
            effects=effects,
            topic=topic,
            consumer="coalesce(consumer::text, '')" if "consumer" in marks else "''",
            committed=committed,
            expected=_declared(declared) if declared else _LEARNT,
            unread="0" if declared else _UNREAD,
        )
        sent = spec.queries.sent
        self._unsent = sent and _UNSENT.format(
            intents=intents, sent=embeddable(sent), topic=topic, committed=committed
        )

    def ask(self, lag: int | None) -> Standing:
        """Return where everything stands now."""
        row = self._connection.execute(self._missing).fetchone()
        intents, effects, missing = row or (0, 0, 0)
        unsent: int | None = None
        if self._unsent:
            found = self._connection.execute(self._unsent).fetchone()
            unsent = found[0] if found else 0
        return Standing(
            intents=intents,
            effects=effects,
            missing=missing,
            unsent=unsent,
            lag=lag,
        )


def drain(
    ask: Callable[[], Standing],
    *,
    drain_s: float,
    quiet_s: float,
    tick: Callable[[], None],
    moved: Callable[[], object],
) -> Drained:
    """Wait until drained; `tick` keeps the roles supervised, `moved` changes as anything moves."""
    began, cap = monotonic_s(), Deadline(drain_s * CAP)
    standing = ask()
    last, since = (moved(), standing), monotonic_s()
    while (ended := _ended(standing, monotonic_s() - since, drain_s, quiet_s)) is None:
        if cap.passed():
            ended = False, f"it still moved after {cap.seconds:g} s: {standing}"
            break
        tick()
        sleep(POLL_S)
        standing = ask()
        if (now := (moved(), standing)) != last:
            last, since = now, monotonic_s()
    complete, why = ended
    return Drained(complete=complete, waited_s=monotonic_s() - began, why=why)


def _ended(
    standing: Standing, still_s: float, drain_s: float, quiet_s: float
) -> tuple[bool, str] | None:
    """Return whether the drain is complete and why it is over, or None while it is not."""
    if standing.whole():
        if standing.lag == 0 or (standing.lag is None and still_s >= quiet_s):
            return True, "every committed message has its effect"
        if still_s >= drain_s:
            return True, f"every committed message has its effect; a lag of {standing.lag} stayed"
    elif still_s >= quiet_s and standing.claims_done():
        return True, f"the pipeline says it is done and was quiet for {quiet_s:g} s, yet {standing}"
    elif still_s >= drain_s:
        return False, f"nothing moved for {drain_s:g} s: {standing}"
    return None


def _declared(pairs: Iterable[tuple[str, str]]) -> str:
    """Return (topic, consumer) pairs as a table; quoted here, as queries may hold a bare `%`."""
    rows = ", ".join(f"({Literal(a).as_string()}, {Literal(b).as_string()})" for a, b in pairs)
    return f"SELECT DISTINCT * FROM (VALUES {rows}) AS declared (topic, consumer)"  # noqa: S608


@contextmanager
def questioned(spec: Spec, url: str) -> Iterator[psycopg.Connection]:
    """Connect to ask the pipeline's queries. PipelineError where a query fails.

    LabError where the database does not answer.
    """
    try:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            yield connection
    except psycopg.OperationalError as error:
        said = str(error).strip()
        raise LabError(f"The database did not answer during the drain: {said}") from error
    except psycopg.Error as error:
        raise PipelineError(
            f"{spec.path}: a query of [queries] fails: {str(error).strip()}",
            remedy="try each of them on a standing lab: `harness up`",
        ) from error


def embeddable(query: str) -> str:
    """Return a query that may stand in parentheses, whatever it ended with."""
    return query.strip().rstrip(";") + "\n"


def _columns(connection: psycopg.Connection, query: str) -> frozenset[str]:
    cursor = connection.execute(f"SELECT * FROM ({query}) AS q LIMIT 0")  # noqa: S608
    return frozenset(column.name for column in cursor.description or ())
