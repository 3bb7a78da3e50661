"""The minimiser, on a simulated system whose minimal sets and probabilities are known."""

from dataclasses import dataclass
from random import Random

import pytest

from harness.schedule.minimise import Minimised, Minimiser, minimise, runs_for
from harness.schedule.moments import AfterCount, AfterSeconds, WithFault
from harness.schedule.network_words import isolate
from harness.schedule.overlap import RESYNC_S
from harness.schedule.statistics import Rate
from harness.schedule.subset import without
from harness.schedule.targets import Instance
from harness.schedule.values import Fault, Schedule, Workload
from harness.schedule.weaken import weaker
from harness.schedule.words import (
    amnesia,
    every,
    former,
    instance,
    kill,
    leader,
    node,
    nodes,
    pause,
)

CASES = 50
ENOUGH = 0.95
TOGETHER = 8


@dataclass
class Simulated:
    """Fails with a probability when all of some faults are there; counts what was played."""

    needed: frozenset[int]
    probability: float
    random: Random
    runs: int = 0

    def fails(self, schedule: Schedule) -> bool:
        """Play it once."""
        self.runs += 1
        return self.needed <= struck(schedule) and self.random.random() < self.probability


def struck(schedule: Schedule) -> frozenset[int]:
    """Return the instances that the faults of a schedule are aimed at."""
    targets = [getattr(fault, "target", None) for fault in schedule.faults]
    return frozenset(target.number for target in targets if isinstance(target, Instance))


def simulated(seed: int, probability: float, *, needed: int = 2) -> tuple[Schedule, Simulated]:
    """Return a schedule of up to eight faults, and a system that needs some of them."""
    random = Random(seed)  # noqa: S311  # the same cases every time
    count = random.randint(max(3, needed), TOGETHER)
    faults = tuple(kill(instance("w", each)).after(acked=300 + each) for each in range(count))
    system = Simulated(
        needed=frozenset(random.sample(range(count), needed)),
        probability=probability,
        random=random,
    )
    return Schedule(pipeline="p", faults=faults), system


def run(seed: int, probability: float, *, labs: int = 1, needed: int = 2) -> tuple[bool, Minimised]:
    """Minimise one simulated case; whether exactly the needed faults were found."""
    schedule, system = simulated(seed, probability, needed=needed)
    search = Minimiser(schedule, runs_budget=runs_for(probability), labs=labs)
    while wanted := search.wanted():
        assert len(wanted) <= labs
        search.told([system.fails(each) for each in wanted])
    found = search.result()
    assert found.runs == system.runs <= runs_for(probability)
    return struck(found.schedule) == system.needed, found


@pytest.mark.parametrize(("probability", "runs"), [(1.0, 60), (0.5, 120), (0.2, 300)])
def test_a_minimal_set_is_found_within_the_budget(probability: float, runs: int) -> None:
    """Two faults out of eight, in 95 % of cases at least, at every probability."""
    assert runs_for(probability) == runs
    found = [run(seed, probability) for seed in range(CASES)]
    assert sum(right for right, _ in found) >= ENOUGH * CASES
    assert all(each.schedule.faults for _, each in found)


@pytest.mark.parametrize("needed", [1, 3])
def test_sets_of_other_sizes_are_found_too(needed: int) -> None:
    """One fault, or three."""
    found = [run(seed, 1.0, needed=needed) for seed in range(CASES)]
    assert sum(right for right, _ in found) >= ENOUGH * CASES


def test_what_fails_without_any_fault_is_found_as_the_last_fault_is_left_out() -> None:
    """A pipeline that breaks on a calm day needs none of the faults of the run that showed it."""
    schedule, system = simulated(4, 1.0, needed=0)
    found = minimise(schedule, system.fails)
    assert found.schedule.faults == ()
    place = [step.what for step in found.log].index("without any fault")
    assert [step.kept for step in found.log[: place + 1]] == [True] * (place + 1)
    assert found.log[place].runs == 3 + place  # the failures waited for, then one run a question
    assert found.complete


@pytest.mark.parametrize(
    ("probability", "budget", "exact"), [(0.3, 40, 64), (0.2, 40, 36), (0.2, 60, 60)]
)
def test_a_rare_failure_keeps_its_runs_for_the_faults(
    probability: float, budget: int, exact: int
) -> None:
    """Of a hundred cases as many are brought down to the guilty fault as without the calm day."""
    right = 0
    for seed in range(100):
        schedule, system = simulated(seed, probability, needed=1)
        found = minimise(schedule, system.fails, runs_budget=budget)
        right += struck(found.schedule) == system.needed
    assert right >= exact


