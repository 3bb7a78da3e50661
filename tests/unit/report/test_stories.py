"""One run's time axis: lanes, curves, moments, and the life of an offending message."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from harness.ledger.findings import Hop, Kind, Outcome, Total
from harness.ledger.witness import write_witness
from harness.report import build
from harness.report.curves import POINTS_AT_MOST, curves
from harness.report.lanes import clock_of, lanes, role_lives

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from harness.report.axis import RunStory

    from .run_folders import MakeRun

BEGAN_US = 1_764_000_000_000_000
LOST = Total(kind=Kind.LOST, hop=Hop.ACKED_NOT_IN_LOG, count=1)


def journal(folder: Path, name: str, *events: tuple[float, str, Mapping[str, object]]) -> None:
    """Write a journal of one life."""
    (folder / "journal").mkdir(exist_ok=True)
    lines = [
        {"n": n, "at_us": BEGAN_US + round(seconds * 1e6), "event": event, **fields}
        for n, (seconds, event, fields) in enumerate(events, start=1)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "journal" / f"{name}.jsonl").write_text(text)


def told(folder: Path) -> RunStory:
    """Return the story of the only run there is."""
    (story,) = build([folder]).stories
    return story


def test_a_fault_is_drawn_at_its_node_and_on_every_link(make_run: MakeRun) -> None:
    """When it was asked for, took hold, was healed and seen to be healed; and by what it bit."""
    story = told(make_run())
    assert [(lane.group, lane.name) for lane in story.lanes] == [
        ("node", "node 2"),
        *(("link", f"quorum {pair}") for pair in ("1 → 2", "2 → 1", "2 → 3", "3 → 2")),
        *(("link", f"replication {pair}") for pair in ("1 → 2", "2 → 1", "2 → 3", "3 → 2")),
    ]
    span = story.lanes[0].spans[0]
    assert (span.asked_s, span.held_s, span.healed_s, span.verified_s) == (2.0, 2.1, 4.5, 5.3)
    assert (span.bit, span.state, len(span.evidence)) == (True, "verified", 2)
    assert all(lane.spans == story.lanes[0].spans for lane in story.lanes)


@pytest.mark.parametrize(
    ("resolved", "drawn"),
    [
        ({"role": "consumer", "instance": 1}, [("role", "consumer-1")]),
        ({"role": "relay", "to": 3}, [("role", "relay")]),
        (
            {"role": "consumer", "instances": [0, 1]},
            [("role", "consumer-0"), ("role", "consumer-1")],
        ),
        ({"database": True}, [("database", "database")]),
        ({"nodes": [1, 3]}, [("node", "node 1"), ("node", "node 3")]),
        ({"topic": "orders"}, [("topic", "orders")]),
        ({}, [("node", "cluster")]),
        (
            {"processes": ["relay 0"], "node": 3, "links": ["client:slot1->3"]},
            [("link", "client relay-0 → 3"), ("role", "relay-0")],
        ),
        ({"slot": 1, "node": 2}, [("node", "node 2"), ("link", "client relay-0 → 2")]),
    ],
)
def test_every_target_has_a_lane(resolved: object, drawn: list[object]) -> None:
    """Whatever a fault was resolved to, it is drawn somewhere."""
    events = [{"at_us": 1, "event": "fault", "fault": 0, "state": "asked", "resolved": resolved}]
    made = lanes(events, who_of_slots={1: "relay-0"}, clock=clock_of(events))
    assert [(lane.group, lane.name) for lane in made] == drawn


def test_phases_partitions_and_roles_have_their_times(make_run: MakeRun) -> None:
    """In seconds since the run began."""
    story = told(make_run())
    assert [(phase.name, phase.from_s, phase.to_s) for phase in story.phases][:2] == [
        ("warm-up", 0.1, 1.0),
        ("storm", 1.0, 5.5),
    ]
    assert [(state.at_s, state.leader, state.isr) for state in story.partitions] == [
        (0.0, 2, (1, 2, 3)),
        (3.5, 2, (2,)),
        (3.7, 1, (1, 3)),
        (5.25, 1, (1, 2, 3)),
    ]
    (relay,) = story.roles
    assert (relay.role, relay.from_s, relay.to_s, relay.asked) == ("relay", 0.2, 6.5, True)


def test_a_process_that_died_tells_how() -> None:
    """By itself: with its last words. At a crash point: with the point's name."""
    start = {"event": "role", "role": "relay", "instance": 0, "state": "started"}
    end = {"event": "role", "role": "relay", "instance": 0, "state": "exited"}
    events = [
        start | {"at_us": 1_000_000},
        end | {"at_us": 2_000_000, "code": 1, "asked": False, "output": "no leader"},
        start | {"at_us": 3_000_000},
        end | {"at_us": 4_000_000, "code": -9, "asked": True, "point": "after_send", "output": "x"},
        start | {"at_us": 5_000_000},
    ]
    lived = role_lives(events, clock=clock_of(events))
    assert [(life.from_s, life.to_s, life.code, life.point, life.output) for life in lived] == [
        (0.0, 1.0, 1, None, "no leader"),
        (2.0, 3.0, -9, "after_send", ""),
        (4.0, None, None, None, ""),
    ]


