"""A finding that rests on an acknowledgement shows it, and what stands in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.ledger.acknowledged import with_acks
from harness.ledger.evidence import Ack
from harness.ledger.findings import Finding, Hop, Kind

if TYPE_CHECKING:
    from .worlds import World


def lost(message: int) -> Finding:
    """Return the finding that a message was acknowledged and is not in the log."""
    return Finding(
        kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, message_id=message, sentence="", rows=()
    )


def ack(message: int, offset: int) -> Ack:
    """Return an ack on the physical topic of `a`, partition 0."""
    return Ack(message_id=message, topic="a-1f2e", partition=0, offset=offset)


def test_the_ack_and_the_record_that_replaced_it_are_shown(world: World) -> None:
    """Message 99 was acknowledged at offset 1, where message 2 stands now."""
    found = with_acks(
        (lost(99),), [ack(99, 1)], world.witnesses(batch_rows=2).log, names={"a-1f2e": "a"}
    )
    place = {"topic": "a", "partition": 0, "offset": 1}
    assert found[0].rows == (
        {"witness": "acknowledged", **place},
        {"witness": "stands there now", "message_id": 2, **place},
    )


def test_an_ack_without_an_offset_shows_its_partition_only(world: World) -> None:
    """acks=0: the broker named no offset, so nothing can be looked up."""
    found = with_acks((lost(99),), [ack(99, -1)], world.witnesses().log, names={})
    assert found[0].rows == ({"witness": "acknowledged", "topic": "a-1f2e", "partition": 0},)


def test_a_finding_that_rests_on_no_ack_stays_as_it_is(world: World) -> None:
    """Only what an acknowledgement explains is explained by one."""
    other = Finding(kind=Kind.PHANTOM, hop=Hop.LOG, message_id=99, sentence="", rows=())
    unacked = lost(98)
    assert with_acks((other, unacked), [ack(99, 1)], world.witnesses().log, names={}) == (
        other,
        unacked,
    )
