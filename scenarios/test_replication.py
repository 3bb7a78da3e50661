"""Replication: how many copies there are, how many must be in sync, and who may lead.

Safe: three replicas over racks, min.insync.replicas=2, no unclean election, eligible leader
replicas. Unsafe: fewer of anything. Out of contract, and shown all the same: every replica loses
its unflushed tail at once.
"""

import pytest

from harness.scenario import (
    LabSession,
    amnesia,
    claims,
    follower,
    kill,
    leader,
    pipeline,
    play_claim,
    unfollowed,
    variant,
)


def test_a_follower_that_loses_its_whole_log_gets_it_back(lab: LabSession) -> None:
    """An exchanged disk: the node copies every partition again, under load."""
    fault = amnesia(follower("orders", 0), loses="log").after(acked=300).for_seconds(2)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_leader_that_loses_its_unflushed_tail_is_not_the_last_to_have_it(
    lab: LabSession,
) -> None:
    """The very loss that ends a topic with one replica."""
    fault = amnesia(leader("orders", 0), loses="tail").after(acked=300).for_seconds(2)
    lab.run(pipeline("outbox"), fault).assert_exactly_once()


@pytest.mark.thorough
def test_a_leader_that_nobody_follows_takes_nothing_and_so_loses_nothing(lab: LabSession) -> None:
    """The last one in sync of three acknowledges nothing any more, and then dies."""
    run = lab.run(
        pipeline("outbox"),
        unfollowed(leader("orders", 0), flavour="refuse", planes=("replication",))
        .after(acked=300)
        .until_fault(1),
        kill(leader("orders", 0)).when_isr("orders", 0, at_most=1).for_seconds(4),
        budget="over",
    )
    run.assert_exactly_once()


@pytest.mark.unsafe
def test_an_unclean_election_is_caught(lab: LabSession) -> None:
    """The same death, where a leader alone may acknowledge and anybody may follow it."""
    lab.catch(
        variant("unclean-election"),
        unfollowed(leader("orders", 0), flavour="refuse", planes=("replication",))
        .after(acked=300)
        .until_fault(1),
        kill(leader("orders", 0)).when_isr("orders", 0, at_most=1).for_seconds(5),
        budget="over",
    )


@pytest.mark.unsafe
@pytest.mark.thorough
@pytest.mark.parametrize(
    "name",
    claims(
        "replication factor, racks",
        "min.insync.replicas",
        "unclean leader election",
        but=("unclean-election",),
    ),
)
def test_every_other_claim_about_replication_is_as_it_says(lab: LabSession, name: str) -> None:
    """One replica, one in sync, one lost disk too many, power that fails everywhere."""
    play_claim(lab, name)
