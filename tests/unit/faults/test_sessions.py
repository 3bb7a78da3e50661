"""Only a session that was inside a transaction, and is gone since, counts as ended."""

from harness.faults.sessions import Roll

Row = tuple[object, ...]


def row(pid: int, *, told: bool, since: str = "09:00", state: str = "active") -> Row:
    """Return what the database says of one session."""
    return (pid, since, "consumer-0", state, told)


def test_a_session_counts_when_it_is_gone() -> None:
    """It was told to end in the middle of its transaction; until it is gone nothing is proven."""
    roll = Roll()
    roll.note([row(1, told=True, state="idle in transaction")])
    roll.note([row(1, told=True)])
    assert roll.ended() == {}

    roll.note([])

    assert list(roll.ended().values()) == ["idle in transaction"]


def test_a_process_id_that_is_used_again_is_another_session() -> None:
    """The old one is gone, the new one counts by itself."""
    roll = Roll()
    roll.note([row(1, told=True, since="09:00")])
    roll.note([row(1, told=False, since="09:01")])
    roll.note([])

    assert [session.since for session in roll.ended()] == ["09:00"]


def test_a_session_that_went_by_itself_is_no_evidence() -> None:
    """It was in no transaction when it was seen."""
    roll = Roll()
    roll.note([row(1, told=False)])
    roll.note([])

    assert roll.ended() == {}
    assert roll.seen == {"consumer-0"}