def test_curves_come_from_progress_where_nothing_else_is_kept(make_run: MakeRun) -> None:
    """Of a campaign's passed runs the journals are gone."""
    story = told(make_run())
    curve = {
        series.name: dict(zip(series.times_s, series.values, strict=True))
        for series in story.series
    }
    assert story.source == "progress"
    assert curve["in flight"] == {0.5: 0.0, 1.1: 10.0, 4.0: 200.0, 5.75: 0.0}
    assert curve["consumer lag"] == {0.5: 0.0, 1.1: 10.0, 4.0: 0.0, 5.75: 50.0}
    assert curve["acknowledged"][4.0] == pytest.approx(210 / 2.9, abs=0.1)


def test_curves_of_journals_count_a_message_once(make_run: MakeRun) -> None:
    """It may be acknowledged again, and delivered again."""
    run = make_run()
    journal(run, "producer-0", (0.1, "start", {}), (0.5, "committed", {"ids": [1, 2, 3]}))
    acked = {"ids": [1, 2], "topic": "orders", "partitions": [0, 0], "offsets": [0, 1]}
    journal(run, "relay-0", (0.1, "start", {}), (1.05, "acked", acked), (2.05, "acked", acked))
    journal(
        run,
        "consumer-0",
        (0.1, "start", {}),
        (0.2, "assigned", {"topic": "orders", "partitions": [0]}),
        (3.05, "effect", {"ids": [1]}),
        (3.5, "revoked", {"topic": "orders", "partitions": [0]}),
    )
    story = told(run)
    values = {series.name: series for series in story.series}
    assert story.source == "journals"
    assert sum(values["acknowledged"].values) * 0.1 == pytest.approx(2, abs=0.1)
    assert max(values["in flight"].values) == 3
    assert values["in flight"].values[-1] == 1
    assert values["consumer lag"].values[-1] == 1
    assert [(one.at_s, one.who, one.change, one.partitions) for one in story.rebalances] == [
        (0.2, "consumer-0", "assigned", (0,)),
        (3.5, "consumer-0", "revoked", (0,)),
    ]


@pytest.mark.parametrize("length", [1, 399, 400, 401, 100_000])
def test_a_curve_has_at_most_four_hundred_points(length: int) -> None:
    """However long the run was."""
    events = [{"at_us": n * 500_000, "event": "progress", "acked": n} for n in range(length)]
    drawn, _ = curves(events, [], began_us=0, length_s=length / 2)
    assert all(len(series.times_s) <= POINTS_AT_MOST for series in drawn)
    assert bool(drawn) is (length > 1)


def test_an_offending_message_is_drawn_with_the_faults_in_force(make_run: MakeRun) -> None:
    """From the journals and what the witnesses still hold."""
    run = make_run(outcome=Outcome.FAILED, totals=[LOST])
    acked = {"ids": [1], "topic": "orders", "partitions": [0], "offsets": [9]}
    journal(run, "relay-0", (0.1, "start", {}), (1.9, "sent", {"ids": [1]}), (2.5, "acked", acked))
    (run / "witness").mkdir()
    write_witness(run, "intents", pa.table({"message_id": [1], "topic": ["orders"]}))
    story = told(run)
    (life,) = story.lives
    assert (life.message, life.accusation) == ("1", "message 1 is gone")
    assert [(one.at_s, one.who, one.words, one.in_force) for one in life.moments] == [
        (1.9, "relay-0", "sent it", ()),
        (2.5, "relay-0", "had it acknowledged at orders/0@9", (0,)),
    ]
    assert life.held[0].startswith("intents: ")
    (found,) = build([run]).counterexamples
    assert found.life == life
