"""Journals whose writers died: lives, torn lines and holes."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from harness.ledger.journal import evidence_of, figures_of, read_journal


def lines(*events: dict[str, object]) -> bytes:
    """Return one life as its writer leaves it."""
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


def life(*names: str, at_us: int = 1) -> bytes:
    """Return a life that begins with `start` and goes on with these events."""
    events = [{"n": 1, "at_us": at_us, "event": "start", "pid": 7}]
    for n, name in enumerate(names, start=2):
        events.append({"n": n, "at_us": at_us + n, "event": name, "ids": [n]})
    return lines(*events)


TWO_LIVES = life("claimed", "sent") + b'{"n":4,"at_us":9,"ev' + b"\n" + life("claimed", "acked")


def test_a_torn_line_that_a_new_life_closes_is_no_hole() -> None:
    """The first life died in mid-line; the second begins with a newline."""
    journal = read_journal("relay-0", TWO_LIVES)
    assert (len(journal.events), journal.holes) == (6, ())


def test_a_gap_in_n_is_a_hole() -> None:
    """An event that was counted but is not there was lost."""
    text = lines(
        {"n": 1, "at_us": 1, "event": "start"},
        {"n": 3, "at_us": 2, "event": "sent", "ids": [1]},
    )
    assert read_journal("relay-0", text).holes == ("relay-0: line 2 has n=3 after n=1",)


def test_a_torn_line_amid_a_life_is_a_hole() -> None:
    """Nothing but a new life may follow a torn line."""
    whole = life("claimed", "sent", "acked").splitlines(keepends=True)
    text = b"".join([*whole[:2], whole[2][:9] + b"\n", whole[3]])
    assert read_journal("relay-0", text).holes == (
        "relay-0: line 3 is torn and no new life follows it",
    )


def test_a_journal_that_does_not_begin_with_a_life_is_a_hole() -> None:
    """The beginning of the file was lost."""
    text = b"".join(life("claimed", "sent").splitlines(keepends=True)[1:])
    assert read_journal("relay-0", text).holes == ("relay-0: line 1 has n=2 after n=0",)


def test_a_journal_cut_at_any_byte_neither_raises_nor_invents() -> None:
    """Whatever byte the file ends at, its events are the first ones of the whole file's."""
    whole = read_journal("relay-0", TWO_LIVES).events
    for end in range(len(TWO_LIVES) + 1):
        cut = read_journal("relay-0", TWO_LIVES[:end])
        assert cut.holes == ()
        assert cut.events == whole[: len(cut.events)]


@given(st.binary(max_size=60))
def test_any_bytes_can_be_read(garbage: bytes) -> None:
    """A reader of what a dead process left never raises."""
    journal = read_journal("relay-0", life("sent") + garbage)
    assert len(journal.events) >= 1


def test_acks_and_deliveries_become_evidence() -> None:
    """An acknowledgement keeps its place; -1 stands for one that was not given."""
    text = lines(
        {"n": 1, "at_us": 1, "event": "start"},
        {"n": 2, "at_us": 2, "event": "acked", "ids": [5, 6], "topic": "a", "partitions": [0, 1],
         "offsets": [3, -1]},
        {"n": 3, "at_us": 3, "event": "delivered", "ids": ["x"]},
    )  # fmt: skip
    evidence = evidence_of([read_journal("relay-0", text)])
    assert [(a.message_id, a.partition, a.offset) for a in evidence.acks] == [(5, 0, 3), (6, 1, -1)]
    assert (evidence.acks_journalled, evidence.delivered) == (True, frozenset({"x"}))


def test_a_producers_journal_alone_is_no_journal_of_acks() -> None:
    """Who only journals commits says nothing about acknowledgements."""
    assert not evidence_of([read_journal("producer-0", life("committed"))]).acks_journalled


def test_the_longest_gap_between_acks_is_a_figure() -> None:
    """Over all journals together, in milliseconds."""
    acks = [{"n": n, "at_us": at, "event": "acked", "ids": [n]}
            for n, at in ((2, 1000), (3, 3000), (4, 9500))]  # fmt: skip
    text = lines({"n": 1, "at_us": 1, "event": "start"}, *acks)
    assert figures_of([read_journal("relay-0", text)])["longest_ack_gap_ms"] == 6.5
