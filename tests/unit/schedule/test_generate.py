"""Generated schedules can be played, are within their budget, and are the same for a seed."""

import tomllib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from harness.lab.profile import FAST as FAST_PROFILE
from harness.pipeline.loader import BUILT_IN
from harness.schedule import budget
from harness.schedule.codec import from_json, to_json
from harness.schedule.company import goes_with
from harness.schedule.dice import derive, from_seed
from harness.schedule.estimate import storm_s
from harness.schedule.generate import Generator, draw, schedules
from harness.schedule.menu import WEIGHTS, items
from harness.schedule.moments import AfterSeconds, WithFault
from harness.schedule.network import Cut, Isolate, Partition, Unreachable
from harness.schedule.overlap import may_overlap
from harness.schedule.processes import RollingRestart, Scale
from harness.schedule.shape import FAST, OUTBOX, PipelineShape, Timeouts, timeouts_of
from harness.schedule.targets import Controller, Standby
from harness.schedule.validate import check_schedule
from harness.schedule.values import Budget, Schedule

STRANGER = PipelineShape(
    name="pay.toml", topics={"payments": 6, "refunds": 1}, roles={"api": 2, "worker": 3}
)
LOCKING = replace(
    OUTBOX, name="locking", speaks={"consumer": frozenset({"kafka", "database", "redis"})}
)
CROWDS = tuple(
    PipelineShape(name=f"of {sum(roles.values())}", topics={"orders": 3}, roles=roles)
    for roles in (
        {"producer": 1, "relay": 1, "worker": 6},
        {"producer": 1, "worker": 9},
        {"producer": 2, "relay": 1, "worker": 11},
    )
)
"""Pipelines that leave no link for another process, and those whose processes share links."""
PIPELINES = {shape.name: shape for shape in (OUTBOX, STRANGER, LOCKING, *CROWDS)}
PRODUCTION = Timeouts(name="production", node_s=9, lag_s=30, quorum_s=2, client_s=45)
OF_LINKS = Unreachable | Cut | Partition | Isolate
BOTH: tuple[Budget, ...] = ("safe", "over")
quick = settings(
    max_examples=60,
    phases=(Phase.explicit, Phase.generate),
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def played(schedule: Schedule, shape: PipelineShape) -> float:
    """Return the estimated length of its storm at its own rate."""
    rate = replace(shape, rate_per_s=float(schedule.workload.rate_per_s))
    return storm_s(schedule.faults, rate)


def assert_playable(schedule: Schedule, shape: PipelineShape, timeouts: Timeouts) -> None:
    """Everything that is claimed of every generated schedule."""
    check_schedule(
        schedule, topics=shape.topics, roles=shape.roles, lock_services=shape.lock_services
    )
    assert from_json(to_json(schedule), source="drawn") == schedule
    assert 1 <= len(schedule.faults) <= 8
    assert not budget.hopeless(schedule.faults)
    for fault in schedule.faults:
        assert not isinstance(fault, Scale) or fault.to != shape.roles[fault.target.role]
    for other in range(len(schedule.faults)):
        for one in range(other):
            assert goes_with(schedule.faults, one, other)
    if not any(isinstance(fault, RollingRestart) for fault in schedule.faults):
        assert played(schedule, shape) <= timeouts.storm_s + 0.05


@quick
@given(
    st.sampled_from(sorted(PIPELINES)),
    st.sampled_from(BOTH),
    st.sampled_from([FAST, PRODUCTION]),
    st.integers(0, 2**63 - 1),
)
def test_every_seed_draws_a_schedule_that_can_be_played(
    name: str, within: Budget, timeouts: Timeouts, seed: int
) -> None:
    """It validates, survives its JSON, is within its budget, and its storm is bounded."""
    shape = PIPELINES[name]
    schedule = draw(seed, shape, budget=within, timeouts=timeouts)
    assert schedule.budget == within
    assert_playable(schedule, shape, timeouts)
    assert draw(seed, shape, budget=within, timeouts=timeouts) == schedule


@quick
@given(st.sampled_from(CROWDS), st.integers(0, 2**63 - 1))
def test_a_role_is_scaled_only_to_what_there_are_links_for(shape: PipelineShape, seed: int) -> None:
    """Whatever the number of processes; one that cannot be scaled at all is left alone."""
    only = {kind: float(kind in ("scale", "restart-storm")) for kind in WEIGHTS}
    schedule = draw(seed, shape, weights=only)
    assert_playable(schedule, shape, FAST)
    scaled = {fault.target.role for fault in schedule.faults if isinstance(fault, Scale)}
    assert all(shape.roles[role] > 1 for role in scaled)


@quick
@given(schedules(OUTBOX))
def test_hypothesis_draws_the_same_kind_of_schedules(schedule: Schedule) -> None:
    """The strategy needs no seed, and promises the same."""
    assert_playable(schedule, OUTBOX, FAST)


@pytest.mark.parametrize("within", BOTH)
def test_every_kind_that_is_on_is_drawn_and_no_other(within: Budget) -> None:
    """Within 2,000 seeds, of which most are not needed."""
    generator = Generator(OUTBOX, budget=within)
    on = {kind for kind, weight in WEIGHTS.items() if weight}
    seen: set[str] = set()
    for number in range(2000):
        seen |= {fault.kind for fault in generator.draw(derive(7, number)).faults}
        if seen == on:
            break
    assert seen == on


def test_a_drawn_cut_of_the_quorum_is_of_a_link_in_use() -> None:
    """Nodes ask only the active controller: a cut between two fixed ones often bites nothing."""
    generator = Generator(OUTBOX, weights={kind: float(kind == "cut") for kind in WEIGHTS})
    drawn = [fault for number in range(60) for fault in generator.draw(number).faults]
    quorum = [cut for cut in drawn if isinstance(cut, Cut) and cut.plane == "quorum"]
    assert len(quorum) > 10
    assert {(type(cut.target), type(cut.source)) for cut in quorum} == {(Standby, Controller)}


def test_a_drawn_latency_lasts_until_an_answer_has_come_through() -> None:
    """Whoever waits for each answer sends nothing else until then: that would show no bite."""
    links = {"unreachable", "cut", "partition", "isolate"}
    generator = Generator(OUTBOX, weights={kind: float(kind in links) for kind in WEIGHTS})
    drawn = [fault for number in range(300) for fault in generator.draw(number).faults]
    damaging = [fault for fault in drawn if isinstance(fault, OF_LINKS)]
    slow = [fault for fault in damaging if fault.damage.flavour == "latency"]
    timed = [(fault, fault.end.seconds) for fault in slow if isinstance(fault.end, AfterSeconds)]
    assert len(timed) > 20
    for fault, lasts_s in timed:
        assert fault.damage.amount is not None
        delays_s = 2 * fault.damage.amount / 1000
        assert delays_s < min(lasts_s, fault.flap_s or lasts_s), fault


def test_one_line_switches_a_kind_off_or_on() -> None:
    """A weight of 0 is never drawn; one that is off by default can be asked for."""
    only = {"frames": 1.0, "skew": 1.0, "kill": 0.0}
    generator = Generator(OUTBOX, weights=only)
    drawn = {fault.kind for number in range(40) for fault in generator.draw(number).faults}
    assert drawn == {"frames", "skew"}


def test_schedules_are_short_and_half_of_them_overlap() -> None:
    """Most have one to three faults, half of those with several let two be in force at once."""
    generator = Generator(OUTBOX)
    drawn = [generator.draw(derive(3, number)) for number in range(300)]
    sizes = Counter(len(schedule.faults) for schedule in drawn)
    assert sum(sizes[count] for count in (1, 2, 3)) >= 0.8 * len(drawn)
    assert max(sizes) >= 5
    several = [schedule.faults for schedule in drawn if len(schedule.faults) > 1]
    overlapping = sum(
        any(may_overlap(faults, one, other) for other in range(len(faults)) for one in range(other))
        for faults in several
    )
    assert 0.4 * len(several) <= overlapping
    assert sorted(played(schedule, OUTBOX) for schedule in drawn)[len(drawn) // 2] <= 5.0
    events = [fault.trigger for schedule in drawn for fault in schedule.faults]
    assert sum(not isinstance(trigger, AfterSeconds) for trigger in events) >= 0.8 * len(events)


def test_a_swarm_leaves_kinds_out() -> None:
    """Over the same seeds, long schedules use few kinds again and again."""
    generator = Generator(OUTBOX)
    drawn = [generator.draw(derive(5, number)) for number in range(400)]
    kinds = {frozenset(fault.kind for fault in each.faults) for each in drawn}
    assert len(kinds) >= 60


def test_all_five_shapes_are_seen() -> None:
    """Flapping links, a swizzle's healing in turn, and a fault that visits node after node."""
    generator = Generator(OUTBOX)
    drawn = [generator.draw(derive(9, number)).faults for number in range(300)]
    assert any(getattr(fault, "flap_s", None) for faults in drawn for fault in faults)
    assert any(isinstance(fault.end, WithFault) for faults in drawn for fault in faults)
    assert any(
        len(faults) > 1
        and len({str(fault.kind) for fault in faults}) == 1
        and all(isinstance(fault.trigger, WithFault) for fault in faults[1:])
        for faults in drawn
    )


def test_over_the_budget_half_of_the_schedules_really_are() -> None:
    """And none of them loses a disk beside another fault, where nothing is promised."""
    generator = Generator(OUTBOX, budget="over")
    drawn = [generator.draw(derive(1, number)).faults for number in range(200)]
    assert sum(budget.needed(faults) == "over" for faults in drawn) >= 0.4 * len(drawn)


def test_seeds_are_derived_apart() -> None:
    """Neighbouring numbers and roots give seeds that share nothing, the same ones every time."""
    seeds = {derive(root, number) for root in range(20) for number in range(20)}
    assert len(seeds) == 400
    assert derive(0, 0) == 3065247057545751466
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_dice_fall_the_same_way_in_every_python() -> None:
    """Pinned: they use nothing but `random()`, which Python promises to keep."""
    dice = from_seed(42)
    assert [dice.between(1, 100) for _ in range(5)] == [64, 3, 28, 23, 74]
    assert (dice.spread(1, 8), dice.shuffled("abcd")) == (4.08, ["d", "a", "b", "c"])


def test_the_reference_shape_is_what_its_file_says() -> None:
    """Topics, roles and instances as in pipeline.toml."""
    document = tomllib.loads(Path(BUILT_IN["outbox"]).read_text(encoding="utf-8"))
    topics = {name: topic["partitions"] for name, topic in document["topics"].items()}
    roles = {name: role.get("instances", 1) for name, role in document["roles"].items()}
    assert dict(OUTBOX.topics) == topics
    assert dict(OUTBOX.roles) == roles


def test_time_outs_are_read_from_the_profile() -> None:
    """Those of the fast profile are the built-in ones; an empty one has Kafka's defaults."""
    assert timeouts_of("fast", FAST_PROFILE.broker) == FAST
    assert timeouts_of("production", {}) == PRODUCTION


def test_every_item_of_the_menu_has_a_name_of_its_own() -> None:
    """Names are how coverage and campaigns speak of items."""
    menu = items(OUTBOX, budget="over")
    assert len({item.name for item in menu}) == len(menu)
    assert sum(item.paired for item in menu) >= 26
