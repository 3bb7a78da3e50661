"""The database ends sessions by their name, in the middle of a transaction and nowhere else."""

from types import SimpleNamespace
from typing import cast

import psycopg
import pytest

from harness.clock import wait_until
from harness.errors import LabError
from harness.faults import sessions
from harness.faults.driver import Surroundings
from harness.faults.resolve import FaultError
from harness.faults.sessions import EndTransactions

WORKER = (("worker", 0),)


def around(url: str, *, runs: bool = True) -> Surroundings:
    """Return as much of the surroundings as this driver asks: a worker that counts nothing."""
    nothing = SimpleNamespace(read=dict)
    supervisor = SimpleNamespace(
        pid=lambda _role, _instance: 7 if runs else None,
        counters=lambda _role, _instance: nothing,
    )
    return cast("Surroundings", SimpleNamespace(database_url=url, supervisor=supervisor))


def session(url: str, name: str, *, begin: bool) -> psycopg.Connection[tuple[object, ...]]:
    """Connect under a name; inside a transaction if that is asked for."""
    connection = psycopg.connect(url, application_name=name, autocommit=not begin)
    connection.execute("SELECT 1")
    return connection


def lives(connection: psycopg.Connection[tuple[object, ...]]) -> bool:
    """Tell whether the server still answers this session."""
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def test_only_the_named_session_inside_a_transaction_is_ended(empty_database: str) -> None:
    """Its idle sister and a stranger's transaction live on; it is healed once it is back."""
    hurt = session(empty_database, "worker-0", begin=True)
    idle = session(empty_database, "worker-0", begin=False)
    other = session(empty_database, "worker-1", begin=True)
    fault = EndTransactions(WORKER, around=around(empty_database))

    fault.apply()
    wait_until(fault.finished, deadline_s=9, describe="a session to be ended")
    fault.heal()

    assert [lives(each) for each in (hurt, idle, other)] == [False, True, True]
    assert fault.evidence().bit
    idle.close()
    wait_until(lambda: not fault.healed(), deadline_s=5, describe="the idle session to be gone")
    with session(empty_database, "worker-0", begin=False):
        assert fault.healed()
    other.close()


def test_what_no_process_asks_for_any_more_ends_by_itself(
    empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that broke off leaves no thread that ends the transactions of the next one."""
    monkeypatch.setattr(sessions, "LEASE_S", 0.2)
    fault = EndTransactions(WORKER, around=around(empty_database))
    fault.apply()

    def ended() -> bool:
        try:
            fault._watch.raise_failure()  # noqa: SLF001  # to pulse would renew the lease
        except LabError:
            return True
        return False

    wait_until(ended, deadline_s=10, describe="the search to end")
    fault.heal()


def test_a_process_that_does_not_run_has_no_transaction(empty_database: str) -> None:
    """The fault meets nobody, and says so."""
    with pytest.raises(FaultError, match="worker 0 was not running"):
        EndTransactions(WORKER, around=around(empty_database, runs=False)).apply()
