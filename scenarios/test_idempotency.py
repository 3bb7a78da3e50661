"""Idempotency: a message that is delivered twice takes effect once.

Safe: a unique key or a table of processed ids in the effect's own transaction; a version compared
in the update; a lock whose fencing token the database checks.
Unsafe: a memory that is not in that transaction, dies with its process or forgets; a version that
is not compared; a lock alone, whose lease ends while its holder sleeps.
"""

import pytest

from harness.scenario import (
    LabSession,
    cannot_reach,
    consumer,
    every,
    kill,
    pause,
    redis,
    restart,
    variant,
    zookeeper,
)

REDELIVERED = kill(consumer(0)).at("before_offset_commit", passes=20).for_seconds(1)
"""The effects are committed, the offsets are not: the batch is delivered again."""
BETWEEN = kill(consumer(0)).at("between_transactions", passes=20).for_seconds(1)
"""One transaction is committed, the one that belongs to it is not."""
SLEEPS_WITH_VERSIONS = pause(consumer(0)).at("version_read", passes=20).for_seconds(6)
"""Past its session, so that another process settles what it has read."""
SLEEPS_IN_THE_LOCK = pause(consumer(0)).at("lock_held", passes=20).for_seconds(6)
"""Past its lease and its session, so that another process takes both, and acts."""


# --- unique key, processed ids ---------------------------------------------------------------


def test_a_unique_key_absorbs_what_is_delivered_again(lab: LabSession) -> None:
    """Written in the transaction of the effect, it refuses the second one."""
    lab.run(variant("unique-key"), REDELIVERED).assert_exactly_once()


@pytest.mark.thorough
def test_processed_ids_beside_the_effects_absorb_what_is_delivered_again(lab: LabSession) -> None:
    """Looked up first, and written in one transaction with the effects."""
    lab.run(variant("processed-table"), REDELIVERED).assert_exactly_once()


@pytest.mark.thorough
def test_processed_ids_hold_when_their_reader_sleeps(lab: LabSession) -> None:
    """It looked them up, slept past its session, and commits too late: the primary key refuses."""
    zombie = pause(consumer(0)).at("in_transaction", passes=20).for_seconds(6)
    lab.run(variant("processed-table"), zombie).assert_exactly_once()


@pytest.mark.unsafe
@pytest.mark.thorough
def test_processed_ids_in_a_later_transaction_are_caught(lab: LabSession) -> None:
    """The crash comes between: the effects are there, and nobody remembers."""
    lab.catch(variant("processed-in-a-later-transaction"), BETWEEN)


@pytest.mark.unsafe
@pytest.mark.thorough
def test_processed_ids_in_an_earlier_transaction_are_caught(lab: LabSession) -> None:
    """The crash comes between: everybody remembers what never took effect."""
    lab.catch(variant("processed-in-an-earlier-transaction"), BETWEEN)


@pytest.mark.unsafe
def test_processed_ids_in_memory_are_caught(lab: LabSession) -> None:
    """They die with their process; the next one starts without."""
    lab.catch(variant("processed-in-memory"), REDELIVERED)


@pytest.mark.unsafe
@pytest.mark.thorough
def test_processed_ids_that_expire_are_caught(lab: LabSession) -> None:
    """Redelivered after three seconds, forgotten after one."""
    late = kill(consumer(0)).at("before_offset_commit", passes=20).for_seconds(4)
    lab.catch(variant("processed-with-expiry"), late)


# --- optimistic locking ----------------------------------------------------------------------


def test_a_version_that_is_compared_lets_one_of_two_act(lab: LabSession) -> None:
    """The sleeper's versions are old when it wakes up: its update finds no row."""
    lab.run(variant("optimistic-locking"), SLEEPS_WITH_VERSIONS).assert_exactly_once()


@pytest.mark.unsafe
def test_a_version_that_is_not_compared_is_caught(lab: LabSession) -> None:
    """The sleeper's update goes through, and so does its effect."""
    lab.catch(variant("optimistic-unchecked"), SLEEPS_WITH_VERSIONS)


# --- distributed locks -----------------------------------------------------------------------


def test_a_fenced_lock_of_redis_stops_a_holder_whose_lease_ended(lab: LabSession) -> None:
    """It wakes up in a lock that is another's; the database has seen a later token."""
    lab.run(variant("lock-redis-fenced"), SLEEPS_IN_THE_LOCK).assert_exactly_once()


@pytest.mark.unsafe
def test_a_lock_of_redis_alone_is_caught(lab: LabSession) -> None:
    """It wakes up in a lock that is another's, and acts a second time."""
    lab.catch(variant("lock-redis-alone"), SLEEPS_IN_THE_LOCK)


@pytest.mark.thorough
def test_a_fenced_lock_of_zookeeper_stops_a_holder_whose_session_ended(lab: LabSession) -> None:
    """Its node is gone, another's stands there, made by a later transaction."""
    lab.run(variant("lock-zookeeper-fenced"), SLEEPS_IN_THE_LOCK).assert_exactly_once()


@pytest.mark.unsafe
@pytest.mark.thorough
def test_a_lock_of_zookeeper_alone_is_caught(lab: LabSession) -> None:
    """Its node is gone with its session; it does not ask, and acts a second time."""
    lab.catch(variant("lock-zookeeper-alone"), SLEEPS_IN_THE_LOCK)


@pytest.mark.thorough
def test_a_holder_cut_off_from_redis_acts_neither_twice_nor_never(lab: LabSession) -> None:
    """Its leases end behind the cut; it goes on when the link is healed."""
    cut = cannot_reach(consumer(0), redis()).after(processed=300).for_seconds(4)
    lab.run(variant("lock-redis-fenced"), cut).assert_exactly_once()


@pytest.mark.thorough
def test_a_holder_cut_off_from_zookeeper_acts_neither_twice_nor_never(lab: LabSession) -> None:
    """Its session ends behind the cut, and its locks with it; it begins another one."""
    cut = cannot_reach(consumer(0), zookeeper()).after(processed=300).for_seconds(4)
    lab.run(variant("lock-zookeeper-fenced"), cut).assert_exactly_once()


@pytest.mark.thorough
def test_a_link_to_zookeeper_that_comes_and_goes_leaves_no_lock_behind(lab: LabSession) -> None:
    """Every other half second nothing passes: what was taken or let go unheard is settled."""
    flap = cannot_reach(every("consumer"), zookeeper(), flap_s=0.5).after(processed=300)
    lab.run(variant("lock-zookeeper-fenced"), flap.for_seconds(5)).assert_exactly_once()


@pytest.mark.thorough
def test_a_redis_that_crashes_forgets_no_lock_and_no_token(lab: LabSession) -> None:
    """SIGKILL under load: a token that began anew would be older than what the database saw."""
    lab.run(
        variant("lock-redis-fenced"), restart(redis()).after(processed=300)
    ).assert_exactly_once()


@pytest.mark.thorough
def test_a_zookeeper_that_sleeps_past_every_session_loses_no_message(lab: LabSession) -> None:
    """All sessions have ended when it wakes up, and every lock was lost at once."""
    run = lab.run(
        variant("lock-zookeeper-fenced"), pause(zookeeper()).after(processed=300).for_seconds(4)
    )
    run.assert_exactly_once()
