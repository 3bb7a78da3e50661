"""A schedule that cannot be played is refused before anything is touched."""

import pytest

from harness.errors import UsageError
from harness.pipeline.probe import NAME_BYTES
from harness.schedule.moments import POINT_BYTES
from harness.schedule.network_words import cannot_fetch, cannot_reach, damage, frames, isolate
from harness.schedule.validate import check_schedule
from harness.schedule.values import Fault, Schedule
from harness.schedule.words import (
    add_partitions,
    consumer,
    database,
    every,
    former,
    instance,
    kill,
    leader,
    move_leader,
    node,
    pause,
    recreate_topic,
    redis,
    relay,
    restart,
    restart_storm,
    scale,
    skew,
    stop,
    terminate,
    zookeeper,
)

TOPICS = {"orders": 6}
ROLES = {"producer": 1, "relay": 1, "consumer": 2, "spare": 0}


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (kill(node(4)), "there is no node 4"),
        (kill(leader("order", 0)), "there is no topic order"),
        (isolate(leader("orders", 6)), "orders has no partition 6"),
        (kill(consumer(2)), "there is no consumer 2: consumer has 2 instance(s)"),
        (pause(instance("worker")), "there is no role worker"),
        (kill(node(1)).at("after_send"), "can wait for a crash point"),
        (stop(relay(0)).at("after_send"), "can wait for a crash point"),
        (kill(node(1)).when(7), "there is no other fault 7"),
        (kill(former(1)), "there is no earlier fault 1"),
        (isolate(node(1), flavour=damage("refuse", stream="answers")), "refused as a whole"),
        (isolate(node(1), flavour="latency"), "needs an amount of at least 1 ms"),
        (frames(relay(0), "Produce", act="delay"), "delay_ms belongs to act `delay`"),
        (add_partitions("order"), "there is no topic order"),
        (recreate_topic("order"), "there is no topic order"),
        (move_leader("orders", 9), "orders has no partition 9"),
        (scale("consumer", to=9), "9 instances are not between 0 and 6"),
        (kill(relay(0)).at("after_send", passes=0), "not 0 times"),
        (kill(relay(0)).at("é" * 21), "a crash point's name has 1 to 40 bytes"),
        (restart_storm(every("spare")), "there is no process of spare"),
        (terminate(every("spare")), "there is no process of spare"),
        (kill(node(1)).after(seconds=-1), "lie in the past"),
        (cannot_fetch(node(1), source=node(9)), "there is no node 9"),
        (pause(relay(0)).until(acked=5), "every relay is away"),
        (stop(every("consumer")).until(processed=5), "every consumer is away"),
        (scale("consumer", to=0).until(processed=5), "every consumer is away"),
        (skew(relay(0), by_s=0.4), "one or more whole seconds, not by 0.4"),
        (kill(redis()), "no role uses Redis"),
        (cannot_reach(consumer(0), zookeeper()), "no role uses ZooKeeper"),
    ],
)
def test_an_impossible_fault_is_named_with_its_place(fault: Fault, said: str) -> None:
    """The error names the fault and what there is instead."""
    schedule = Schedule(pipeline="outbox", faults=(kill(node(1)), fault), budget="over")
    with pytest.raises(UsageError) as caught:
        check_schedule(schedule, topics=TOPICS, roles=ROLES)
    assert said in str(caught.value)
    assert "fault 1" in str(caught.value)
    assert "fault 0" not in str(caught.value)


@pytest.mark.parametrize("workers", [6, 9])
def test_a_role_may_lose_processes_where_there_is_no_link_for_another(workers: int) -> None:
    """To let one go needs none, whether each has its own or all share them."""
    roles = {"producer": 1, "relay": 1, "worker": workers}

    def check(to: int) -> None:
        schedule = Schedule(pipeline="outbox", faults=(scale("worker", to=to),))
        check_schedule(schedule, topics=TOPICS, roles=roles)

    for to in range(workers + 1):
        check(to)
    with pytest.raises(UsageError, match=f"not between 0 and {workers}"):
        check(workers + 1)


def test_a_crash_point_is_armed_once() -> None:
    """For a kill or a pause; of another process, or at another point, it is another one."""
    first = kill(consumer(0)).at("after_poll", passes=3)
    others = (kill(consumer(1)).at("after_poll"), kill(consumer(0)).at("in_transaction"))
    schedule = Schedule(pipeline="outbox", faults=(first, *others), budget="over")
    check_schedule(schedule, topics=TOPICS, roles=ROLES)

    twice = Schedule(
        pipeline="outbox", faults=(first, pause(consumer(0)).at("after_poll")), budget="over"
    )
    with pytest.raises(UsageError, match="fault 0 waits for after_poll of consumer 0 as well"):
        check_schedule(twice, topics=TOPICS, roles=ROLES)


def test_a_role_that_is_scaled_out_may_be_a_target() -> None:
    """Its processes come with the schedule."""
    faults = (scale("spare", to=2), kill(every("spare")).when(0, seconds=1))
    schedule = Schedule(pipeline="outbox", faults=faults, budget="over")
    check_schedule(schedule, topics=TOPICS, roles=ROLES)


def test_a_name_of_a_crash_point_fits_into_a_counter_file() -> None:
    """What is let through can be armed."""
    assert POINT_BYTES == NAME_BYTES


def test_every_possible_fault_is_let_through() -> None:
    """A valid schedule raises nothing."""
    faults = (
        kill(node(1)),
        kill(leader("orders", 5)).after(acked=1).until(acked=10),
        pause(consumer(1)).until(processed=5),
        kill(consumer(1)).at("after_poll", passes=3),
        restart(database()),
        restart(redis()),
        cannot_reach(consumer(0), redis()),
    )
    schedule = Schedule(pipeline="outbox", faults=faults, budget="over")
    check_schedule(schedule, topics=TOPICS, roles=ROLES, lock_services=["redis"])
