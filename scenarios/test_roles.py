"""Processes that come and go: deaths in turns, more and fewer of them, sleepers, wrong clocks.

Safe: effects and dedup rows in one transaction, marks after the acknowledgement, order by the
database and never by a clock.
"""

import pytest

from harness.scenario import (
    LabSession,
    consumer,
    every,
    pause,
    pipeline,
    producer,
    relay,
    restart_storm,
    scale,
    skew,
    stop,
    terminate,
)

HOURS_S = 3600.0


@pytest.mark.thorough
def test_a_consumer_group_that_never_settles_does_nothing_twice(lab: LabSession) -> None:
    """Its members die in turns, so that partitions change hands with batches in flight."""
    storm = restart_storm(every("consumer"), every_s=1.5).after(processed=300).for_seconds(6)
    lab.run(pipeline("outbox"), storm).assert_exactly_once()


@pytest.mark.thorough
def test_a_consumer_group_grows_and_shrinks_under_load(lab: LabSession) -> None:
    """A third consumer joins and leaves again; then only one is left for a while."""
    run = lab.run(
        pipeline("outbox"),
        scale("consumer", to=3).after(processed=300).for_seconds(2.5),
        scale("consumer", to=1).when(0, "verified").for_seconds(1.5),
    )
    run.assert_exactly_once()


def test_a_consumer_that_sleeps_inside_its_transaction_does_nothing_twice(lab: LabSession) -> None:
    """It stops past its session with the effects made and not committed; another takes over."""
    zombie = pause(consumer(0)).at("in_transaction", passes=20).for_seconds(5)
    lab.run(pipeline("outbox"), zombie).assert_exactly_once()


@pytest.mark.thorough
def test_a_relay_that_sleeps_between_acknowledgement_and_mark_loses_nothing(
    lab: LabSession,
) -> None:
    """It wakes up holding rows that are in the log already, and marks them after all."""
    zombie = pause(relay()).at("before_mark", passes=20).for_seconds(3)
    lab.run(pipeline("outbox"), zombie).assert_exactly_once()


@pytest.mark.thorough
def test_transactions_that_the_database_ends_are_done_again(lab: LabSession) -> None:
    """Neither an effect nor a mark is lost or doubled when sessions die in mid-transaction."""
    run = lab.run(
        pipeline("outbox"),
        terminate(every("consumer")).after(processed=300).for_seconds(2),
        terminate(relay()).after(processed=320).for_seconds(2),
    )
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_relay_that_is_stopped_in_good_order_leaves_nothing_behind(lab: LabSession) -> None:
    """What it had claimed is sent by its successor."""
    run = lab.run(pipeline("outbox"), stop(relay()).after(acked=300).for_seconds(1.5))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_producer_two_hours_ahead_changes_nothing(lab: LabSession) -> None:
    """Messages are told apart by ids and sequences, not by when they say they were made."""
    wrong = skew(producer(), by_s=2 * HOURS_S).after(acked=300).for_seconds(2)
    lab.run(pipeline("outbox"), wrong).assert_exactly_once()


@pytest.mark.thorough
def test_records_from_the_future_are_refused_and_sent_again(lab: LabSession) -> None:
    """Kafka takes no record more than an hour ahead (KIP-937): the rows wait for a right clock."""
    wrong = skew(relay(), by_s=2 * HOURS_S).after(acked=300).for_seconds(2)
    lab.run(pipeline("outbox"), wrong).assert_exactly_once()
