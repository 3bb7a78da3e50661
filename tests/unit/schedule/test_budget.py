"""The budget: one node away at a time, a lost disk alone; overlap is assumed unless excluded."""

import pytest

from harness.errors import UsageError
from harness.schedule import budget
from harness.schedule.network_words import (
    bridge,
    cannot_fetch,
    cannot_reach,
    isolate,
    minority,
    parted,
    ring,
    unfollowed,
)
from harness.schedule.overlap import RECOVERY_S, RESYNC_S, may_overlap
from harness.schedule.validate import check_schedule
from harness.schedule.values import Fault, Schedule
from harness.schedule.words import (
    add_partitions,
    amnesia,
    consumer,
    controller,
    database,
    every,
    former,
    kill,
    kill_recovering,
    leader,
    move_leader,
    node,
    nodes,
    pause,
    reassign,
    recreate_topic,
    relay,
    restart_storm,
    rolling_restart,
    stop,
    terminate,
)

LEADER = leader("orders", 0)
DEAD = kill(node(1)).after(acked=300).for_seconds(2)

WITHIN: dict[str, tuple[Fault, ...]] = {
    "nothing": (),
    "one dead node": (DEAD,),
    "everything around one dead node": (
        DEAD,
        kill(consumer(0)),
        pause(relay(0)),
        kill(database()),
        terminate(every("relay")),
        restart_storm(consumer(1)),
        cannot_reach(relay(0), LEADER),
        isolate(LEADER, cut_from="clients"),
        move_leader("orders", 0),
        add_partitions("orders"),
    ),
    "one after the other is verified": (DEAD, kill(node(2)).when(0, "verified", seconds=RESYNC_S)),
    "one long after the other is healed": (
        DEAD,
        kill(node(2)).when(0, "healed", seconds=RECOVERY_S),
    ),
    "by the clock, far apart": (
        kill(node(1)).after(seconds=1).for_seconds(2),
        kill(node(2)).after(seconds=20).for_seconds(2),
    ),
    "a chain of three": (
        DEAD,
        kill(node(2)).when(0, "verified", seconds=RESYNC_S),
        pause(node(3)).when(1, "verified", seconds=RESYNC_S),
    ),
    "a chain through a role": (
        DEAD,
        kill(relay(0)).when(0, "verified", seconds=RESYNC_S),
        kill(node(2)).when(1),
    ),
    "a node and its own links": (DEAD, isolate(node(1)), cannot_fetch(node(1), source=node(2))),
    "a node and a link to it": (DEAD, cannot_fetch(node(2), source=node(1))),
    "a cut leader that is then killed": (unfollowed(LEADER), kill(former(0)).when(0)),
    "the same node by its former name": (isolate(LEADER), kill(former(0)).when(0)),
    "two names for one member": (kill(nodes(node(2), node(2))),),
    "a bridge and one of those that it joins": (bridge(node(1)), kill(node(3))),
    "two links of one node": (parted(node(1), node(2)), cannot_fetch(node(3), source=node(1))),
    "a lost disk beside roles": (amnesia(LEADER), kill(consumer(0)), kill(database())),
}


