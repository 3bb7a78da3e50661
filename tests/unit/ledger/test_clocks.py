"""A life under a wrong clock is told in the run's own time, and no other life is moved."""

from harness.ledger.clocks import set_right
from harness.ledger.journal import Journal, JournalEvent, figures_of
from harness.ledger.timeline import Timeline

HOUR_US = 3_600_000_000


def _journal(name: str, *events: tuple[int, str, int]) -> Journal:
    return Journal(
        name=name,
        events=tuple(
            JournalEvent(journal=name, line=n, n=n, at_us=at, event=event, fields={"pid": pid})
            for n, (at, event, pid) in enumerate(events, 1)
        ),
        holes=(),
    )


def _timeline(*, role: str = "relay") -> Timeline:
    skewed = {"event": "fault", "fault": 0}
    life = {"event": "role", "role": "relay", "instance": 0, "state": "started"}
    resolved = {"role": role, "instance": 0, "by_s": 3600.0}
    return Timeline(
        present=True,
        scheduled=1,
        events=(
            life | {"pid": 1},
            skewed | {"state": "asked", "resolved": resolved},
            life | {"pid": 2},
            skewed | {"state": "held"},
            skewed | {"state": "healed", "bit": True},
            life | {"pid": 3},
        ),
    )


LIVES = (
    (10, "start", 1),
    (20, "acked", 0),
    (30 + HOUR_US, "start", 2),
    (40 + HOUR_US, "acked", 0),
    (50, "start", 3),
    (60, "acked", 0),
)


def test_the_life_that_began_under_the_fault_is_moved_back() -> None:
    """Its gap between two acknowledgements is what it was, not an hour."""
    moved = set_right([_journal("relay-0", *LIVES)], _timeline())

    assert [event.at_us for event in moved[0].events] == [10, 20, 30, 40, 50, 60]
    assert figures_of(moved)["longest_ack_gap_ms"] == 0.0


def test_journals_of_others_stay_as_they_are() -> None:
    """Another instance, and a run whose fault was aimed at another role."""
    other = _journal("relay-1", *LIVES)
    mine = _journal("relay-0", *LIVES)

    assert set_right([other], _timeline()) == (other,)
    assert set_right([mine], _timeline(role="producer")) == (mine,)
