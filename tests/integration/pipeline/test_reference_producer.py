"""The reference producer against a real PostgreSQL: what a kill or a restart may not change."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from harness.clock import wait_until
from harness.pipeline.counters import Counters

Start = Callable[..., "Producer"]


class Producer:
    """A producer process with its probe files."""

    def __init__(self, folder: Path, database: str, **environment: str) -> None:
        self.counters = Counters(folder / "counters.bin")
        self.journal = folder / "journal.jsonl"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "harness.pipeline.reference.producer"],
            env=os.environ
            | {
                "DATABASE_URL": database,
                "HARNESS_JOURNAL": str(self.journal),
                "HARNESS_COUNTERS": str(self.counters.path),
                "WORKLOAD_RATE": "0",
                "WORKLOAD_KEYS": "4",
            }
            | environment,
        )

    def committed(self) -> int:
        """Return its counter."""
        return self.counters.read().get("committed", 0)

    def wait_for(self, committed: int) -> None:
        """Wait until that many messages were committed over all lives."""
        wait_until(
            lambda: self.committed() >= committed,
            deadline_s=10,
            describe=f"{committed} messages committed",
            last_seen=self.committed,
        )

    def stop(self) -> int:
        """End it as the harness does; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def ids(self, event: str) -> list[int]:
        """Return the ids that were journalled with one event."""
        lines = [json.loads(line) for line in self.journal.read_text().splitlines()]
        return [i for line in lines if line["event"] == event for i in line["ids"]]


@pytest.fixture
def start(tmp_path: Path, database: str) -> Iterator[Start]:
    """Start producers that are gone after the test."""
    started: list[Producer] = []

    def _start(**environment: str) -> Producer:
        started.append(Producer(tmp_path, database, **environment))
        return started[-1]

    yield _start
    for producer in started:
        producer.process.kill()
        producer.process.wait()
        producer.counters.close()


def _column(database: str, query: str) -> list[int]:
    with psycopg.connect(database) as connection:
        return [row[0] for row in connection.execute(query).fetchall()]


def test_every_committed_order_has_its_outbox_row(start: Start, database: str) -> None:
    """Orders, outbox rows, journal and counter all tell of the same messages."""
    producer = start()
    producer.wait_for(committed=200)

    assert producer.stop() == 0

    orders = _column(database, "SELECT id FROM orders ORDER BY id")
    assert orders == _column(database, "SELECT message_id FROM outbox ORDER BY message_id")
    assert orders == sorted(producer.ids("committed"))
    assert len(orders) == producer.committed()


def test_a_kill_inside_the_transaction_leaves_neither_row(start: Start, database: str) -> None:
    """What was inserted and not committed is in no table after SIGKILL."""
    producer = start(WORKLOAD_BATCH="3")
    producer.wait_for(committed=9)
    producer.counters.arm("in_transaction", passes=5)

    assert producer.process.wait(timeout=10) == -signal.SIGKILL

    torn = set(producer.ids("inserted")) - set(producer.ids("committed"))
    assert len(torn) == 3
    assert torn.isdisjoint(_column(database, "SELECT id FROM orders"))
    assert torn.isdisjoint(_column(database, "SELECT message_id FROM outbox"))


def test_sequences_continue_after_a_kill(start: Start, database: str) -> None:
    """Over two lives each key counts 1, 2, 3, … with no gap and no second of a kind."""
    first = start()
    first.wait_for(committed=50)
    first.counters.arm("after_commit")
    assert first.process.wait(timeout=10) == -signal.SIGKILL
    second = start()
    second.wait_for(committed=100)
    second.stop()

    gaps = "SELECT count(*)::int FROM orders GROUP BY key HAVING max(sequence) <> count(*)"
    assert _column(database, gaps) == []


def test_a_server_that_ends_its_sessions_is_survived(start: Start, database: str) -> None:
    """After pg_terminate_backend the producer reconnects and no key has a gap."""
    producer = start(WORKLOAD_RATE="500")
    producer.wait_for(committed=20)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    producer.wait_for(committed=producer.committed() + 100)

    assert producer.stop() == 0

    gaps = "SELECT count(*)::int FROM orders GROUP BY key HAVING max(sequence) <> count(*)"
    assert _column(database, gaps) == []
    assert set(producer.ids("committed")) <= set(_column(database, "SELECT id FROM orders"))


def test_two_transactions_at_a_time_write_in_the_order_of_ids_and_not_of_transactions(
    start: Start, database: str
) -> None:
    """What makes a relay by transaction id wrong, and one by message id right."""
    producer = start(PRODUCER_PUBLISH="two-at-a-time", WORKLOAD_KEYS="1")
    producer.wait_for(committed=20)
    assert producer.stop() == 0

    query = (
        "SELECT sequence::int FROM orders JOIN outbox ON message_id = id "
        "ORDER BY placed_by, message_id"
    )
    by_id = _column(database, "SELECT sequence::int FROM orders ORDER BY id")
    by_transaction = _column(database, query)
    assert by_id == sorted(by_id)
    assert by_transaction != sorted(by_transaction)


def test_an_outbox_row_that_is_written_afterwards_can_be_missing(
    start: Start, database: str
) -> None:
    """After a crash between the two transactions an order has no message, for ever."""
    producer = start(PRODUCER_PUBLISH="outbox-afterwards")
    producer.wait_for(committed=10)
    producer.counters.arm("after_commit", passes=20)
    assert producer.process.wait(timeout=10) == -signal.SIGKILL

    orphans = "SELECT id FROM orders WHERE id NOT IN (SELECT message_id FROM outbox)"
    assert len(_column(database, orphans)) == 1
