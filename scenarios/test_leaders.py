"""Leaders: they die, sleep, are cut off or shut down, and another one takes over.

Safe: whatever two replicas acknowledged is there after any of it. The unsafe twins stand in the
files of their rows: `test_acks.py`, `test_replication.py`.
"""

import pytest

from harness.scenario import (
    LabSession,
    cannot_fetch,
    controller,
    coordinator,
    follower,
    isolate,
    kill,
    leader,
    node,
    pause,
    pipeline,
    stop,
)


def test_acked_messages_survive_the_death_of_their_leader(lab: LabSession) -> None:
    """SIGKILL the leader under load; it comes back three seconds later."""
    run = lab.run(pipeline("outbox"), kill(leader("orders", 0)).after(acked=300).for_seconds(3))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_leader_that_clients_cannot_reach_costs_time_but_no_message(lab: LabSession) -> None:
    """Cut the leader off from every client, while its peers still follow it."""
    fault = isolate(leader("orders", 0), flavour="drop", cut_from="clients")
    run = lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(3))
    run.assert_exactly_once()


def test_one_follower_that_cannot_fetch_leaves_the_others_enough(lab: LabSession) -> None:
    """Cut the one link on which a follower fetches from the leader."""
    fault = cannot_fetch(follower("orders", 0), source=leader("orders", 0), flavour="hold")
    lab.run(pipeline("outbox"), fault.after(acked=300).for_seconds(4)).assert_exactly_once()


@pytest.mark.thorough
def test_a_leader_that_sleeps_past_its_session_is_replaced_without_loss(lab: LabSession) -> None:
    """SIGSTOP the leader until it is fenced, then let it wake up as a follower."""
    run = lab.run(pipeline("outbox"), pause(leader("orders", 0)).after(acked=300).for_seconds(4))
    run.assert_exactly_once()


def test_two_overlapping_faults_are_survived(lab: LabSession) -> None:
    """A node dies while a follower of another partition is cut off from its leader.

    Over the safe budget: what node 2 leads has one replica in sync, and takes no writes meanwhile.
    """
    run = lab.run(
        pipeline("outbox"),
        kill(node(3)).after(acked=300).for_seconds(3),
        cannot_fetch(node(1), source=node(2), flavour="drop").after(acked=350).for_seconds(2),
        budget="over",
    )
    run.assert_exactly_once()


@pytest.mark.thorough
def test_a_leader_that_is_shut_down_hands_over_without_loss(lab: LabSession) -> None:
    """SIGTERM the leader under load: it gives its leadership away before it ends."""
    run = lab.run(pipeline("outbox"), stop(leader("orders", 0)).after(acked=300).for_seconds(2))
    run.assert_exactly_once()


def test_the_death_of_the_active_controller_costs_no_message(lab: LabSession) -> None:
    """The quorum elects another one before anybody can elect a leader."""
    run = lab.run(pipeline("outbox"), kill(controller()).after(acked=300).for_seconds(3))
    run.assert_exactly_once()


@pytest.mark.thorough
def test_the_death_of_the_groups_coordinator_repeats_no_effect(lab: LabSession) -> None:
    """The group's offsets are read back from a replica; what was in between is absorbed."""
    run = lab.run(pipeline("outbox"), kill(coordinator()).after(processed=300).for_seconds(3))
    run.assert_exactly_once()