BEYOND: dict[str, tuple[Fault, ...]] = {
    "two dead nodes": (DEAD, kill(node(2)).after(acked=400)),
    "a topic deleted": (recreate_topic("orders"),),
    "two names that may be two nodes": (kill(LEADER), kill(controller()).after(acked=900)),
    "the same name, resolved twice": (kill(LEADER), pause(LEADER).after(acked=320)),
    "healed is not recovered": (DEAD, kill(node(2)).when(0, "healed")),
    "verified is not in sync": (DEAD, kill(node(2)).when(0, "verified")),
    "held is not over": (DEAD, kill(node(2)).when(0, "held", seconds=3)),
    "by the clock, too near": (
        kill(node(1)).after(seconds=1).for_seconds(2),
        kill(node(2)).after(seconds=8).for_seconds(2),
    ),
    "an end that has no bound": (
        kill(node(1)).after(seconds=1).until(acked=100),
        kill(node(2)).after(seconds=60),
    ),
    "a length that has no bound": (
        kill_recovering(node(1)).after(seconds=1),
        kill(node(2)).after(seconds=60),
    ),
    "when the replicas shrink": (DEAD, kill(node(2)).when_isr("orders", 0, at_most=2)),
    "a dead node and a link between the others": (DEAD, cannot_fetch(node(2), source=node(3))),
    "a dead bridge": (bridge(node(1)), kill(node(1))),
    "two in the minority": (minority(node(1)), minority(node(2))),
    "a ring": (ring(),),
    "two at once": (stop(nodes(node(1), node(2))),),
    "a rolling restart and a dead node": (rolling_restart(), DEAD),
    "a replica away and a dead node": (reassign("orders", 0), DEAD),
    "three links in a circle": (
        parted(node(1), node(2)),
        parted(node(2), node(3)),
        parted(node(1), node(3)),
    ),
    "a lost disk and a dead node, ever": (
        amnesia(node(1)),
        kill(node(2)).when(0, "verified", seconds=99),
    ),
    "two lost disks": (amnesia(node(1)), amnesia(node(1)).when(0, "verified", seconds=99)),
    "two disks lost at once": (amnesia(nodes(node(1), node(2))),),
    "a lost disk and a replica that moves": (amnesia(node(1)), reassign("orders", 0)),
    "a lost disk and a slow link": (amnesia(node(1)), cannot_fetch(node(2), source=node(1))),
}


@pytest.mark.parametrize("faults", WITHIN.values(), ids=WITHIN)
def test_what_one_absent_node_explains_is_safe(faults: tuple[Fault, ...]) -> None:
    """It is within the safe budget, and everything is promised."""
    schedule = Schedule(pipeline="outbox", faults=faults)
    assert budget.problems(schedule) == []
    assert budget.needed(faults) == "safe"
    promise = budget.stated_promise(schedule)
    assert (promise.safety, promise.liveness) == (True, True)


@pytest.mark.parametrize("faults", BEYOND.values(), ids=BEYOND)
def test_what_takes_more_is_over(faults: tuple[Fault, ...]) -> None:
    """It is refused under `safe`, and let through under `over` without a promise of liveness."""
    assert len(budget.problems(Schedule(pipeline="outbox", faults=faults))) == 1
    over = Schedule(pipeline="outbox", faults=faults, budget="over")
    assert budget.problems(over) == []
    assert budget.needed(faults) == "over"
    assert not budget.stated_promise(over).liveness


@pytest.mark.parametrize(
    ("faults", "safety"),
    [
        (BEYOND["two dead nodes"], True),
        ((kill(nodes(node(1), node(2), node(3))),), True),
        (WITHIN["a lost disk beside roles"], True),
        (BEYOND["a lost disk and a dead node, ever"], False),
        (BEYOND["two lost disks"], False),
        (BEYOND["two disks lost at once"], False),
        (BEYOND["a topic deleted"], False),
    ],
)
def test_over_the_budget_only_a_disk_lost_with_others_excuses_a_loss(
    faults: tuple[Fault, ...], *, safety: bool
) -> None:
    """Nodes that are merely away keep what was acknowledged."""
    over = Schedule(pipeline="outbox", faults=faults, budget="over")
    assert budget.stated_promise(over).safety is safety


def test_the_error_names_both_faults_and_the_way_out() -> None:
    """One UsageError, raised where every schedule is checked."""
    faults = BEYOND["two dead nodes"]
    with pytest.raises(UsageError) as caught:
        check_schedule(Schedule(pipeline="outbox", faults=faults), topics={"orders": 1}, roles={})
    said = str(caught.value)
    assert "fault 0 (kill node 1) and fault 1 (kill node 2) may leave two nodes away" in said
    assert 'budget="over"' in said
    assert '"verified"' in said


def test_overlap_is_the_same_from_both_sides() -> None:
    """Whoever is asked first, two faults overlap or they do not."""
    for faults in (*WITHIN.values(), *BEYOND.values()):
        for one in range(len(faults)):
            for other in range(one):
                assert may_overlap(faults, one, other) == may_overlap(faults, other, one)
