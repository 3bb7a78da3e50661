"""When has everything that is still coming come? Exact questions to the pipeline's own tables.

Drained means: every message that is owed has its effect for every consumer (or was sent, where
nobody consumes its topic), no row is left that a relay may send again, and no group has a record
left to read, because a redelivery that is still to come may be the second effect. Or the pipeline
itself says that it is through (all rows marked as sent, no lag in a group for each consumer) and
nothing has moved for a quiet while. Otherwise the wait ends when nothing has moved for `drain_s`,
and the drain is incomplete.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from psycopg.sql import Literal

from harness.clock import Deadline, monotonic_s, sleep
from harness.errors import LabError, PipelineError
from harness.pipeline.spec import Spec
from harness.run.offsets import GroupOffset

POLL_S = 0.1
CAP = 5
"""A pipeline that moves without an end is given up after so many times `drain_s`."""

_OWED = "WHERE outcome::text = 'committed'"
_OWED_IF_IN_OUTBOX = """WHERE outcome::text = 'committed'
                        OR outcome::text = 'unknown' AND message_id::text IN
                        (SELECT message_id::text FROM ({outbox}) AS o)"""
# No table of a pipeline's own is called like these, or its queries would read ours.
_MISSING = """
WITH the_intents AS MATERIALIZED (SELECT message_id::text AS id, {topic} AS topic
                              FROM ({intents}) AS q {owed}),
     the_effects AS MATERIALIZED (SELECT DISTINCT message_id::text AS id, {consumer} AS consumer
                              FROM ({effects}) AS q),
     expected AS MATERIALIZED ({expected}),
     lacking AS (SELECT the_intents.id FROM the_intents JOIN expected USING (topic)
                 WHERE NOT EXISTS (SELECT FROM the_effects WHERE the_effects.id = the_intents.id
                                   AND the_effects.consumer = expected.consumer))
SELECT (SELECT count(*) FROM the_intents), (SELECT count(*) FROM the_effects),
       (SELECT count(*) FROM lacking) + {unread},
       ARRAY(SELECT DISTINCT ARRAY[topic, consumer] FROM expected
             WHERE EXISTS (SELECT FROM the_intents WHERE the_intents.topic = expected.topic))
"""
_LEARNT = "SELECT DISTINCT topic, consumer FROM the_effects JOIN the_intents USING (id)"
_UNREAD = "(SELECT count(*) FROM the_intents WHERE topic NOT IN (SELECT topic FROM expected))"
_UNSENT = """
WITH the_intents AS MATERIALIZED (SELECT message_id::text AS id, {topic} AS topic
                              FROM ({intents}) AS q {owed}),
     the_sent AS MATERIALIZED (SELECT message_id::text AS id FROM ({sent}) AS q),
     marked AS MATERIALIZED (SELECT DISTINCT topic FROM the_intents JOIN the_sent USING (id)),
     expected AS MATERIALIZED ({expected})
SELECT count(*), count(*) FILTER (WHERE topic NOT IN (SELECT topic FROM expected)) FROM the_intents
WHERE (topic IN (SELECT topic FROM marked) OR NOT EXISTS (SELECT FROM marked))
      AND NOT EXISTS (SELECT FROM the_sent WHERE the_sent.id = the_intents.id)
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
    covered: bool = True
    """Whether as many groups committed offsets on each topic as consumers read it."""

    def whole(self) -> bool:
        """Tell whether every message that is owed has every effect."""
        return self.effects > 0 and self.missing == 0

    def may_be_sent_again(self) -> bool:
        """Tell whether rows are left that a relay has yet to mark, and may send once more for it.

        Where no row at all is marked, no book is kept.
        """
        return self.unsent not in (None, 0, self.intents)

    def claims_done(self) -> bool:
        """Tell whether the pipeline's own book-keeping says that nothing is left to do.

        A pipeline that keeps no book of what it sent, or commits no offsets, claims nothing; and
        neither does one of whose consumers one may keep its offsets elsewhere, and be behind.
        """
        return self.unsent == 0 and self.lag == 0 and self.covered

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
            # An intent that names no topic is owed to every consumer.
            for name in ("", *((topic, topics[topic]) if "topic" in has else ()))
        ]
        topic = "coalesce(topic::text, '')" if "topic" in has else "''"
        owed = _owed(spec) if "outcome" in has else ""
        expected = _declared(declared) if declared else _LEARNT
        self._missing = _MISSING.format(
            intents=intents,
            effects=effects,
            topic=topic,
            consumer="coalesce(consumer::text, '')" if "consumer" in marks else "''",
            owed=owed,
            expected=expected,
            unread="0" if declared else _UNREAD,
        )
        sent = spec.queries.sent
        self._unsent = sent and _UNSENT.format(
            intents=intents,
            sent=embeddable(sent),
            topic=topic,
            owed=owed,
            # Where consumers are learnt, what nobody is seen to consume is missing already.
            expected=expected if declared else "SELECT topic FROM the_intents",
        )
        self._physical = topics

    def ask(self, lag: int | None, groups: Iterable[GroupOffset]) -> Standing:
        """Return where everything stands now; `groups` are the offsets that were committed."""
        row = self._connection.execute(self._missing).fetchone()
        intents, effects, missing, readers = row or (0, 0, 0, [])
        unsent: int | None = None
        if self._unsent:
            found = self._connection.execute(self._unsent).fetchone()
            unsent, unconsumed = found or (0, 0)
            missing += unconsumed  # all that is asked of them is that they are sent
        return Standing(
            intents=intents,
            effects=effects,
            missing=missing,
            unsent=unsent,
            lag=lag,
            covered=self._covered(readers, groups),
        )

    def _covered(self, readers: Iterable[Sequence[str]], groups: Iterable[GroupOffset]) -> bool:
        consumers: dict[str, set[str]] = {}
        for topic, consumer in readers:
            consumers.setdefault(self._physical.get(topic, topic), set()).add(consumer)
        committing: dict[str, set[str]] = {}
        for at in groups:
            if at.committed >= 0:
                committing.setdefault(at.topic, set()).add(at.group)
                committing.setdefault("", set()).add(at.group)  # where intents name no topic
        return all(
            len(names) <= len(committing.get(topic, ())) for topic, names in consumers.items()
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
        read = standing.lag == 0 or (standing.lag is None and still_s >= quiet_s)
        if read and not standing.may_be_sent_again():
            return True, "every committed message has its effect"
        if still_s >= drain_s:
            return True, f"every committed message has its effect; {_what_stayed(standing)} stayed"
    elif still_s >= quiet_s and standing.claims_done():
        return True, f"the pipeline says it is done and was quiet for {quiet_s:g} s, yet {standing}"
    elif still_s >= drain_s:
        return False, f"nothing moved for {drain_s:g} s: {standing}"
    return None


def _what_stayed(standing: Standing) -> str:
    known = "an unknown lag" if standing.lag is None else f"a lag of {standing.lag}"
    lag = "" if standing.lag == 0 else known
    unsent = f"{standing.unsent} row(s) without a mark" if standing.may_be_sent_again() else ""
    return " and ".join(filter(None, (lag, unsent)))


def _owed(spec: Spec) -> str:
    """Return which intents are owed: of those with an unknown outcome, what is in the outbox."""
    outbox = spec.queries.outbox
    return _OWED_IF_IN_OUTBOX.format(outbox=embeddable(outbox)) if outbox else _OWED


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
