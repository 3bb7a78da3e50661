"""The coverage grid counts what met the system, and shows what was never tried."""

from harness.schedule.coverage import Met, grid, plane, possible, tag
from harness.schedule.menu import items
from harness.schedule.network_words import cannot_fetch, cannot_reach, isolate, ring
from harness.schedule.shape import OUTBOX
from harness.schedule.values import Schedule
from harness.schedule.words import (
    add_partitions,
    amnesia,
    consumer,
    database,
    kill,
    leader,
    node,
    nodes,
    recreate_topic,
    redis,
    relay,
    rolling_restart,
    zookeeper,
)

LEADER = leader("orders", 0)


def test_only_faults_that_bit_fill_a_cell() -> None:
    """Scheduled and never met is as empty as never scheduled, and the table says which it was."""
    schedule = Schedule(
        pipeline="outbox", faults=(kill(LEADER), kill(relay(0)).at("after_send", passes=2))
    )
    cells = [("pause", "leader", "under load"), ("kill", "leader", "under load")]
    found = grid(
        [(schedule, (Met(bit=True), Met(bit=False))), (schedule, (Met(bit=True),))],
        possible=cells,
    )
    counts = {
        (each.fault, each.target, each.phase): (each.scheduled, each.bit) for each in found.cells
    }
    assert counts == {
        ("kill", "leader", "under load"): (2, 2),
        ("kill", "relay", "after_send"): (2, 0),
        ("pause", "leader", "under load"): (0, 0),
    }
    assert [each.target for each in found.empty] == ["relay", "leader"]
    assert round(found.share, 3) == 0.333


def test_a_grid_of_nothing_is_empty() -> None:
    """No run, no cell, no share."""
    assert grid([]).cells == ()
    assert grid([]).share == 0.0


def test_what_was_never_scheduled_is_an_empty_cell() -> None:
    """The menu says which cells there could be; a campaign of nothing has met none of them."""
    cells = possible(items(OUTBOX))
    assert ("kill", "relay", "after_send") in cells
    assert ("cut/drop", "follower to leader, replication", "under load") in cells
    assert len(grid([], possible=cells).empty) == len(cells) >= 100


def test_every_plane_has_its_own_words() -> None:
    """Flavour, class of target and plane tell faults apart that a reader would tell apart."""
    assert [
        (tag(fault), plane(fault))
        for fault in (
            isolate(LEADER, flavour="drop", cut_from="clients"),
            cannot_fetch(node(1), source=LEADER),
            ring(),
            cannot_reach(consumer(0), database()),
            cannot_reach(consumer(0), redis()),
            amnesia(LEADER),
            kill(nodes(node(1), node(2))),
            kill(database()),
            kill(zookeeper()),
            kill(consumer(1)),
            rolling_restart(),
            add_partitions("orders"),
            recreate_topic("orders"),
        )
    ] == [
        (("isolate/drop", "leader from clients"), "client links"),
        (("cut/hold", "node to leader, replication"), "node links"),
        (("ring/hold", "replication and quorum"), "node links"),
        (("unreachable/hold", "consumer to database"), "client links"),
        (("unreachable/hold", "consumer to redis"), "client links"),
        (("amnesia/tail", "leader"), "nodes"),
        (("kill", "2 nodes"), "nodes"),
        (("kill", "database"), "database"),
        (("kill", "zookeeper"), "coordination"),
        (("kill", "consumer"), "roles"),
        (("rolling-restart/stop", "every-node"), "nodes"),
        (("add-partitions", "topic"), "operations"),
        (("recreate-topic", "topic"), "operations"),
    ]
