"""The relay's position: how far a high-water mark may go, and how far it goes all the same."""

import pytest

from harness.pipeline.reference.claiming import CLAIMING, HighWaterMark
from harness.pipeline.reference.database import bigint, sql
from harness.pipeline.reference.relay import MARKING


def _claimed(*ids: int, last: int = 0) -> HighWaterMark:
    mark = HighWaterMark()
    mark._last, mark._claimed = last, list(ids)  # noqa: SLF001  # as if read from the table
    return mark


@pytest.mark.parametrize(
    ("acked", "reached"),
    [({4, 5, 7}, 7), ({4, 5}, 5), ({5, 7}, 3), (set(), 3), ({4, 7}, 4)],
)
def test_the_mark_stops_before_the_first_row_that_failed(acked: set[int], reached: int) -> None:
    """What failed is asked for again, and with it everything behind it."""
    assert _claimed(4, 5, 7, last=3).reached(acked) == reached


def test_the_mark_never_goes_back() -> None:
    """A batch without an acknowledgement leaves it where it is."""
    assert _claimed(4, 5, last=9).reached(set()) == 9


def test_the_mark_is_what_is_booked() -> None:
    """One number for all rows up to it."""
    assert _claimed(4, 5, last=3).marks([5, 4]) == (sql("move_position"), (bigint(5),))


def test_every_way_to_claim_and_to_mark_has_a_word() -> None:
    """The words that variants use; the reference's own are among them."""
    assert {"locked", "in-turn", "delete", "high-water-mark"} <= CLAIMING.keys()
    assert {"after-ack", "before-ack", "in-transaction"} <= MARKING.keys()
