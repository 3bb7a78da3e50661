"""How relays claim rows, against a real PostgreSQL: who waits, who skips, who passes over."""

from collections.abc import Callable, Iterator

import psycopg
import pytest

from harness.pipeline.reference.claiming import (
    Claiming,
    DeletedRows,
    HighWaterMark,
    LeasedRows,
    LockedRows,
    UnlockedRows,
)
from harness.pipeline.reference.database import COMMIT, Session

Relay = Callable[[Claiming], "Hand"]


class Hand:
    """One relay's session, and its way of claiming."""

    def __init__(self, claiming: Claiming, session: Session) -> None:
        self._claiming, self._session = claiming, session
        claiming.begin(session)

    def claim(self) -> list[int]:
        """Return the ids of the rows that it takes."""
        return [row[0] for row in self._claiming.claim(self._session, 10)]

    def book(self, *ids: int) -> None:
        """Call them sent."""
        self._session.commit(self._claiming.marks(ids))

    def end(self) -> None:
        """End the transaction with nothing booked."""
        self._session.exchange(COMMIT)


@pytest.fixture
def relay(database: str) -> Iterator[Relay]:
    """Give relays sessions of their own."""
    sessions: list[Session] = []

    def _relay(claiming: Claiming) -> Hand:
        sessions.append(Session.connect(database))
        return Hand(claiming, sessions[-1])

    yield _relay
    for session in sessions:
        session.close()


def _place(connection: psycopg.Connection, message_id: int) -> None:
    connection.execute("INSERT INTO outbox VALUES (%s, 'k', 'p')", (message_id,))


@pytest.fixture
def three_rows(database: str) -> None:
    """Place three committed rows."""
    with psycopg.connect(database) as connection:
        for message_id in (1, 2, 3):
            _place(connection, message_id)


@pytest.mark.usefixtures("three_rows")
def test_locked_rows_are_skipped_by_another_relay(relay: Relay) -> None:
    """And come back when their holder books only some of them."""
    one, other = relay(LockedRows()), relay(LockedRows())
    assert (one.claim(), other.claim()) == ([1, 2, 3], [])
    other.end()
    one.book(1, 3)
    assert other.claim() == [2]


@pytest.mark.usefixtures("three_rows")
def test_unlocked_rows_are_taken_by_both_relays(relay: Relay) -> None:
    """That is the defect."""
    one, other = relay(UnlockedRows()), relay(UnlockedRows())
    assert (one.claim(), other.claim()) == ([1, 2, 3], [1, 2, 3])


@pytest.mark.usefixtures("three_rows")
def test_a_lease_in_force_is_respected(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other relay sees nothing to do."""
    monkeypatch.setenv("RELAY_LEASE_MS", "60000")
    one, other = relay(LeasedRows()), relay(LeasedRows())
    assert (one.claim(), other.claim()) == ([1, 2, 3], [])


@pytest.mark.usefixtures("three_rows")
def test_an_expired_lease_lends_a_row_to_two(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is the defect: the first one still has the rows in its hands."""
    monkeypatch.setenv("RELAY_LEASE_MS", "0")
    one, other = relay(LeasedRows()), relay(LeasedRows())
    assert (one.claim(), other.claim()) == ([1, 2, 3], [1, 2, 3])


@pytest.mark.usefixtures("three_rows")
def test_deleted_rows_leave_nothing(relay: Relay, database: str) -> None:
    """What was not acknowledged stays."""
    one = relay(DeletedRows())
    assert one.claim() == [1, 2, 3]
    one.book(1, 2)
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT message_id FROM outbox").fetchall() == [(3,)]


@pytest.mark.parametrize(
    ("claiming", "then"), [(LockedRows, [1]), (HighWaterMark, [])], ids=["locked", "mark"]
)
def test_a_lower_id_that_is_committed_later_is_passed_over_by_a_mark_only(
    relay: Relay, database: str, claiming: Callable[[], Claiming], then: list[int]
) -> None:
    """Two transactions at a time, and a relay that looks between their commits."""
    one = relay(claiming())
    with psycopg.connect(database) as late:
        _place(late, 1)
        with psycopg.connect(database) as early:
            _place(early, 2)
        assert one.claim() == [2]
        one.book(2)
    assert one.claim() == then


@pytest.mark.usefixtures("three_rows")
def test_a_new_life_goes_on_where_the_mark_stood(relay: Relay) -> None:
    """The position is in the table, and not in memory."""
    one = relay(HighWaterMark())
    assert one.claim() == [1, 2, 3]
    one.book(1, 2)
    assert relay(HighWaterMark()).claim() == [3]
