"""When has everything that is still coming come? Exact questions to the pipeline's own tables.

Drained means: every committed message has its effect for every consumer; or the pipeline itself
says that it is through (all rows marked as sent, no consumer lag) and nothing has moved for a quiet
while. Otherwise the deadline ends the wait, and the drain is incomplete.
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
WITH sent AS MATERIALIZED (SELECT message_id::text AS id FROM ({sent}) AS q)
SELECT count(*) FROM ({intents}) AS q
WHERE NOT EXISTS (SELECT FROM sent WHERE sent.id = q.message_id::text)
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
        self._missing = _MISSING.format(
            intents=intents,
            effects=effects,
            topic="coalesce(topic::text, '')" if "topic" in has else "''",
            consumer="coalesce(consumer::text, '')" if "consumer" in marks else "''",
            committed="WHERE outcome = 'committed'" if "outcome" in has else "",
            expected=_declared(declared) if declared else _LEARNT,
            unread="0" if declared else _UNREAD,
        )
        sent = spec.queries.sent
        self._unsent = sent and _UNSENT.format(intents=intents, sent=embeddable(sent))

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
    deadline_s: float,
    quiet_s: float,
    tick: Callable[[], None],
    moved: Callable[[], object],
) -> Drained:
    """Wait until drained; `tick` keeps the roles supervised, `moved` changes as anything moves."""
    began, deadline = monotonic_s(), Deadline(deadline_s)
    last, since = moved(), monotonic_s()
    standing = ask()
    while not standing.whole():
        tick()
        if (now := moved()) != last:
            last, since = now, monotonic_s()
        quiet_for_s = monotonic_s() - since
        waited = monotonic_s() - began
        if quiet_for_s >= quiet_s and standing.claims_done():
            why = f"the pipeline says it is done and was quiet for {quiet_s:g} s, yet {standing}"
            return Drained(complete=True, waited_s=waited, why=why)
        if deadline.passed():
            return Drained(complete=False, waited_s=waited, why=f"the deadline passed: {standing}")
        sleep(POLL_S)
        standing = ask()
    why = "every committed message has its effect"
    return Drained(complete=True, waited_s=monotonic_s() - began, why=why)


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
