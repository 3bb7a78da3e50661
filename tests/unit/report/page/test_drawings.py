"""What is drawn: lanes, curves, rulers, grids and funnels, as values."""

from dataclasses import replace

import nights
import samples
from hypothesis import given
from hypothesis import strategies as st

from harness.report import axis as told
from harness.report import tables
from harness.report.page import cover, matrix, scale
from harness.report.page.chronicle import chronicle
from harness.report.page.cluster import cluster_lanes
from harness.report.page.curves import charts
from harness.report.page.faults import fault_lanes
from harness.report.page.funnel import balance
from harness.report.page.lives import life_lanes
from harness.report.page.processes import process_lanes, trouble_lanes
from harness.report.page.recovery import recovery
from harness.report.page.timeaxis import axis

STORY = samples.story("r0", "failed", lives=(samples.life(),))


def test_links_that_were_cut_together_are_one_lane() -> None:
    """Eight links of one fault take one row that counts and names them; a node keeps its own."""
    rows = fault_lanes(STORY).rows
    assert [row.name for row in rows] == ["node 1", "8 links", "relay-0"]
    assert "replication 1 → 2" in rows[1].note
    held = rows[1].bars[1]
    assert (held.from_s, held.to_s, held.looks) == (4.01, 7.98, "held")
    assert "quorum 3 → 1" in held.detail
    assert "it bit:\n· 10 open connections" in held.detail


def test_a_fault_that_met_nothing_looks_different_and_says_so() -> None:
    """Its bar is another one, and its detail has the words."""
    idle = fault_lanes(STORY).rows[2].bars[1]
    assert idle.looks == "held idle"
    assert "nothing shows that it bit" in idle.detail


def test_a_fault_that_never_took_hold_is_only_asked_for() -> None:
    """Asked until the run's end; no time in force is made up."""
    span = replace(samples.span(0, 3.0, 9.0), held_s=None, healed_s=None, verified_s=None)
    story = replace(STORY, lanes=(told.Lane(group="node", name="node 1", spans=(span,)),))
    asked, held = fault_lanes(story).rows[0].bars
    assert (asked.from_s, asked.to_s) == (3.0, STORY.length_s)
    assert held.from_s == held.to_s
    assert "in force for" not in held.detail


def test_ends_of_processes_are_told_apart() -> None:
    """A crash point, an end that was asked for, an end by itself; a crash is told once."""
    gone = replace(STORY.roles[1], to_s=5.0, asked=False, code=3, output="out of memory")
    story = replace(STORY, roles=(*STORY.roles[2:], gone))
    dots = {
        row.name: [(dot.looks, dot.detail) for dot in row.dots] for row in process_lanes(story).rows
    }
    crashes = [said for looks, said in dots["consumer-0"] if looks == "crashed"]
    assert len(crashes) == 1
    assert "at its crash point before_offset_commit" in crashes[0]
    assert dots["relay-0"] == [("crashed", "5.00 s: relay-0 ended by itself with 3\nout of memory")]
    assert any(looks == "ended" for looks, _ in dots["consumer-1"])


def test_trouble_has_a_lane_of_its_own_and_only_then() -> None:
    """What was no scheduled fault is not hidden among those that were."""
    trouble = told.Trouble(at_s=6.0, kind="lab", message="node 2 exited unasked")
    groups = axis(replace(STORY, troubles=(trouble,))).groups
    assert groups[0].rows[0].dots[0].detail == "6.00 s: node 2 exited unasked"
    assert trouble_lanes(STORY).rows == ()
    assert "Trouble" not in "".join(group.title for group in axis(STORY).groups)


def test_only_partitions_with_changes_are_drawn_and_the_others_named() -> None:
    """Shrunken in-sync replicas look different; the words name leader, epoch and replicas."""
    group = cluster_lanes(STORY)
    assert [row.name for row in group.rows] == ["controller", "orders/0", "orders/1"]
    assert group.note == "without any change: orders/2"
    whole, shrunk, again = group.rows[1].bars
    assert (whole.label, shrunk.label, again.label) == ("1 · 1 2 3", "2 · 2 3", "2 · 1 2 3")
    assert (shrunk.looks, shrunk.from_s, shrunk.to_s) == ("shrunk led-2", 6.1, 8.6)
    assert "led by node 2 (epoch 1); in sync: 2 3" in shrunk.detail


def test_a_partition_without_a_leader_says_so() -> None:
    """Node -1 is nobody."""
    nobody = replace(STORY.partitions[3], leader=-1, isr=())
    bar = cluster_lanes(replace(STORY, partitions=(*STORY.partitions[:3], nobody))).rows[1].bars[1]
    assert bar.label == "none · none"
    assert "without a leader" in bar.detail


def test_rates_share_a_chart_and_the_path_holds_the_values() -> None:
    """Milliseconds across, thousandths of the scale down."""
    drawn = charts(
        (
            told.Series(name="acked", unit="messages/s", times_s=(0.0, 1.5), values=(0.0, 150.0)),
            told.Series(name="effects", unit="messages/s", times_s=(0.0,), values=(50.0,)),
            told.Series(name="lag", unit="messages", times_s=(), values=()),
        )
    )
    assert [(chart.unit, chart.top) for chart in drawn] == [
        ("messages/s", 200.0),
        ("messages", 1.0),
    ]
    assert [curve.path for curve in drawn[0].curves] == ["M0 1000L1500 250", "M0 750"]
    assert drawn[0].curves[0].summary == "acked: at most 150 messages/s, 1.50 s after the run began"
    assert drawn[1].curves[0].path == ""