def test_a_calm_day_that_takes_too_many_runs_is_not_called_decided() -> None:
    """A quarter of the runs that are left is spent on it; the log says so, and nothing is kept."""
    schedule, system = simulated(8, 0.2, needed=1)
    found = minimise(schedule, system.fails, runs_budget=40)
    place = [step.what for step in found.log].index("without any fault (not decided)")
    before, step = found.log[place - 1 : place + 1]
    assert not step.kept
    assert step.rate.hits == 0
    assert step.rate.runs == step.runs - before.runs <= (40 - before.runs) / 4 + 1
    assert not found.complete


def test_several_labs_find_the_same_with_the_same_budget() -> None:
    """Four plays at a time."""
    found = [run(seed, 1.0, labs=4) for seed in range(CASES)]
    assert sum(right for right, _ in found) >= ENOUGH * CASES


def test_the_result_says_how_often_it_fails() -> None:
    """Counts, an interval around the true probability, and the repeats that follow from it."""
    _, found = run(3, 0.5)
    low, high = found.rate.interval
    assert low < 0.5 < high
    assert found.rate.runs >= 5
    assert found.repeats is not None
    assert 2 <= found.repeats <= 20
    assert found.complete
    assert found.log[0].what == "as it was given"
    assert sum(step.kept for step in found.log) >= 2
    assert [step.runs for step in found.log] == sorted(step.runs for step in found.log)


def test_a_schedule_that_does_not_fail_stays_as_it_is() -> None:
    """It is given up after twenty clean runs, with nothing claimed."""
    schedule, _ = simulated(1, 1.0)
    found = minimise(schedule, lambda _: False)
    assert (found.schedule, found.rate) == (schedule, Rate(hits=0, runs=20))
    assert (found.repeats, found.complete) == (None, False)


def test_an_exhausted_budget_keeps_the_best_so_far() -> None:
    """Nine runs are too few, and what was left out until then stays out."""
    schedule, system = simulated(2, 1.0)
    found = minimise(schedule, system.fails, runs_budget=9)
    assert found.runs == 9
    assert not found.complete
    assert system.needed <= struck(found.schedule) < struck(schedule)


def test_faults_become_milder_as_far_as_they_still_fail() -> None:
    """Shorter to the last half that suffices, by an event, and with a smaller load."""
    schedule = Schedule(
        pipeline="p",
        faults=(isolate(node(1), flavour="reset").after(seconds=1).for_seconds(4),),
        workload=Workload(batch=20),
    )

    def fails(played: Schedule) -> bool:
        ends = [fault.end for fault in played.faults]
        return any(isinstance(end, AfterSeconds) and end.seconds >= 1.9 for end in ends)

    (fault,) = minimise(schedule, fails, runs_budget=200).schedule.faults
    assert fault.end == AfterSeconds(seconds=2.0)
    assert isinstance(fault.trigger, AfterCount)
    assert str(getattr(fault, "damage", "")) == "latency of 600 ms"


def test_no_candidate_beyond_its_budget_is_played() -> None:
    """What would leave two nodes away at once is not tried within `safe`."""
    faults: tuple[Fault, ...] = (
        kill(node(1)).after(acked=300),
        kill(node(2)).when(0, "verified", seconds=RESYNC_S),
        kill(node(3)).when(1, "verified", seconds=RESYNC_S),
    )
    found = minimise(Schedule(pipeline="p", faults=faults), lambda played: len(played.faults) > 1)
    assert len(found.schedule.faults) == 2


def test_what_is_left_out_leaves_no_loose_ends() -> None:
    """Places move up; triggers, ends and former nodes of a lost fault become its own."""
    faults: tuple[Fault, ...] = (
        kill(leader("orders", 0)).after(acked=300),
        pause(instance("w", 0)).when(0, "verified", seconds=1).until_fault(2),
        isolate(former(0)).when(1).for_seconds(2),
    )
    schedule = Schedule(pipeline="p", faults=faults)
    assert without(schedule, [0]).faults == (
        pause(instance("w", 0)).after(acked=300).until_fault(1),
        isolate(leader("orders", 0)).when(0).for_seconds(2),
    )
    assert without(schedule, [1]).faults[1].trigger == WithFault(
        fault=0, state="verified", seconds=1
    )
    assert without(schedule, [2]).faults[1].end == AfterSeconds(seconds=2.0)


def test_every_step_is_milder_in_one_way() -> None:
    """Several nodes become fewer, a lost log a lost tail, every instance one."""
    schedule = Schedule(
        pipeline="p",
        faults=(
            kill(nodes(node(1), node(2), node(3))),
            amnesia(node(1), loses="log"),
            pause(every("relay")).until(acked=100),
        ),
        budget="over",
    )
    steps = {each.what.rpartition(": ")[2] for each in weaker(schedule)}
    assert {
        "node 1 and node 2 in place of node 1 and node 2 and node 3",
        "only the unflushed tail is lost",
        "relay 0 in place of every relay",
        "until 50 acked in place of 100 acked",
        "200 messages a second",
    } <= steps
