"""The local message table: the record never reaches the broker, or nobody knows whether it did.

Safe: business row and outbox row in one transaction; a relay sends, and marks (or deletes) after
the report. Unsafe: marking before the acknowledgement, writing to database and Kafka one after the
other, a position in place of marks, two relays that do not know of each other.
"""

import pytest

from harness.scenario import (
    LabSession,
    claims,
    database,
    kill,
    leader,
    pause,
    pipeline,
    play_claim,
    producer,
    relay,
    restart,
    variant,
)


def test_a_relay_killed_between_send_and_mark_sends_again(lab: LabSession) -> None:
    """The record may be in the log, the row is unmarked: sent twice, in effect once."""
    fault = kill(relay(0)).at("after_send", passes=20).for_seconds(1)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_relay_killed_between_acknowledgement_and_mark_sends_again(lab: LabSession) -> None:
    """The record is in the log for certain, and the row is unmarked."""
    fault = kill(relay(0)).at("before_mark", passes=20).for_seconds(1)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


def test_a_producer_killed_inside_its_transaction_leaves_no_trace(lab: LabSession) -> None:
    """Neither the business row nor its message may exist."""
    fault = kill(producer(0)).at("in_transaction", passes=50).for_seconds(1)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_relay_that_sleeps_holding_its_rows_does_no_harm(lab: LabSession) -> None:
    """SIGSTOP the relay for three seconds, in whatever it was doing."""
    run = lab.run(pipeline("outbox"), pause(relay(0)).after(acked=300).for_seconds(3))
    run.assert_exactly_once()


def test_a_database_restarted_under_load_loses_nothing(lab: LabSession) -> None:
    """SIGKILL the database; crash recovery and every role's reconnection are part of it."""
    run = lab.run(pipeline("outbox"), restart(database()).after(acked=300))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_dead_leader_and_a_dead_relay_together_lose_nothing(lab: LabSession) -> None:
    """The relay dies while it waits for a leader that is not there."""
    run = lab.run(
        pipeline("outbox"),
        kill(leader("orders", 0)).after(acked=300).for_seconds(3),
        kill(relay(0)).after(acked=320).for_seconds(1),
    )
    run.assert_exactly_once()


@pytest.mark.unsafe
def test_marking_before_the_acknowledgement_is_caught(lab: LabSession) -> None:
    """The relay dies with records in its buffer whose rows are marked as sent."""
    fault = kill(relay(0)).at("after_mark", passes=20).for_seconds(1)
    lab.catch(variant("mark-before-ack"), fault)


@pytest.mark.unsafe
def test_sending_inside_the_transaction_is_caught(lab: LabSession) -> None:
    """The record is out, the transaction rolls back: a message about nothing."""
    fault = kill(producer(0)).at("in_transaction", passes=50).for_seconds(1)
    lab.catch(variant("dual-write-in-transaction"), fault)


@pytest.mark.unsafe
def test_sending_after_the_commit_is_caught(lab: LabSession) -> None:
    """The row is committed, and the process dies before it sends."""
    fault = kill(producer(0)).at("after_commit", passes=50).for_seconds(1)
    lab.catch(variant("dual-write-after-commit"), fault)


@pytest.mark.unsafe
def test_a_relay_by_high_water_mark_is_caught(lab: LabSession) -> None:
    """A producer sleeps with the lower id in its open transaction; the relay does not wait."""
    sleeper = pause(producer(0)).at("in_transaction", passes=50).for_seconds(1)
    lab.catch(variant("high-water-mark"), sleeper)


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    claims(
        "local message table",
        "local message table, delete variant",
        but=(
            "mark-before-ack",
            "dual-write-in-transaction",
            "dual-write-after-commit",
            "high-water-mark",
        ),
    ),
)
def test_every_other_claim_about_the_outbox_is_as_it_says(lab: LabSession, name: str) -> None:
    """Cursors, leases, new ids, missing locks and flushes; the delete variant holds."""
    play_claim(lab, name)
