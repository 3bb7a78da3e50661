"""Sessions that the database ends in the middle of their transactions.

Roles reach the database through proxies, so that no address tells whose session it is. A role is
given a name for its sessions in PGAPPNAME, which libpq and most clients take over; a client that
names its sessions by itself is not found, and the fault then says that it did not bite.
"""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import psycopg

from harness.background import Background
from harness.clock import Deadline
from harness.errors import LabError
from harness.faults.driver import Evidence, Surroundings
from harness.faults.instances import Who, named, resolution, running

EVERY_S = 0.003
PATIENCE_S = 10.0
"""A role without a transaction for this long is not waited for any longer."""
LEASE_S = 15.0
"""The search ends by itself when a run that went wrong has forgotten it for so long."""
_STRIKE = """
SELECT pid, backend_start::text, application_name, state,
       CASE WHEN xact_start IS NOT NULL AND state IN ('active', 'idle in transaction')
            THEN pg_terminate_backend(pid) ELSE false END
FROM pg_stat_activity
WHERE datname = current_database() AND application_name = ANY(%s) AND pid <> pg_backend_pid()
"""
_STANDING = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND application_name = ANY(%s)
"""


def session_name(role: str, instance: int) -> str:
    """Return PGAPPNAME of one process: how its sessions are called in pg_stat_activity."""
    return f"{role}-{instance}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One session as the database names it; process ids alone are used again."""

    pid: int
    since: str
    name: str


class Roll:
    """Which sessions were told to end inside a transaction, and which of them are gone since."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        """The names under which any session was found."""
        self._told: dict[Session, str] = {}
        self._gone: set[Session] = set()
        self._lock = threading.Lock()

    def note(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Take the database's whole list: pid, since when, name, state, told to end."""
        with self._lock:
            found = set()
            for pid, since, name, state, told in rows:
                session = Session(pid=int(str(pid)), since=str(since), name=str(name))
                found.add(session)
                self.seen.add(session.name)
                if told:
                    self._told.setdefault(session, str(state))
            self._gone |= set(self._told) - found

    def ended(self) -> dict[Session, str]:
        """Return the sessions that are gone, with the state in which they were told to end."""
        with self._lock:
            return {session: self._told[session] for session in self._gone}


class EndTransactions:
    """Ends every session of some processes that is found inside a transaction, until healed."""

    def __init__(self, who: tuple[Who, ...], *, around: Surroundings) -> None:
        self.what = f"the database ends transactions of {named(who)}"
        self.resolved = resolution(who)
        self._who = {session_name(*one): one for one in who}
        self._around = around
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None
        self._roll = Roll()
        self._counted: dict[str, int] = {}
        self._patience, self._lease = Deadline(PATIENCE_S), Deadline(LEASE_S)
        self._watch = Background("end-transactions", self._strike, period_s=EVERY_S)

    def apply(self) -> None:
        """Begin to look for transactions; FaultError when none of the processes runs."""
        running(tuple(self._who.values()), self._around, due="loss of transactions")
        self._patience, self._lease = Deadline(PATIENCE_S), Deadline(LEASE_S)
        self._watch.start()

    def held(self) -> bool:
        """Answer yes: the database is searched from `apply` on."""
        return True

    def pulse(self) -> None:
        """Make sure that the search goes on."""
        self._lease = Deadline(LEASE_S)
        self._watch.raise_failure()

    def finished(self) -> bool:
        """Tell whether a session has been ended, or none will be."""
        return bool(self._roll.ended()) or self._patience.passed()

    def heal(self) -> None:
        """Stop looking."""
        self._watch.stop()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        self._counted = {name: self._count(name) for name in self._who}

    def healed(self) -> bool:
        """Tell whether every process that lost a session has one again, or has gone on since."""
        hurt = {session.name for session in self._roll.ended()}
        waiting = {name for name in hurt if self._count(name) == self._counted[name]}
        return not waiting or waiting <= self._standing()

    def evidence(self) -> Evidence:
        """Return how many sessions were ended inside a transaction, by the database's own list."""
        ended = self._roll.ended()
        said = [
            f"the database ended {count} sessions of {named((self._who[name],))} "
            "in the middle of a transaction"
            for name, count in sorted(Counter(session.name for session in ended).items())
        ]
        if ended:
            said.append(
                ", ".join(
                    f"{count} of them were {state}"
                    for state, count in Counter(ended.values()).items()
                )
            )
        else:
            never = ", ".join(sorted(set(self._who) - self._roll.seen))
            said.append(
                f"no session called {never} was ever seen: does its client heed PGAPPNAME?"
                if never
                else "no session of it was found inside a transaction"
            )
        return Evidence(bit=bool(ended), sentences=tuple(said))

    def _count(self, name: str) -> int:
        return sum(self._around.supervisor.counters(*self._who[name]).read().values())

    def _strike(self) -> None:
        if self._lease.passed():
            raise LabError("The run that wanted transactions to be ended does not ask any more")
        try:
            if self._connection is None:
                self._connection = psycopg.connect(
                    self._around.database_url, autocommit=True, connect_timeout=2
                )
            rows = self._connection.execute(_STRIKE, (list(self._who),)).fetchall()
        except psycopg.Error:
            self._connection = None  # the database is away, which is a legal fault
            return
        self._roll.note(rows)

    def _standing(self) -> set[str]:
        try:
            with psycopg.connect(self._around.database_url, connect_timeout=2) as connection:
                rows = connection.execute(_STANDING, (list(self._who),)).fetchall()
        except psycopg.Error:
            return set()
        return {str(name) for (name,) in rows}
