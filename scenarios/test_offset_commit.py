"""Offset commits: the consumer dies, sleeps or fails between poll, effect and offset commit.

Safe: effect and dedup row in one transaction, then a synchronous offset commit, whose failure is
absorbed. Unsafe: auto-commit, commit before processing, errors that are committed, no dedup.
"""

import pytest

from harness.scenario import (
    LabSession,
    claims,
    consumer,
    kill,
    leader,
    pause,
    pipeline,
    play_claim,
    variant,
)


def test_a_consumer_killed_mid_batch_is_redelivered_its_batch(lab: LabSession) -> None:
    """SIGKILL inside the transaction of the effects: it rolls back, the batch comes again."""
    fault = kill(consumer(0)).at("in_transaction", passes=20).for_seconds(1)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_consumer_killed_after_poll_is_redelivered_its_batch(lab: LabSession) -> None:
    """SIGKILL with the batch in its hands and nothing done."""
    fault = kill(consumer(0)).at("after_poll", passes=20).for_seconds(1)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


def test_a_consumer_killed_before_its_offset_commit_does_nothing_twice(lab: LabSession) -> None:
    """The effects are committed, the offsets are not: the redelivery is absorbed."""
    fault = kill(consumer(0)).at("before_offset_commit", passes=20).for_seconds(1)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_consumer_that_sleeps_past_its_session_does_nothing_twice(lab: LabSession) -> None:
    """SIGSTOP until another took its partitions over; it wakes up with a batch in its hands."""
    run = lab.run(pipeline("outbox"), pause(consumer(0)).after(processed=300).for_seconds(5))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_dead_leader_and_a_dead_consumer_together_lose_nothing(lab: LabSession) -> None:
    """The group rebalances while the cluster elects."""
    run = lab.run(
        pipeline("outbox"),
        kill(leader("orders", 0)).after(acked=300).for_seconds(3),
        kill(consumer(1)).after(acked=320).for_seconds(1),
    )
    run.assert_exactly_once()


@pytest.mark.unsafe
def test_auto_commit_is_caught(lab: LabSession) -> None:
    """Offsets are committed behind the handler's back; it dies with the batch in its hands."""
    fault = kill(consumer(0)).at("in_transaction", passes=4).for_seconds(1)
    lab.catch(variant("auto-commit"), fault)


@pytest.mark.unsafe
def test_commit_before_processing_is_caught(lab: LabSession) -> None:
    """The offsets are committed first; the batch dies with its consumer."""
    fault = kill(consumer(0)).at("in_transaction", passes=20).for_seconds(1)
    lab.catch(variant("commit-before-processing"), fault)


@pytest.mark.unsafe
def test_no_dedup_is_caught(lab: LabSession) -> None:
    """The redelivered batch takes effect a second time."""
    fault = kill(consumer(0)).at("before_offset_commit", passes=20).for_seconds(1)
    lab.catch(variant("no-dedup"), fault)


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize(
    "name", claims("auto-commit", "commit fails", but=("auto-commit", "commit-before-processing"))
)
def test_every_other_claim_about_offset_commits_is_as_it_says(lab: LabSession, name: str) -> None:
    """Swallowed errors, the last record of a batch, zombies, commits that fail."""
    play_claim(lab, name)