def test_a_message_goes_through_its_lanes_in_order_of_time() -> None:
    """The log stands after the relay that sent, although its stamp is cut to milliseconds."""
    life = life_lanes(samples.life())
    assert [row.name for row in life.rows] == ["producer-0", "relay-0", "log"]
    assert life.thread.startswith("M3905 1L3907 1L3931 3L3934 3L3934 5L4012 3")
    assert "in force: fault 0" in life.rows[2].dots[0].detail


def test_a_message_with_two_accusations_is_drawn_once() -> None:
    """Both are said of it."""
    other = replace(samples.life(), accusation="another record stands there now")
    (drawn,) = axis(replace(STORY, lives=(samples.life(), other))).lives
    assert drawn.accusation == (
        "message 811 was acknowledged, but the log lacks it; another record stands there now"
    )
    assert len(drawn.moments) == len(samples.life().moments)


def test_the_chronicle_tells_everything_in_order_of_time() -> None:
    """Phases, faults once, processes, the cluster and the message's life, in words."""
    entries = chronicle(STORY)
    words = [entry.words for entry in entries]
    assert [entry.at_s for entry in entries] == sorted(entry.at_s for entry in entries)
    assert words.count("fault 0 takes hold: isolate node 1 from peers (hold)") == 1
    assert "consumer-0 ends at its crash point before_offset_commit" in words
    assert "orders/0: leader 2, in sync 2, 3" in words
    assert "message 811: relay-0 sent it" in words
    assert "storm begins" in words


@given(length=st.floats(0.001, 1e6))
def test_a_ruler_has_a_few_round_ticks_within_its_length(length: float) -> None:
    """From zero, evenly, at most eleven, the last not beyond the end."""
    ticks = scale.ticks(length)
    assert ticks[0] == 0
    assert 1 <= len(ticks) <= scale.MOST_TICKS + 1
    assert ticks[-1] <= length * (1 + 1e-6)


@given(value=st.floats(1e-6, 1e12))
def test_a_scale_ends_at_a_round_number_that_is_not_far_above(value: float) -> None:
    """Never below the value, never more than two and a half times it."""
    assert value * (1 - 1e-9) <= scale.above(value) <= 2.5 * value


def test_flavours_stand_across_and_missing_combinations_are_blank() -> None:
    """Plain kinds stand against targets; what was never scheduled is a cell, not a blank."""
    by_plane = {sheet.plane: sheet for sheet in cover.sheets(nights.passed().coverage.cells)}
    links = by_plane["node links"]
    assert links.columns == ("hold", "drop", "refuse", "reset")
    assert next(name for name, _ in links.rows) == "isolate · controller from peers"
    nodes = by_plane["nodes"]
    assert nodes.columns == ("2 nodes", "controller", "follower", "leader")
    assert nodes.met < nodes.cells == 12
    calm = tables.CoverageCell(fault="kill", target="relay", phase="after_send", plane="roles",
                               scheduled=3, bit=0)  # fmt: skip
    assert cover.sheets([calm])[0].rows[0][0] == "kill at after_send"
    assert cover.looks(calm) == "idle"
    assert cover.looks(replace(calm, scheduled=0)) == "never"
    assert cover.looks(replace(calm, bit=3)) == "met w1"


def test_a_link_that_does_not_exist_is_no_cell() -> None:
    """The planes come in a fixed order, and count their links and those that were cut."""
    replication, quorum, *_ = planes = matrix.planes(nights.passed().links)
    assert [plane.name for plane in planes] == ["replication", "quorum", "client", "database"]
    assert replication.rows[0][1][0] is None
    assert [(plane.cut, plane.links) for plane in (replication, quorum)] == [(6, 6), (4, 6)]


def test_what_met_a_cut_is_told_in_connections_and_bytes() -> None:
    """A share of a connection is one; nothing is told of nothing."""
    cell = tables.LinkCell(plane="client", source="relay", target="1", connections=0.4,
                           bytes_sent=1200.0, bytes_answered=0.0,
                           cuts=(tables.Cut(flavour="hold", times=3, bit=2),))  # fmt: skip
    assert matrix.met(cell) == ["1 connection", "1.2 kB sent"]
    assert matrix.times(cell) == "2 of 3"
    assert matrix.weight(cell) == 1


def test_every_gap_of_a_funnel_has_an_anchor_and_a_visible_width() -> None:
    """Bars are shares of what was committed; gaps beside the funnel have anchors too."""
    drawn = balance(nights.funnel(1000, lost=245, doubled=3))
    assert [round(step.width, 3) for step in drawn.steps] == [1, 1, 1, 0.755, 0.755, 0.752]
    assert [step.missing for step in drawn.steps] == [0, 0, 0, 0.245, 0, 0.003]
    assert [drawn.anchor(gap) for _, gap in drawn.gaps] == [
        "gap-safe-0",
        "gap-safe-1",
        "gap-safe-2",
    ]


def test_recovery_times_share_one_scale() -> None:
    """The longest of all is the right end; what is shorter than the scale stands at its left."""
    shown = recovery(nights.passed().recovery)
    assert shown.longest_s == 2.1 * 2.2
    strips = [strip for _, row in shown.rows for strip in row if strip]
    assert max(strip.longest for strip in strips) == 1.0
    assert all(0 <= strip.median <= strip.late <= strip.longest for strip in strips)
    assert shown.rows[2][1][0] is None
